//! When two contributors have seen the same: the hash of a post, and what counts as agreement.
//!
//! Entry points: [`Post::content_hash`], [`Post::agrees_with`], [`Post::shows_the_words_of`].
//! Decision: the hash has everything that decides how a post is read and whom it binds, the author included: a contributor
//! who attributes a stranger's words to a trusted author must not pass for a second witness of them. Names of people and
//! channels are left out: they change. A copy that was made by following a channel names no author and answers nobody, so
//! the hashes of the copy and of its original differ although both are honest: these two agree when their words are the same.

use sha2::{Digest, Sha256};

use super::{Embed, Post};

impl Post {
    /// SHA-256 over what decides how the post is read and whom it binds: the author's id, when it was posted, text, embeds,
    /// attachment names and the reply. Every tombstone has the same hash.
    pub fn content_hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        if self.deleted_at.is_some() {
            hasher.update(b"tombstone");
            return hasher.finalize().into();
        }
        part(&mut hasher, "author", &self.author.external_id);
        self.hash_words(&mut hasher);
        part(&mut hasher, "reply_to", self.reply_to.as_deref().unwrap_or_default());
        hasher.finalize().into()
    }

    /// Whether two contributors who saw this and that saw the same: author, words and reply; or, where one of them saw a
    /// copy, the words. Two originals agree with a copy and yet not with each other when their authors differ, so a version
    /// is to be compared with all that were seen before.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.content_hash() == other.content_hash()
            || ((self.is_copy() || other.is_copy()) && self.shows_the_words_of(other))
    }

    /// Whether the words are the same, whoever is said to have written them.
    pub fn shows_the_words_of(&self, other: &Self) -> bool {
        let words = |post: &Self| {
            let mut hasher = Sha256::new();
            post.hash_words(&mut hasher);
            hasher.finalize()
        };
        self.deleted_at.is_some() == other.deleted_at.is_some() && words(self) == words(other)
    }

    /// True for a copy that was made by following the channel: its author is the channel itself, for nobody else is told.
    /// What stands under the revision of the original is the text as it was when it was published.
    pub fn is_copy(&self) -> bool {
        self.author.external_id == self.channel.external_id
    }

    fn hash_words(&self, hasher: &mut Sha256) {
        part(hasher, "posted_at", &self.posted_at.unix_timestamp_nanos().to_string());
        part(hasher, "content", &self.content);
        self.embeds.iter().for_each(|embed| embed.hash_into(hasher));
        for copy in &self.forwarded {
            part(hasher, "forwarded", &copy.content);
            copy.embeds.iter().for_each(|embed| embed.hash_into(hasher));
        }
        for attachment in &self.attachments {
            part(hasher, "attachment", &attachment.file_name);
        }
    }
}

impl Embed {
    fn hash_into(&self, hasher: &mut Sha256) {
        part(hasher, "embed", "");
        self.texts().for_each(|(label, text)| part(hasher, label, text));
    }
}

/// The length stands before the text, so that no two lists of parts are written alike.
fn part(hasher: &mut Sha256, label: &str, text: &str) {
    hasher.update(label.as_bytes());
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::{Attachment, Author, ChannelRef, EmbedField, Source};
    use super::*;
    use time::macros::datetime;

    fn original() -> Post {
        Post {
            channel: ChannelRef {
                source: Source::Discord,
                external_id: "500".into(),
                name: "vip-calls".into(),
            },
            external_id: "1".into(),
            author: Author { external_id: "7".into(), name: "Ana".into(), is_bot: false },
            posted_at: datetime!(2026-06-01 08:00 UTC),
            edited_at: None,
            deleted_at: None,
            content: "LONG BTC".into(),
            embeds: vec![Embed {
                title: Some("BTC".into()),
                fields: vec![EmbedField { name: "Entry".into(), value: "100".into() }],
                ..Embed::default()
            }],
            attachments: vec![Attachment {
                external_id: "3".into(),
                file_name: "chart.png".into(),
                size_bytes: 9,
            }],
            reply_to: Some("44".into()),
            forwarded: Vec::new(),
        }
    }

    /// The original as a follower of its channel sees it.
    fn copy() -> Post {
        let author = Author { external_id: "500".into(), name: "Guild #vip-calls".into(), is_bot: true };
        Post { author, reply_to: None, ..original() }
    }

    #[test]
    fn the_hash_of_a_stored_post_never_changes() {
        let hex: String = original().content_hash().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "dd44f9de47cb2ac3336839008a8402757a0236c6571241e5513bb7b1e2a8188b");
    }

    #[test]
    fn names_and_sizes_may_differ_and_everything_that_is_read_may_not() {
        let mut renamed = original();
        renamed.channel.name = "vip".into();
        renamed.author.name = "Anna".into();
        renamed.attachments[0].size_bytes = 10;
        assert!(original().agrees_with(&renamed));
        let changes: [fn(&mut Post); 7] = [
            |post| post.author.external_id = "8".into(),
            |post| post.posted_at += time::Duration::SECOND,
            |post| post.content.push('!'),
            |post| post.embeds[0].fields[0].value.push('0'),
            |post| post.attachments[0].file_name.push('x'),
            |post| post.reply_to = None,
            |post| post.forwarded.push(super::super::Forwarded::default()),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = original();
            change(&mut changed);
            assert!(!original().agrees_with(&changed), "change {number}");
            assert!(!changed.agrees_with(&original()), "change {number}");
        }
    }

    #[test]
    fn a_followers_copy_agrees_with_its_original_and_with_other_copies_while_the_words_are_the_same() {
        assert!(copy().agrees_with(&original()) && original().agrees_with(&copy()));
        assert!(copy().agrees_with(&copy()));
        let mut altered = copy();
        altered.content.push('!');
        assert!(!altered.agrees_with(&original()) && !altered.agrees_with(&copy()));
    }

    #[test]
    fn another_author_is_a_disagreement_and_a_copy_does_not_make_it_good() {
        let mut stranger = original();
        stranger.author.external_id = "8".into();
        assert!(!stranger.agrees_with(&original()));
        assert!(stranger.agrees_with(&copy()), "a copy does not tell the author");
        assert!(stranger.shows_the_words_of(&original()));
    }

    #[test]
    fn a_tombstone_agrees_with_every_tombstone_and_with_no_text() {
        let gone =
            Post { deleted_at: Some(datetime!(2026-06-02 08:00 UTC)), content: String::new(), ..original() };
        let elsewhere = Post { deleted_at: Some(datetime!(2026-06-03 08:00 UTC)), ..copy() };
        assert!(gone.agrees_with(&elsewhere));
        let empty = Post { deleted_at: None, ..gone.clone() };
        assert!(!gone.agrees_with(&empty) && !gone.shows_the_words_of(&empty));
    }
}
