//! A client of others' making on the fake Discord: if it is told what happens, the fake speaks as Discord does, and not only as
//! our own contributor expects.
//!
//! Entry point: [`hears_the_same`]. The client is discord.py, in an environment of its own that `tests/soak/setup.sh` makes.

use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::PATIENCE;
use crate::discord::{CALLS, Cut, FORUM, FakeDiscord, NEWS, TOKEN};

/// So many messages of history are read, in pages of a hundred.
const HISTORY: usize = 250;

struct Foreign {
    _child: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    /// How much of what it said was as it had to be.
    agreed: usize,
}

/// Connects discord.py with this Python to a fake, and compares what it is told with what happens. Returns how many events and
/// answers were compared; an error names the first that differs.
pub async fn hears_the_same(python: &str) -> anyhow::Result<usize> {
    anyhow::ensure!(
        !python.is_empty(),
        "SOAK_PYTHON is not set: run `make soak`, which makes the environment"
    );
    let discord = FakeDiscord::start().await;
    let mut foreign = Foreign::start(Path::new(python), &discord)?;
    foreign.agrees(json!({ "kind": "ready", "user": "1", "application": "1", "guilds": 1 })).await?;
    foreign.kinds(&discord).await?;
    foreign.drops(&discord).await?;
    foreign.history(&discord).await?;
    Ok(foreign.agreed)
}

impl Foreign {
    fn start(python: &Path, discord: &FakeDiscord) -> anyhow::Result<Self> {
        let gateway = discord.with(|world| world.gateway_url());
        let mut child = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("soak/foreign.py"))
            .args([&discord.api, &gateway, TOKEN])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", python.display()))?;
        let orders = child.stdin.take().context("its input is piped")?;
        let said = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
        Ok(Self { _child: child, orders, said, agreed: 0 })
    }

    /// What it says next must be this.
    async fn agrees(&mut self, wanted: Value) -> anyhow::Result<()> {
        let line = tokio::time::timeout(PATIENCE, self.said.next_line()).await;
        let line = line.with_context(|| format!("discord.py was never told {wanted}"))??;
        let said: Value = serde_json::from_str(&line.context("discord.py has ended")?)?;
        anyhow::ensure!(said == wanted, "discord.py was told {said}, and not {wanted}");
        self.agreed += 1;
        Ok(())
    }

    /// Every kind of message and of change.
    async fn kinds(&mut self, discord: &FakeDiscord) -> anyhow::Result<()> {
        for (text, changes) in every_kind() {
            let id = discord.post_as(CALLS, changes);
            let channel = CALLS.to_string();
            self.agrees(json!({ "kind": "create", "id": id.to_string(), "text": text, "channel": channel }))
                .await?;
        }
        let [first, second, third] = ["one", "two", "three"].map(|text| discord.post(NEWS, text));
        for (id, text) in [(first, "one"), (second, "two"), (third, "three")] {
            let channel = NEWS.to_string();
            self.agrees(json!({ "kind": "create", "id": id.to_string(), "text": text, "channel": channel }))
                .await?;
        }
        discord.touch(NEWS, first, json!({ "pinned": true }));
        self.agrees(json!({ "kind": "touch", "id": first.to_string(), "text": "one" })).await?;
        discord.edit(NEWS, first, "one, edited");
        self.agrees(json!({ "kind": "edit", "id": first.to_string(), "text": "one, edited" })).await?;
        discord.delete(NEWS, &[first]);
        self.agrees(json!({ "kind": "delete", "id": first.to_string() })).await?;
        discord.delete(NEWS, &[second, third]);
        for id in [second, third] {
            self.agrees(json!({ "kind": "delete", "id": id.to_string() })).await?;
        }
        let thread = discord.open_thread(FORUM, "an idea");
        let (thread, forum) = (thread.to_string(), FORUM.to_string());
        self.agrees(json!({ "kind": "thread", "id": thread, "text": "an idea", "channel": forum })).await
    }

    /// Drops after which the session goes on, with what happened meanwhile.
    async fn drops(&mut self, discord: &FakeDiscord) -> anyhow::Result<()> {
        for cut in [Cut::Reconnect, Cut::Tcp, Cut::Code(4000)] {
            discord.cut(cut);
            let text = format!("posted after {cut:?}");
            let id = discord.post(CALLS, &text).to_string();
            let channel = CALLS.to_string();
            self.agrees(json!({ "kind": "create", "id": id, "text": text, "channel": channel })).await?;
            self.agrees(json!({ "kind": "resumed" })).await?;
        }
        Ok(())
    }

    /// REST: a channel, its history in pages, its archived threads.
    async fn history(&mut self, discord: &FakeDiscord) -> anyhow::Result<()> {
        let texts: Vec<String> = (0..HISTORY).map(|number| format!("history {number}")).collect();
        for text in &texts {
            discord.post_silently(NEWS, text);
        }
        let archived = discord.with(|world| {
            let thread = world.new_thread(NEWS, "old");
            world.channels.get_mut(&thread).expect("it is new").archived_at = Some(launch::clock::now());
            thread
        });
        self.orders.write_all(format!("history {NEWS}\n").as_bytes()).await?;
        self.agrees(json!({ "kind": "history", "texts": texts, "archived": [archived.to_string()] })).await
    }
}

/// A message of every kind, with the text by which it is known again.
pub fn every_kind() -> Vec<(&'static str, Value)> {
    let answer = |id: u64, text: &str| json!({ "answer_id": id, "poll_media": { "text": text } });
    let user = json!({ "id": "77", "username": "Source #calls", "bot": true, "discriminator": "0000", "avatar": null,
        "global_name": null, "public_flags": 0, "flags": 0, "primary_guild": null });
    let snapshot = json!({ "message": { "type": 0, "content": "forwarded", "mentions": [], "mention_roles": [], "attachments": [],
        "embeds": [], "timestamp": "2026-06-01T08:00:00+00:00", "edited_timestamp": null, "flags": 0, "components": [] } });
    let file = json!({ "id": "8", "filename": "chart.png", "size": 3, "url": "https://cdn.example/x?ex=1",
        "proxy_url": "https://media.example/x?ex=1", "content_type": "image/png", "width": 1, "height": 1 });
    vec![
        ("plain", json!({ "content": "plain" })),
        (
            "reply",
            json!({ "type": 19, "content": "reply",
            "message_reference": { "type": 0, "message_id": "5", "channel_id": CALLS.to_string() } }),
        ),
        (
            "copied",
            json!({ "content": "copied", "flags": 2, "webhook_id": "77", "author": user,
            "message_reference": { "type": 0, "message_id": "111111111111111111", "channel_id": "222222222222222222", "guild_id": "3" } }),
        ),
        (
            "forwarded",
            json!({ "flags": 1 << 14, "message_snapshots": [snapshot],
            "message_reference": { "type": 1, "message_id": "5", "channel_id": "6" } }),
        ),
        (
            "a card",
            json!({ "embeds": [{ "type": "rich", "title": "a card", "description": "text",
            "fields": [{ "name": "SL", "value": "0.4", "inline": true }], "footer": { "text": "foot" } }] }),
        ),
        ("with a file", json!({ "content": "with a file", "attachments": [file] })),
        (
            "up or down?",
            json!({ "poll": { "question": { "text": "up or down?" }, "answers": [answer(1, "up"), answer(2, "down")],
            "expiry": "2026-12-01T00:00:00+00:00", "allow_multiselect": false, "layout_type": 1,
            "results": { "is_finalized": false, "answer_counts": [] } } }),
        ),
        (
            "Wave",
            json!({ "sticker_items": [{ "id": "749054660769218631", "name": "Wave", "format_type": 3 }] }),
        ),
    ]
}
