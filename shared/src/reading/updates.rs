//! Updates: follow-ups to an earlier signal. Not read yet.
//!
//! Entry point: [`update`].

use super::signals::Block;
use crate::update::SignalUpdate;

/// What stands around the text.
pub(super) struct Context<'c> {
    /// True when the post answers another one.
    pub(super) reply: bool,
    /// The lines that it quotes.
    pub(super) quoted: &'c str,
}

#[expect(dead_code, reason = "follow-ups come next")]
/// What a text is, as far as updates go.
pub(super) enum Outcome {
    /// An update.
    Update(SignalUpdate),
    /// It looks like one, but is not to be vouched for.
    Doubtful(&'static str),
    /// It does not look like one.
    Nothing,
}

/// Reads a text as an update.
pub(super) fn update(block: &Block<'_, '_>, context: &Context<'_>) -> Outcome {
    let _ = (block, context.reply, context.quoted);
    Outcome::Nothing
}
