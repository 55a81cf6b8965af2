//! What the commands print, for people and as JSON.

use std::io::{self, Write};

use serde::Serialize;
use shared::signal::Side;
use shared::wire::{ChannelRecord, ChannelStatus, PostCounts};
use time::OffsetDateTime;
use time::macros::format_description;
use trader_client::account::{Account, SignalCounts, TradeReport, TradeState};
use trader_client::engine::{Decision, Note, SignalCard, Topic, grouped, money, signed_money};
use trader_client::journal::Recovered;
use uuid::Uuid;

use super::table::{Align, lines, plain};

/// The widest channel name shown whole.
const CHANNEL_WIDTH: usize = 20;
/// The longest note: longer ones quote a stranger.
const NOTE_WIDTH: usize = 300;

fn minute(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
    at.to_utc().format(format).unwrap_or_else(|_| at.to_string())
}

/// Prints one value as JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}

/// One line for a decision, a fill, or something that was not acted on.
pub(super) fn note(out: &mut impl Write, note: &Note) -> io::Result<()> {
    let side = note.side.map_or_else(String::new, |side| side.to_string());
    writeln!(out, "{}  {:<8}  {side:<5}  {}", minute(note.at), plain(&note.symbol, 20), words(note))
}

fn words(note: &Note) -> String {
    let text = plain(&note.text, NOTE_WIDTH);
    match note.topic {
        Topic::Planned => format!("plan: {text}"),
        Topic::Waiting => format!("waits: {text}"),
        Topic::Refused => format!("refused: {text}"),
        Topic::NotActedOn => format!("not acted on: {text}"),
        Topic::Alarm => format!("ALARM: {text}"),
        Topic::Filled | Topic::Handled => text,
    }
}

/// The account for people, with every trade.
pub(super) fn account(out: &mut impl Write, account: &Account) -> anyhow::Result<()> {
    summary(out, account)?;
    if account.trades.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    trades(out, account.trades.iter())
}

fn summary(out: &mut impl Write, account: &Account) -> anyhow::Result<()> {
    let signals = &account.signals;
    writeln!(out, "\nAccount at {} (event {} of the log)", minute(account.at), account.cursor)?;
    let SignalCounts { seen, traded, waiting, refused, refused_by_reason } = signals;
    let waits = if *waiting == 0 { String::new() } else { format!(" + {waiting} waiting for witnesses") };
    writeln!(out, "  signals   {seen} seen = {traded} traded{waits} + {refused} refused")?;
    for (reason, count) in refused_by_reason {
        writeln!(out, "            {count:>4} refused: {reason}")?;
    }
    let count = |state| account.trades.iter().filter(|trade| trade.state == state).count();
    let (open, waiting) = (count(TradeState::Open), count(TradeState::Waiting));
    let (closed, unfilled) = (count(TradeState::Closed), count(TradeState::Unfilled));
    writeln!(
        out,
        "  trades    {traded} = {closed} closed + {open} open + {waiting} waiting + {unfilled} never filled"
    )?;
    writeln!(out, "  fills     {}", account.fills)?;
    if account.alarms > 0 {
        writeln!(out, "  alarms    {}  (see `trader-client signals`)", account.alarms)?;
    }
    writeln!(out, "  result    {} after {} of fees", signed_money(account.realised), money(account.fees))?;
    writeln!(out, "  balance   {}", money(account.balance.get()))?;
    Ok(writeln!(out, "  equity    {}", money(account.equity.get()))?)
}

fn trades<'a>(out: &mut impl Write, reports: impl Iterator<Item = &'a TradeReport>) -> anyhow::Result<()> {
    let heads = ["decided", "pair", "side", "state", "entered", "open", "entry", "stop", "result", "unreal."];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(reports.map(|trade| {
        vec![
            minute(trade.decided_at),
            trade.pair.clone(),
            trade.side.to_string(),
            trade.state.as_str().to_owned(),
            trade.entered.to_string(),
            trade.open.to_string(),
            trade.average_entry.map_or_else(|| "-".to_owned(), |price| grouped(price.get().round_dp(8))),
            grouped(trade.stop.get()),
            signed_money(trade.realised),
            trade.unrealised.map_or_else(|| "-".to_owned(), signed_money),
        ]
    }));
    use Align::{Left, Right};
    for line in lines(&[Left, Left, Left, Left, Right, Right, Right, Right, Right, Right], &rows) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// `status`.
pub(super) fn status(account: &Account, as_json: bool) -> anyhow::Result<()> {
    if as_json { json(account) } else { summary(&mut io::stdout().lock(), account) }
}

/// `channels`.
pub(super) fn channels(channels: &[ChannelRecord], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return json(&channels);
    }
    let header = ["channel", "status", "revisions", "signals", "updates", "noise", "abstained", "deletes"];
    let row = |name: String, status: &str, posts: &PostCounts| {
        let counts =
            [posts.revisions, posts.signals, posts.updates, posts.noise, posts.abstained, posts.deletes];
        [name, status.to_owned()].into_iter().chain(counts.map(|count| count.to_string())).collect::<Vec<_>>()
    };
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut total = PostCounts::default();
    for channel in channels {
        rows.push(row(plain(&channel.name, CHANNEL_WIDTH), status_word(channel.status), &channel.posts));
        total = sum(&total, &channel.posts);
    }
    rows.push(row("all".to_owned(), "", &total));
    let numbers = [Align::Right; 6];
    let aligns = [&[Align::Left, Align::Left], numbers.as_slice()].concat();
    let mut out = io::stdout().lock();
    for line in lines(&aligns, &rows) {
        writeln!(out, "{line}")?;
    }
    let read =
        "revisions = signals + updates + noise + abstained: each text of a post counts once; deletes apart";
    Ok(writeln!(out, "{read}")?)
}

fn status_word(status: ChannelStatus) -> &'static str {
    match status {
        ChannelStatus::Proposed => "proposed",
        ChannelStatus::Approved => "approved",
        ChannelStatus::Paused => "paused",
        ChannelStatus::Blocked => "blocked",
    }
}

fn sum(a: &PostCounts, b: &PostCounts) -> PostCounts {
    PostCounts {
        revisions: a.revisions + b.revisions,
        signals: a.signals + b.signals,
        updates: a.updates + b.updates,
        noise: a.noise + b.noise,
        abstained: a.abstained + b.abstained,
        deletes: a.deletes + b.deletes,
    }
}

/// `positions`.
pub(super) fn positions(account: Account, as_json: bool) -> anyhow::Result<()> {
    let mut reports = account.trades;
    reports.retain(|trade| matches!(trade.state, TradeState::Open | TradeState::Waiting));
    if as_json {
        return json(&Positions { positions: reports });
    }
    let mut out = io::stdout().lock();
    if reports.is_empty() {
        return Ok(writeln!(out, "nothing is open, and no entry waits")?);
    }
    trades(&mut out, reports.iter())
}

/// The JSON of `positions`.
#[derive(Serialize)]
struct Positions {
    positions: Vec<TradeReport>,
}

/// The JSON of `signals`.
#[derive(Serialize)]
struct Signals<'a> {
    signals: Vec<SignalReport<'a>>,
}

#[derive(Serialize)]
struct SignalReport<'a> {
    signal_id: Uuid,
    seq: i64,
    channel: &'a str,
    author: &'a str,
    symbol: &'a str,
    side: Side,
    #[serde(with = "time::serde::rfc3339")]
    posted_at: OffsetDateTime,
    #[serde(flatten)]
    decision: &'a Decision,
    revisions: u32,
    witnesses: u32,
    notes: Vec<&'a Note>,
}

/// `signals`: the newest ones, oldest of them first, each with what was noted about it.
pub(super) fn signals(recovered: &Recovered, limit: usize, as_json: bool) -> anyhow::Result<()> {
    let all = recovered.engine.signals();
    let cards = &all[all.len().saturating_sub(limit)..];
    let notes = |id: Uuid| recovered.engine.notes().iter().filter(move |note| note.signal == Some(id));
    if as_json {
        let report = |card: &&'_ SignalCard| report(recovered, card.id, notes(card.id).collect());
        return json(&Signals { signals: cards.iter().filter_map(report).collect() });
    }
    let mut out = io::stdout().lock();
    if cards.is_empty() {
        return Ok(writeln!(out, "no signal has been seen yet")?);
    }
    let heads = ["posted", "channel", "symbol", "side", "decision"].map(str::to_owned).to_vec();
    let mut rows = vec![heads];
    rows.extend(cards.iter().map(|card| row(card)));
    let lines = lines(&[Align::Left; 5], &rows);
    let mut lines = lines.into_iter();
    if let Some(head) = lines.next() {
        writeln!(out, "{head}")?;
    }
    for (line, card) in lines.zip(cards) {
        writeln!(out, "{line}")?;
        for note in notes(card.id) {
            writeln!(out, "    {}  {}", minute(note.at), words(note))?;
        }
    }
    if cards.len() < all.len() {
        writeln!(out, "the newest {} of {}; --limit {} shows all", cards.len(), all.len(), all.len())?;
    }
    Ok(())
}

fn row(card: &SignalCard) -> Vec<String> {
    let decision = match &card.decision {
        Decision::Traded => "traded".to_owned(),
        Decision::Waiting { .. } => "waiting".to_owned(),
        Decision::Refused { code, .. } => code.clone(),
    };
    vec![
        minute(card.posted_at),
        plain(&card.channel, CHANNEL_WIDTH),
        card.symbol.clone(),
        card.side.to_string(),
        decision,
    ]
}

fn report<'a>(recovered: &'a Recovered, id: Uuid, notes: Vec<&'a Note>) -> Option<SignalReport<'a>> {
    let card = recovered.engine.signals().into_iter().find(|card| card.id == id)?;
    Some(SignalReport {
        signal_id: card.id,
        seq: card.seq,
        channel: &card.channel,
        author: &card.author,
        symbol: &card.symbol,
        side: card.side,
        posted_at: card.posted_at,
        decision: &card.decision,
        revisions: card.revisions,
        witnesses: card.witnesses,
        notes,
    })
}
