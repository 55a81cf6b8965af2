//! A plain post for the tests of the reader, to be changed where a test needs it.

use shared::post::{Author, ChannelRef, Post, Source};
use time::OffsetDateTime;

/// A post with this text.
pub(crate) fn post(content: &str) -> Post {
    Post {
        channel: ChannelRef { source: Source::Discord, external_id: "1".into(), name: "calls".into() },
        external_id: "2".into(),
        author: Author { external_id: "3".into(), name: "Mira".into(), is_bot: false },
        posted_at: OffsetDateTime::UNIX_EPOCH,
        edited_at: None,
        deleted_at: None,
        content: content.to_owned(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    }
}
