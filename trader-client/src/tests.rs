//! The whole client in one process: a feed on a socket, candles from files, the paper exchange on the disk.

use futures_util::{SinkExt, StreamExt};
use shared::post::{Provenance, Source};
use shared::signal::{Entry, Instrument, Side, Signal, SignalDraft, Stop, Target, TargetLevel};
use shared::wire::{Frame, SignalRecord};
use time::macros::datetime;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use uuid::Uuid;

use super::*;

const START: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

/// A folder with candles, a config that names them, and room for data.
struct Place {
    folder: tempfile::TempDir,
    listener: TcpListener,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let candles = folder.path().join("candles");
        std::fs::create_dir(&candles).unwrap();
        let mut text = "opened_at,open,high,low,close,volume\n".to_owned();
        for (minutes, prices) in [
            (-15, "101,101,101,101"),
            (0, "101,102,99,100"),
            (15, "100,106,100,106"),
            (30, "106,121,105,120"),
        ] {
            let at = (START + time::Duration::minutes(minutes))
                .format(&time::format_description::well_known::Rfc3339);
            text.push_str(&format!("{},{prices},1000\n", at.unwrap()));
        }
        std::fs::write(candles.join("BTCUSDT-15m.csv"), text).unwrap();
        Self { folder, listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn session(&self, once: bool, clock: &str) -> Session {
        let address = self.listener.local_addr().unwrap();
        let text = format!(
            "server = \"http://{address}\"\napi_key = \"cb_key\"\n[policy]\nchannels = [\"vip-calls\"]\n\
             [paper]\nclock = \"{clock}\"\ncandles = \"candles\"\n[paper.exchange]\ncurrency = \"USDT\"\n\
             start_balance = \"1500\"\ntaker_fee = \"0.05\"\nmaker_fee = \"0.02\"\nslippage = \"0.02\"\n\
             participation = \"100\"\n\
             pairs.BTCUSDT = {{ tick = \"0.1\", lot = \"0.1\", min_quantity = \"0.1\", min_notional = \"1\" }}\n"
        );
        let file = self.folder.path().join("trader.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file), std::iter::empty()).unwrap();
        let folder = self.folder.path().join("data");
        std::fs::create_dir_all(&folder).unwrap();
        Session { config, folder, once }
    }

    /// Serves the log to one subscriber after the other, from where each of them asks.
    #[expect(clippy::result_large_err, reason = "the size of the library's refusal, which is not given here")]
    async fn serve(&self, log: &[Event]) {
        loop {
            let (stream, _) = self.listener.accept().await.unwrap();
            let mut after = 0;
            let read = |request: &Request, response: Response| {
                after = request.uri().query().unwrap().strip_prefix("after=").unwrap().parse().unwrap();
                Ok(response)
            };
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, read).await.unwrap();
            let head = log.len() as i64;
            let mut frames = vec![Frame::Hello { head }];
            frames.extend((1..).zip(log).filter(|(seq, _)| *seq > after).map(|(seq, event)| Frame::Event {
                seq,
                prev: seq - 1,
                at: START,
                event: event.clone(),
            }));
            frames.push(Frame::CaughtUp { seq: head });
            for frame in frames {
                let text = serde_json::to_string(&frame).unwrap();
                if socket.send(Message::text(text)).await.is_err() {
                    break;
                }
            }
            while let Some(Ok(_)) = socket.next().await {}
        }
    }
}

fn signal(number: u128, channel: &str, minutes: i64) -> Event {
    let at = START + time::Duration::minutes(minutes);
    let target = |text: &str| Target { at: TargetLevel::Price(text.parse().unwrap()), share: None };
    let draft = SignalDraft {
        targets: vec![target("105"), target("110"), target("120")],
        stop: Some(Stop::Price { price: "95".parse().unwrap() }),
        ..SignalDraft::new(
            Instrument::of("BTC".parse().unwrap()),
            Side::Long,
            Entry::Limit { price: "100".parse().unwrap() },
        )
    };
    Event::SignalPosted {
        signal: Box::new(SignalRecord {
            id: Uuid::from_u128(number),
            channel_id: Uuid::from_u128(1),
            channel: channel.into(),
            source: Source::Discord,
            external_id: number.to_string(),
            post_id: Uuid::from_u128(2),
            ordinal: 0,
            author: "ann".into(),
            provenance: Provenance::Imported,
            posted_at: at,
            occurred_at: at,
            seen_at: at,
            received_at: at,
            reader_version: 1,
            reread: false,
            witnesses: 1,
            signal: Signal::new(draft).unwrap(),
        }),
    }
}

async fn run_beside(
    place: &Place,
    log: &[Event],
    session: Session,
) -> (anyhow::Result<Account>, Vec<String>) {
    let (_open, stop) = watch::channel(false);
    let mut told = Vec::new();
    let running = run(session, stop, |note| {
        told.push(format!("{}: {}", note.topic.as_str(), note.text));
        Ok(())
    });
    let account = tokio::select! {
        account = running => account,
        () = place.serve(log) => unreachable!(),
    };
    (account, told)
}

#[tokio::test]
async fn a_signal_on_the_feed_becomes_a_trade_and_an_account() {
    let place = Place::new().await;
    let log = [signal(1, "vip-calls", 0), signal(2, "other", 0), Event::Unknown, signal(3, "vip-calls", 1)];
    let (account, told) = run_beside(&place, &log, place.session(true, "replay")).await;
    let account = account.unwrap();
    assert_eq!((account.signals.seen, account.signals.traded, account.signals.refused), (3, 1, 2));
    let reasons: Vec<&str> = account.signals.refused_by_reason.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["channel_not_allowed", "symbol_in_trade"]);
    assert_eq!(account.cursor, 4);
    assert_eq!(account.fills, 4, "{told:#?}");
    assert_eq!(account.trades[0].state, account::TradeState::Closed);
    assert_eq!(account.realised, (account.balance.get() - rust_decimal::Decimal::from(1500)).normalize());
    assert_eq!(account.alarms, 0);
    assert!(told.iter().any(|line| line.contains("position closed, result +34.")), "{told:#?}");

    let (again, told) = run_beside(&place, &log, place.session(true, "replay")).await;
    assert_eq!(again.unwrap(), account, "a second run finds nothing to do");
    assert!(told.is_empty(), "{told:#?}");
}

#[tokio::test]
async fn interrupted_and_continued_the_account_is_the_same() {
    let log = [signal(1, "vip-calls", 0), signal(2, "vip-calls", 1), signal(3, "vip-calls", 60)];
    let reference = Place::new().await;
    let (expected, _) = run_beside(&reference, &log, reference.session(true, "replay")).await;
    let place = Place::new().await;
    for seen in 1..log.len() {
        let (open, stop) = watch::channel(false);
        let running = run(place.session(false, "replay"), stop, |_| {
            open.send_replace(true);
            Ok(())
        });
        let stopped = tokio::select! {
            stopped = running => stopped,
            () = place.serve(&log[..seen]) => unreachable!(),
        };
        stopped.unwrap();
    }
    let (account, _) = run_beside(&place, &log, place.session(true, "replay")).await;
    assert_eq!(account.unwrap(), expected.unwrap());
}

#[tokio::test]
async fn with_the_clock_on_the_wall_old_signals_are_refused() {
    let place = Place::new().await;
    let log = [signal(1, "vip-calls", 0)];
    let (account, _) = run_beside(&place, &log, place.session(true, "wall")).await;
    let account = account.unwrap();
    let age = launch::clock::now() - START;
    let expected = if age.is_negative() { "from_the_future" } else { "too_old" };
    assert_eq!(account.signals.refused_by_reason.keys().next().unwrap(), expected);
}

#[tokio::test]
async fn two_clients_cannot_share_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = lock(folder.path()).unwrap();
    let error = lock(folder.path()).unwrap_err().to_string();
    assert!(error.contains("another trader-client runs on the data folder"), "{error}");
    drop(first);
    lock(folder.path()).unwrap();
}

#[tokio::test]
async fn a_journal_can_be_read_beside_its_writer_and_after_it() {
    let place = Place::new().await;
    let log = [signal(1, "vip-calls", 0)];
    let session = place.session(true, "replay");
    let path = session.folder.join(JOURNAL_FILE);
    let missing = Journal::open_to_read(&path).await.err().unwrap().to_string();
    assert!(missing.contains("start `trader-client run` first"), "{missing}");
    let (account, _) = run_beside(&place, &log, session).await;
    let recovered = Journal::open_to_read(&path).await.unwrap().recover().await.unwrap();
    assert_eq!(recovered.engine.cursor(), account.unwrap().cursor);
    assert!(recovered.pending.is_empty());
}

/// Plays one trade, does something to the data folder, and gives the words with which the client refuses to go on.
async fn refusal_after(damage: impl FnOnce(&Path, &Path)) -> String {
    let place = Place::new().await;
    let log = [signal(1, "vip-calls", 0)];
    let session = place.session(true, "replay");
    let (journal, paper) = (session.folder.join(JOURNAL_FILE), session.folder.join(PAPER_FILE));
    run_beside(&place, &log, session).await.0.unwrap();
    damage(&journal, &paper);
    let (again, told) = run_beside(&place, &log, place.session(true, "replay")).await;
    assert!(told.is_empty(), "{told:?}");
    format!("{:#}", again.unwrap_err())
}

#[tokio::test]
async fn a_client_that_has_ended_leaves_whole_files_without_logs_beside_them() {
    let place = Place::new().await;
    let session = place.session(true, "replay");
    let folder = session.folder.clone();
    run_beside(&place, &[signal(1, "vip-calls", 0)], session).await.0.unwrap();
    let entries = std::fs::read_dir(folder).unwrap();
    let mut left: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, [JOURNAL_FILE, PAPER_FILE]);
}

#[tokio::test]
async fn journal_and_paper_exchange_are_never_traded_with_apart() {
    let error = refusal_after(|_, paper| std::fs::remove_file(paper).unwrap()).await;
    assert!(error.contains("its paper exchange") && error.contains("--data-dir"), "{error}");
    let error = refusal_after(|journal, _| std::fs::remove_file(journal).unwrap()).await;
    assert!(error.contains("the journal that explains them is gone"), "{error}");
    let other = Place::new().await;
    let session = other.session(true, "replay");
    let elsewhere = session.folder.join(PAPER_FILE);
    run_beside(&other, &[signal(1, "vip-calls", 0)], session).await.0.unwrap();
    let error = refusal_after(|_, paper| {
        std::fs::copy(&elsewhere, paper).unwrap();
    })
    .await;
    assert!(error.contains("belongs to another account"), "{error}");
}
