//! Invented posts for tests.

use shared::post::{Author, ChannelRef, Post, Provenance, Sighting, Source};
use shared::wire::PostMessages;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// When the first post of every test was posted.
pub const START: OffsetDateTime = datetime!(2026-06-01 08:00 UTC);

/// A signal that the reader accepts: a long on this ticker at 4000 (which BTC, ETH and SOL have all been worth, or nearly)
/// with stop 3800 and targets 4200 and 4400.
pub fn signal_text(base: &str) -> String {
    format!("#{base}/USDT LONG\nEntry: 4000\nTP1: 4200\nTP2: 4400\nSL: 3800")
}

/// The channel of all of them.
pub fn channel() -> ChannelRef {
    ChannelRef { source: Source::Discord, external_id: "500".into(), name: "vip-calls".into() }
}

/// A live sighting of a post with this id and text, `id` minutes after [`START`].
pub fn sighting(id: u32, content: &str) -> Sighting {
    let posted_at = START + Duration::minutes(i64::from(id));
    let post = Post {
        channel: channel(),
        external_id: id.to_string(),
        author: Author { external_id: "7".into(), name: "Ana".into(), is_bot: false },
        posted_at,
        edited_at: None,
        deleted_at: None,
        content: content.into(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    };
    let raw = format!(r#"{{"id": "{id}",  "spaced":   true}}"#);
    Sighting {
        post,
        seen_at: posted_at + Duration::seconds(1),
        provenance: Provenance::Live,
        raw,
        within: None,
    }
}

/// The same message, edited some minutes later.
pub fn edited(original: &Sighting, minutes: i64, content: &str) -> Sighting {
    let mut edit = original.clone();
    edit.post.edited_at = Some(original.post.posted_at + Duration::minutes(minutes));
    edit.post.content = content.into();
    edit
}

/// The tombstone of a message, deleted some minutes later.
pub fn deleted(original: &Sighting, minutes: i64) -> Sighting {
    let mut tombstone = original.clone();
    tombstone.post.deleted_at = Some(original.post.posted_at + Duration::minutes(minutes));
    tombstone.post.content = String::new();
    tombstone
}

/// A message that answers another one.
pub fn reply(id: u32, to: u32, content: &str) -> Sighting {
    let mut reply = sighting(id, content);
    reply.post.reply_to = Some(to.to_string());
    reply
}

/// A request with these sightings.
pub fn batch(sightings: impl IntoIterator<Item = Sighting>) -> PostMessages {
    PostMessages { sightings: sightings.into_iter().collect() }
}
