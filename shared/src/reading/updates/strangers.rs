//! Strangers: follow-ups that tell of somebody else's trade, as in `degen_k longed SOL` and `Ana added to the XRP short`.
//!
//! Entry point: [`acts`]. Invariants: only the first word of a text can be such a subject; a symbol in capitals is none.

use super::super::pieces::{Piece, Pieces, What};
use super::super::words::Meaning;

/// True when somebody who is not the author did what the text tells.
pub(super) fn acts(pieces: &Pieces<'_>) -> bool {
    let begins = |piece: &Piece<'_>| !matches!(piece.what, What::Icon(_) | What::Mark('@' | '*'));
    let Some(first) = pieces.list.iter().position(begins) else { return false };
    let rest = &pieces.list[first + 1..];
    let glued = rest.iter().take_while(|piece| piece.glued && is_of_name(&piece.what)).count();
    let (name, rest) = pieces.list[first..].split_at(glued + 1);
    is_handle(pieces, name) || is_other(pieces, name) && (does(rest) || acted(rest))
}

/// What names of members are made of.
fn is_of_name(what: &What<'_>) -> bool {
    matches!(
        what,
        What::Unknown | What::Ticker(_) | What::Mark('_') | What::Term(Meaning::Caller | Meaning::Filler, _)
    )
}

/// `degen_k`, `0xpaul`: small letters with digits or an underscore among them.
fn is_handle(pieces: &Pieces<'_>, name: &[Piece<'_>]) -> bool {
    let small = name.iter().any(|piece| has_small(pieces.raw(piece)));
    let joined = name.iter().any(|piece| matches!(piece.what, What::Mark('_')));
    let odd = |piece: &Piece<'_>| {
        let raw = pieces.raw(piece);
        matches!(piece.what, What::Unknown) && raw.bytes().any(|b| b.is_ascii_digit() || b == b'_')
    };
    name.iter().all(|piece| is_of_name(&piece.what)) && (joined && small || name.iter().any(odd))
}

/// A word outside the vocabulary in small letters, or a venue.
fn is_other(pieces: &Pieces<'_>, name: &[Piece<'_>]) -> bool {
    match name {
        [Piece { what: What::Term(Meaning::Venue(_), _), .. }] => true,
        [word] => {
            let raw = pieces.raw(word);
            matches!(word.what, What::Unknown)
                && has_small(raw)
                && raw.bytes().all(|b| b.is_ascii_alphabetic())
                && !pieces.decimal_comma
        }
        _ => false,
    }
}

fn has_small(raw: &str) -> bool {
    raw.bytes().any(|b| b.is_ascii_lowercase())
}

/// A deed right behind its subject, and the symbol that it is about. Languages with decimal commas tell the person in the
/// verb, and verbs of others are no words of follow-ups there.
fn does(rest: &[Piece<'_>]) -> bool {
    let next = rest.iter().find(|piece| !piece.what.is(Meaning::Filler));
    let deed = next.is_some_and(|next| {
        matches!(
            next.what,
            What::Term(
                Meaning::Add | Meaning::Closed | Meaning::StoppedOut | Meaning::Side(_) | Meaning::Again,
                _
            )
        )
    });
    deed && rest.iter().any(|piece| matches!(piece.what, What::Ticker(_)))
}

/// A verb of trading in the past, wherever the language puts it.
fn acted(rest: &[Piece<'_>]) -> bool {
    rest.iter().any(|piece| piece.what.is(Meaning::Acted))
}
