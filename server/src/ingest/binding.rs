//! Which signal a follow-up is about: the rule, in one place.
//!
//! Entry point: [`bind`]. A follow-up counts only when its author is the author of the signal. It is bound
//! - as a reply: to the signal of the answered post, or to the one that the answered follow-up was bound to; a ticker
//!   in the text must agree, and chooses when the answered post held several signals;
//! - by the author's own id of the call, by ticker (of the named side if one is), or with neither: to the author's newest
//!   fitting signal in the channel that was open when the follow-up was posted, else to the newest fitting one;
//! - "all": to every signal of the author in the channel that was open then.
//!
//! Anything else is unbound, with the reason.

use shared::update::{Scope, SignalUpdate};
use time::OffsetDateTime;
use uuid::Uuid;

use super::book::{Book, MOST_AT_ONCE};
use super::publish::Arrival;
use crate::store::signals::Signal;

/// The signals that a follow-up is about (never none), or why there are none.
pub(crate) fn bind(book: &Book, arrival: &Arrival<'_>, update: &SignalUpdate) -> Result<Vec<Uuid>, String> {
    let author = &arrival.post.author.external_id;
    let at = arrival.post.occurred_at();
    let is_hidden = match &update.scope {
        Scope::Reply { .. } => {
            arrival.reply_key().is_some_and(|answered| !book.broken_of(&answered).is_empty())
        }
        Scope::Symbol { base, .. } => book.hides(arrival, Some(base)),
        Scope::Reference { base, .. } => book.hides(arrival, base.as_ref()),
        Scope::Last | Scope::All { .. } => book.hides(arrival, None),
    };
    if is_hidden {
        return Err("a signal that it may be about cannot be read: its stored form is broken".into());
    }
    let chosen = match &update.scope {
        Scope::Reply { base } => {
            let answered = arrival.reply_key().ok_or("it is read as a reply, but answers no post")?;
            let about = book.about(&answered);
            let fits =
                |signal: &&Signal| base.as_ref().is_none_or(|base| signal.record.signal.base() == base);
            let fitting: Vec<&Signal> = about.iter().copied().filter(fits).collect();
            match fitting.as_slice() {
                [] if about.is_empty() => return Err("the answered post is no known signal".into()),
                [] => return Err("it names another ticker than the signal that it answers".into()),
                [one] if one.author_id != *author => {
                    return Err("it answers the signal of another author".into());
                }
                [one] => vec![one.record.id],
                _ => {
                    return Err(
                        "the answered post holds several signals, and the ticker does not choose one".into(),
                    );
                }
            }
        }
        Scope::Symbol { base, side } => {
            let fits = |signal: &&Signal| {
                signal.record.signal.base() == base
                    && side.is_none_or(|side| signal.record.signal.side() == side)
            };
            let fitting: Vec<&Signal> = book.of_author(arrival).into_iter().filter(fits).collect();
            newest(&fitting, at)
        }
        Scope::Reference { reference, base } => {
            let named = |signal: &&Signal| {
                let fields = signal.record.signal.fields();
                fields.reference.as_ref() == Some(reference)
                    && base.as_ref().is_none_or(|base| signal.record.signal.base() == base)
            };
            newest(&book.of_author(arrival).into_iter().filter(named).collect::<Vec<_>>(), at)
        }
        Scope::Last => newest(&book.of_author(arrival), at),
        Scope::All { side } => {
            let open = book.of_author(arrival).into_iter().filter(|signal| signal.was_open(at));
            let meant: Vec<Uuid> = open
                .filter(|signal| side.is_none_or(|side| signal.record.signal.side() == side))
                .map(|signal| signal.record.id)
                .collect();
            if meant.len() > MOST_AT_ONCE {
                return Err(format!(
                    "this author has more than {MOST_AT_ONCE} open signals here: all of them are not meant"
                ));
            }
            meant
        }
    };
    if chosen.is_empty() { Err(nothing_found(&update.scope)) } else { Ok(chosen) }
}

/// The newest signal that was open at that time, else the newest one.
fn newest(signals: &[&Signal], at: OffsetDateTime) -> Vec<Uuid> {
    let open = signals.iter().find(|signal| signal.was_open(at));
    open.or(signals.first()).map(|signal| signal.record.id).into_iter().collect()
}

fn nothing_found(scope: &Scope) -> String {
    match scope {
        Scope::Symbol { base, .. } => {
            format!("this author has no signal on {base} in this channel in the last 30 days")
        }
        Scope::Reference { reference, .. } => {
            format!("this author has no signal with the id {reference} in this channel in the last 30 days")
        }
        _ => "this author has no signal in this channel that it could be about".into(),
    }
}
