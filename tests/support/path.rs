//! The straight path with the three real programs: a small story of posts and prices, and a stage to play it on.
//!
//! Entry points: [`Stage::start`], [`write_story`]. The story has every kind of turn: an entry that fills in a candle, a
//! target, a stop moved to break-even and hit, a short zone, a market entry with a part-close and a close, an entry that
//! is never filled and whose post is deleted, a ladder of which one leg expires, an entry filled in parts because the
//! market is thin, an edit, a trap, a refusal, chatter.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use server::auth::Role;
use shared::post::{ChannelRef, Source};
use tempfile::TempDir;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use tokio::process::Command;

use crate::postgres::Scratch;
use crate::posts::START;
use crate::program::{ServerProgram, command};
use crate::server::{approve, create_key_alone};

/// A server program on a scratch database, and a folder for the two clients.
#[derive(Debug)]
pub struct Stage {
    /// The clients' folder; the story's files are in it, too.
    pub folder: TempDir,
    /// The server's database.
    pub scratch: Scratch,
    /// The server's address, the same after a restart.
    pub url: String,
    /// A contributor's key.
    pub contributor_key: String,
    /// A member's key.
    pub member_key: String,
}

impl Stage {
    /// Prepares everything for the story; the server is started by [`Stage::serve`].
    pub async fn start() -> Self {
        Self::of(&[("500", "vip-calls")]).await
    }

    /// Prepares everything for posts of these channels: their ids and names.
    pub async fn of(channels: &[(&str, &str)]) -> Self {
        let scratch = Scratch::new().await;
        let pool = scratch.pool().await;
        let (contributor, contributor_key) = create_key_alone(&pool, Role::Contributor).await;
        for (id, name) in channels {
            let (external_id, name) = ((*id).to_owned(), (*name).to_owned());
            let channel = ChannelRef { source: Source::Discord, external_id, name };
            approve(&pool, &channel, std::slice::from_ref(&contributor)).await;
        }
        let (_, member_key) = create_key_alone(&pool, Role::Member).await;
        pool.close().await;
        // The port must stay the same over restarts, because the clients' data belong to one server.
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let url = format!("http://{}", port.expect("a free port"));
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, scratch, url, contributor_key, member_key }
    }

    /// Starts the server; `None` when it dies before it listens.
    pub async fn serve(&self, crash_at: Option<&str>) -> Option<ServerProgram> {
        let mut serve = command("server");
        serve
            .args(["serve", "--listen", self.url.trim_start_matches("http://")])
            .env("DATABASE_URL", self.scratch.url());
        if let Some(point) = crash_at {
            serve.env("CALLBOARD_CRASH_AT", point);
        }
        ServerProgram::start(&mut serve).await
    }

    /// The contributor, with its settings.
    pub fn contributor(&self) -> Command {
        let mut contributor = command("contributor");
        contributor.env("CONTRIBUTOR__SERVER", &self.url).env("CONTRIBUTOR__API_KEY", &self.contributor_key);
        contributor
            .arg("--data-dir")
            .arg(self.folder.path().join("contributor"))
            .current_dir(self.folder.path());
        contributor
    }

    /// The trader's client, with this config file and its settings.
    pub fn trader(&self, config: &Path) -> Command {
        let mut trader = command("trader-client");
        trader
            .env("TRADER__SERVER", &self.url)
            .env("TRADER__API_KEY", &self.member_key)
            .arg("--config")
            .arg(config);
        trader.arg("--data-dir").arg(self.folder.path().join("trader")).current_dir(self.folder.path());
        trader
    }
}

/// Where the story's files are.
#[derive(Debug)]
pub struct Story {
    /// Two exports of one channel, the earlier one first.
    pub exports: [PathBuf; 2],
    /// The trader's config.
    pub config: PathBuf,
}

/// Writes exports, candles and a trader's config into the folder.
pub fn write_story(folder: &Path) -> Story {
    let candles = folder.join("candles");
    std::fs::create_dir_all(&candles).expect("a folder for candles");
    let markets: [(&str, u32, Turns<'_>); 6] = [
        ("SOLUSDT", 9000, &[(0, 100.0), (2, 98.8), (8, 105.0), (14, 98.0), (20, 103.0), (32, 103.0)]),
        ("LINKUSDT", 9000, &[(0, 20.0), (4, 20.5), (10, 19.0), (16, 18.0), (32, 18.0)]),
        ("AVAXUSDT", 9000, &[(0, 30.0), (10, 31.0), (20, 33.0), (32, 30.0)]),
        ("ADAUSDT", 9000, &[(0, 0.5), (32, 0.52)]),
        ("DOTUSDT", 9000, &[(0, 7.1), (6, 6.9), (12, 7.2), (20, 7.7), (32, 7.5)]),
        ("ATOMUSDT", 400, &[(0, 9.2), (6, 8.9), (12, 9.3), (20, 9.6), (32, 9.4)]),
    ];
    for (pair, volume, turns) in markets {
        let text = candle_file(turns, volume);
        std::fs::write(candles.join(format!("{pair}-15m.csv")), text).expect("a candle file");
    }
    let (early, late) = (posts(false), posts(true));
    let exports = [("early.json", early, 90), ("late.json", late, 480)].map(|(name, posts, minutes)| {
        let path = folder.join(name);
        std::fs::write(&path, export(&posts, START + Duration::minutes(minutes)).to_string())
            .expect("an export");
        path
    });
    let config = folder.join("trader.toml");
    std::fs::write(&config, CONFIG).expect("a config");
    Story { exports, config }
}

/// Writes an export of the story's first post alone.
pub fn write_one_post(folder: &Path) -> PathBuf {
    let path = folder.join("one.json");
    let text = export(&posts(false)[..1], START + Duration::minutes(2)).to_string();
    std::fs::write(&path, text).expect("an export");
    path
}

/// The prices at which a market turns, by the number of the candle.
type Turns<'t> = &'t [(u32, f64)];

/// Prices between the turns follow straight lines; each candle reaches a little beyond its open and close.
fn candle_file(turns: Turns<'_>, volume: u32) -> String {
    let price = |at: u32| {
        let pair = turns.windows(2).find(|pair| at <= pair[1].0).unwrap_or(&turns[turns.len() - 2..]);
        let [(from, low), (to, high)] = pair else { unreachable!("windows of two") };
        low + (high - low) * f64::from(at - from) / f64::from(to - from)
    };
    let mut text = "opened_at,open,high,low,close,volume\n".to_owned();
    for at in 0..32u32 {
        let (open, close) = (price(at), price(at + 1));
        let reach = open * 0.001;
        let (high, low) = (open.max(close) + reach, open.min(close) - reach);
        // The first candle has ended by the time of the first post, so that there is a price.
        let opened_at = (START + Duration::minutes(15) * (i32::try_from(at).unwrap_or(0) - 1))
            .format(&Rfc3339)
            .expect("a time");
        text += &format!("{opened_at},{open:.3},{high:.3},{low:.3},{close:.3},{volume}\n");
    }
    text
}

/// The posts as they stood when the export was made: the later one has an edit more and a post less.
fn posts(late: bool) -> Vec<Value> {
    let ada = message(5, 20, "#ADA/USDT LONG\nEntry: 0.47\nTP1: 0.52\nSL: 0.44", None);
    let mut link = message(2, 5, "LINK/USDT SHORT\nEntry: 20.2 - 20.6\nTP1: 19.2\nTP2: 18.4\nSL: 21.2", None);
    let mut posts = vec![message(1, 1, "#SOL/USDT LONG\nEntry: 100\nTP1: 104\nTP2: 108\nSL: 96", None)];
    if late {
        link["timestampEdited"] = json!(time(95));
        link["content"] = json!("LINK/USDT SHORT\nEntry: 20.2 - 20.6\nTP1: 19.2\nTP2: 18.4\nSL: 21.0");
    }
    posts.push(link);
    posts.push(message(3, 10, "AVAX/USDT LONG\nEntry: market\nTP1: 32\nTP2: 36\nSL: 28.5", None));
    let ladder = "DOT/USDT LONG\nEntry 1: 7.0\nEntry 2: 6.8\nTP1: 7.6\nSL: 6.5\nValid for: 2h";
    posts.push(message(12, 11, ladder, None));
    posts.push(message(13, 11, "ATOM/USDT LONG\nEntry: 9.0\nTP1: 9.5\nSL: 8.7", None));
    posts.push(message(4, 12, "good morning everyone, coffee first", None));
    if !late {
        posts.push(ada);
    }
    posts.push(message(6, 31, "#SOL/USDT LONG\nEntry: 99\nTP1: 104\nSL: 103", None));
    posts.push(message(7, 46, "XRP/USDT LONG\nEntry: 0.6\nTP1: 0.7", None));
    if late {
        posts.push(message(8, 130, "TP1 hit, move SL to entry", Some((1, 1))));
        posts.push(message(9, 200, "AVAX close 50%", None));
        posts.push(message(10, 310, "AVAX closed, enough for today", None));
        posts.push(message(11, 320, "#SOL/USDT LONG\nEntry: market\nTP1: 110\nSL: 97", None));
    }
    posts
}

fn time(minutes: i64) -> String {
    (START + Duration::minutes(minutes)).format(&Rfc3339).expect("a time")
}

/// The id that Discord would have given to the message of this number and minute: its time is in it.
fn snowflake((id, minutes): (u32, i64)) -> String {
    // Milliseconds since 2015, 22 bits further up.
    let posted_ms = (START + Duration::minutes(minutes)).unix_timestamp() * 1000 - 1_420_070_400_000;
    ((posted_ms << 22) + i64::from(id)).to_string()
}

fn message(id: u32, minutes: i64, content: &str, reply_to: Option<(u32, i64)>) -> Value {
    let reference = reply_to.map(
        |to| json!({ "type": "Default", "messageId": snowflake(to), "channelId": "500", "guildId": "1" }),
    );
    json!({
        "id": snowflake((id, minutes)), "type": if reply_to.is_some() { "Reply" } else { "Default" },
        "timestamp": time(minutes), "timestampEdited": null, "isPinned": false, "content": content,
        "author": { "id": "7", "name": "ana", "isBot": false },
        "attachments": [], "embeds": [], "stickers": [], "reactions": [], "mentions": [], "reference": reference,
    })
}

fn export(messages: &[Value], exported_at: OffsetDateTime) -> Value {
    json!({
        "guild": { "id": "1", "name": "Story" },
        "channel": { "id": "500", "type": "GuildTextChat", "name": "vip-calls" },
        "dateRange": { "after": null, "before": null },
        "exportedAt": exported_at.format(&Rfc3339).expect("a time"),
        "messages": messages,
        "messageCount": messages.len(),
    })
}

const CONFIG: &str = r#"
account = "story"

[policy]
channels = ["vip-calls"]
symbols = ["SOL", "LINK", "AVAX", "ADA", "XRP", "DOT", "ATOM"]
max_signal_age = "5m"
max_price_age = "15m"

[risk]
per_trade = "0.5%"
max_open_positions = 6
max_daily_loss = "6%"

[engine]
breakeven_after_target = 1

[paper]
clock = "replay"
candles = "candles"

[paper.exchange]
currency = "USDT"
start_balance = "10000"
taker_fee = "0.05"
maker_fee = "0.02"
slippage = "0.02"
participation = "10"

[paper.exchange.pairs]
SOLUSDT = { tick = "0.01", lot = "0.01", min_quantity = "0.01", min_notional = "5" }
LINKUSDT = { tick = "0.001", lot = "0.01", min_quantity = "0.01", min_notional = "5" }
AVAXUSDT = { tick = "0.01", lot = "0.01", min_quantity = "0.01", min_notional = "5" }
ADAUSDT = { tick = "0.0001", lot = "0.1", min_quantity = "0.1", min_notional = "5" }
DOTUSDT = { tick = "0.001", lot = "0.1", min_quantity = "0.1", min_notional = "5" }
ATOMUSDT = { tick = "0.001", lot = "0.1", min_quantity = "0.1", min_notional = "5" }
"#;
