//! One run of listening: looks whether it can work at all, then hears, keeps and sends until it is told to stop.
//!
//! Entry point: [`run`]. Invariant: a token that is no bot's is found before anything else is asked.

use std::sync::Arc;
use std::time::Duration;

use shared::wire::GapStatus;
use tokio::sync::watch;

use super::DiscordSettings;
use super::calls::GatewayBot;
use super::gateway::Gateway;
use super::ledger::{self, Progress};
use super::lines::lines;
use super::listener::{Listener, statuses};
use super::places::Places;
use super::rest::{Rest, RestError};
use super::settings::Bot;
use super::snowflake::Snowflake;
use super::vitals::{self, Vitals};
use super::words;
use crate::Clock;
use crate::api::{Api, NoAnswer};
use crate::failure::Failure;
use crate::outbox::{Level, Outbox, Sent};
use crate::sender;

/// How often untold gaps are looked for.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// The log says at most so often what was relayed: a busy channel makes no line for each post.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// The pause when Discord or the server cannot be asked at the start.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// How long keeping and sending may go on after the stop.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Listens until `stop`; the error says why it ended before.
pub async fn run(
    settings: &DiscordSettings,
    (outbox, api): (&Outbox, &Api),
    clock: Clock,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let bot = settings.bot()?;
    let rest = Rest::new(&bot)?;
    outbox.set_filling(true);
    let mut stopping = stop.clone();
    let vitals = Arc::<Vitals>::default();
    let shown = (vitals.clone(), outbox.watch(), clock);
    let work = async {
        let listening = async {
            let listened = listen((&bot, &rest), (outbox, api), (clock, stop), &vitals).await;
            outbox.set_filling(false);
            listened
        };
        tokio::try_join!(listening, sender::drain(outbox, api, clock))
    };
    let last_words = async {
        let told = stopping.wait_for(|stop| *stop).await.is_ok();
        vitals::notify("STOPPING=1");
        tokio::time::sleep(LAST_WORDS).await;
        told
    };
    tokio::select! {
        result = work => result.map(|_| ()),
        result = tell_gaps(outbox, api) => result,
        result = say_relayed(outbox.watch()) => result,
        result = show(settings.metrics_listen.as_deref(), shown) => result,
        () = vitals::keep_systemd_informed(&vitals, clock) => Ok(()),
        _ = last_words => {
            tracing::info!(waiting = outbox.level().waiting, "stopped; what waits is sent by the next run");
            Ok(())
        }
    }
}

/// Shows the signs of life, if they are to be shown.
async fn show(
    address: Option<&str>,
    shown: (Arc<Vitals>, watch::Receiver<Level>, Clock),
) -> Result<(), Failure> {
    match address {
        Some(address) => vitals::serve(address, shown).await,
        None => std::future::pending().await,
    }
}

/// Looks whether listening can work, and listens.
async fn listen(
    (bot, rest): (&Bot, &Rest),
    (outbox, api): (&Outbox, &Api),
    (clock, stop): (Clock, watch::Receiver<bool>),
    vitals: &Arc<Vitals>,
) -> Result<(), Failure> {
    let (id, url) = identify(rest, clock).await?;
    let (stopped, kept) = ledger::load(outbox).await?;
    let mut places = Places::new(&bot.channels, kept);
    approve(&mut places, bot, (outbox, api), clock).await?;
    // Another bot cannot go on with the session, but what happened since it ended was heard by nobody, either.
    let position = stopped.as_ref().filter(|stopped| stopped.bot == id).map(|stopped| &stopped.position);
    let gateway = Gateway::new(bot, &url, position, clock)?;
    let (lines, mut incoming) = lines();
    let mut listener = Listener::new(outbox, (rest, api), (places, stopped.as_ref()), (id, clock));
    listener.vitals = vitals.clone();
    // On a task of its own: heartbeats go on while history is read.
    let hearing = tokio::spawn(gateway.listen(lines, stop));
    // When the gateway ends, the lines end, and what came before is still kept.
    listener.keep(&mut incoming, bot).await?;
    drop(incoming);
    hearing.await.map_err(|error| Failure::Other(anyhow::anyhow!("listening to the gateway: {error}")))?
}

/// Who the bot is, and where its gateway is.
async fn identify(rest: &Rest, clock: Clock) -> Result<(Snowflake, String), Failure> {
    let me = answered(rest, async |rest| rest.me().await).await?;
    if !me.bot {
        return Err(Failure::Configuration(words::not_a_bot()));
    }
    if let Some(offset) = rest.their_time().await.map(|theirs| clock() - theirs)
        && offset.abs() > words::MAX_CLOCK_OFFSET
    {
        tracing::warn!("{}", words::clock_off(offset));
    }
    if !answered(rest, async |rest| rest.may_read_content().await).await? {
        return Err(Failure::Configuration(words::content_intent_off()));
    }
    let GatewayBot { url, session_start_limit } = answered(rest, async |rest| rest.gateway().await).await?;
    if session_start_limit.remaining == 0 {
        let hours = session_start_limit.reset_after.div_ceil(3_600_000);
        return Err(Failure::Configuration(words::sessions_used_up(hours)));
    }
    tracing::info!(bot = me.username, id = %me.id, "the token is a bot's");
    Ok((me.id, url))
}

/// Asks until Discord answers: at the start of a machine there may be no network yet.
async fn answered<T>(rest: &Rest, ask: impl AsyncFn(&Rest) -> Result<T, RestError>) -> Result<T, Failure> {
    loop {
        match ask(rest).await {
            Err(RestError::Later(reason)) => {
                tracing::warn!("asking Discord who we are: {reason}; trying again");
                tokio::time::sleep(ASK_AGAIN).await;
            }
            answer => return Ok(answer?),
        }
    }
}

/// Asks the server whether the key may contribute, and which of the channels may be posted.
async fn approve(
    places: &mut Places,
    bot: &Bot,
    (outbox, api): (&Outbox, &Api),
    clock: Clock,
) -> Result<(), Failure> {
    let allowed = async || match api.contributor().await {
        Ok(_) => statuses(api).await,
        Err(error) => Err(error),
    };
    loop {
        match allowed().await {
            Ok(statuses) => {
                outbox.note_trouble(None, clock()).await?;
                places.set_statuses(statuses);
            }
            Err(NoAnswer::Never(reason)) => {
                outbox.note_trouble(Some(&reason), clock()).await?;
                return Err(Failure::Configuration(reason));
            }
            Err(NoAnswer::Later(reason)) if places.trust_the_last_run() => tracing::warn!(
                "{reason}; the channels of the last run are listened to, and the outbox keeps what they say"
            ),
            Err(NoAnswer::Later(reason)) => {
                tracing::warn!(
                    "{reason}; nothing can be heard before the server has said of which channels it takes posts: \
                     what is posted meanwhile is read back then"
                );
                let waiting = Progress { places: places.wait_for_the_server(clock()), ..Progress::default() };
                outbox.stage_heard(&[], waiting, clock()).await?;
                tokio::time::sleep(ASK_AGAIN).await;
                continue;
            }
        }
        let refused = |id: &&Snowflake| places.objection(&id.to_string()).is_some();
        if bot.channels.iter().filter(refused).count() == bot.channels.len() {
            tracing::warn!("{}", words::nothing_to_do(bot.channels.len()));
        }
        return Ok(());
    }
}

/// Says what the server has answered, at once and then together, for as long as it is polled.
async fn say_relayed(mut level: watch::Receiver<Level>) -> Result<(), Failure> {
    let mut said = Sent::default();
    // The outbox holds the other end for as long as this is polled.
    while let Ok(now) = level.wait_for(|level| level.sent != said).await.map(|level| *level) {
        let Sent { stored, revisions, duplicates, rejected } = now.sent.since(said);
        tracing::info!(
            stored,
            revisions,
            duplicates,
            refused = rejected,
            waiting = now.waiting,
            "relayed to the server"
        );
        said = now.sent;
        tokio::time::sleep(SAY_EVERY).await;
    }
    Ok(())
}

/// Tells the server of gaps for as long as it is polled.
async fn tell_gaps(outbox: &Outbox, api: &Api) -> Result<(), Failure> {
    let mut look = tokio::time::interval(TELL_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let gaps = outbox.untold_gaps().await?;
        if gaps.is_empty() {
            continue;
        }
        match api.tell_gaps(&gaps).await {
            Ok(results) => {
                for (gap, status) in gaps.iter().zip(results) {
                    if let GapStatus::Rejected { reason } = status {
                        tracing::warn!(
                            channel = gap.channel.name,
                            "the server does not keep a gap: {reason}"
                        );
                    }
                }
                outbox.gaps_told(&gaps).await?;
                tracing::info!(count = gaps.len(), "the server knows what was not observed");
            }
            Err(NoAnswer::Later(reason)) => tracing::debug!("telling gaps: {reason}"),
            Err(NoAnswer::Never(reason)) => return Err(Failure::Configuration(reason)),
        }
    }
}
