//! Several signals in one post: where each of them begins, and which side holds for it.
//!
//! Entry point: [`signals`]. Either each signal's first line names symbol and side, or lines with a side alone hold for
//! the symbols below them.
//! Invariants: no line with a price is left out; all signals of a post have the same kinds of levels, or none is read:
//! a stop that is written once may be meant for all.

use super::pieces::{Piece, Pieces, What};
use super::signals::{Block, Outcome, signal, signal_of, the_symbol};
use super::symbols::Strength;
use super::values::{is_price, small_integer};
use super::words::Meaning;
use crate::signal::{Signal, Symbol};

/// Reads a text as one signal, or as several when it names several symbols.
pub(super) fn signals(text: &Block<'_, '_>) -> Vec<Outcome> {
    let pieces = text.pieces;
    let mention = the_symbol(pieces);
    if mention.is_ok() {
        return vec![signal_of(text, mention)];
    }
    let lines: Vec<&[Piece<'_>]> = pieces.list.chunk_by(|a, b| a.line == b.line).collect();
    let least = least(pieces);
    let headers = lines.iter().filter(|line| symbol(line, least).is_some() && is_sided(line)).count();
    let blocks = if headers >= 2 { by_headers(&lines, least) } else { by_sections(&lines, least) };
    let Some(mut blocks) = blocks.filter(|blocks| blocks.len() >= 2) else { return vec![signal(text)] };
    for line in lines.iter().filter(|line| is_for_all(line)) {
        for block in &mut blocks {
            if !block.iter().any(|piece| piece.line == line[0].line) {
                block.extend_from_slice(line);
            }
        }
    }
    let mut outcomes = Vec::with_capacity(blocks.len());
    for list in blocks {
        let block = pieces.with(list);
        outcomes.push(match signal(&Block::new(&block)) {
            Outcome::Nothing => Outcome::Doubtful("one of several signals cannot be read".to_owned()),
            read => read,
        });
    }
    if !are_alike(&outcomes) {
        outcomes.push(Outcome::Doubtful("one of several signals lacks what the others have".to_owned()));
    }
    outcomes
}

/// How sure a symbol must be to begin a signal in this text.
fn least(pieces: &Pieces<'_>) -> Strength {
    let strengths = pieces.list.iter().filter_map(|piece| match &piece.what {
        What::Ticker(mention) => Some(mention.strength),
        _ => None,
    });
    strengths.max().map_or(Strength::Header, |strongest| strongest.least_beside().max(Strength::Guess))
}

/// "Risk 1% each", "all with 5x": a line that speaks of all signals, and names no price.
fn is_for_all(line: &[Piece<'_>]) -> bool {
    let number = |piece: &Piece<'_>| matches!(&piece.what, What::Number(_));
    let named = |piece: &Piece<'_>| matches!(piece.what, What::Ticker(_));
    line.iter().any(|piece| piece.what.is(Meaning::All))
        && line.iter().any(number)
        && !has_price(line)
        && !line.iter().any(named)
}

/// The symbol of a line that names exactly one, in a place where it is meant.
fn symbol<'p>(line: &'p [Piece<'_>], least: Strength) -> Option<&'p Symbol> {
    line.iter().find_map(|piece| match &piece.what {
        What::Ticker(mention) if mention.strength >= least => Some(&mention.base),
        _ => None,
    })
}

fn is_sided(line: &[Piece<'_>]) -> bool {
    let side =
        |what: &What<'_>| matches!(what, What::Term(Meaning::Side(_) | Meaning::Buy | Meaning::Sell, _));
    line.iter().any(|piece| side(&piece.what))
}

type Blocks<'t> = Option<Vec<Vec<Piece<'t>>>>;

/// Cuts before each line that names both a symbol and a side.
fn by_headers<'t>(lines: &[&[Piece<'t>]], least: Strength) -> Blocks<'t> {
    let mut blocks: Vec<Vec<Piece<'t>>> = Vec::new();
    for line in lines {
        if symbol(line, least).is_some() && is_sided(line) {
            blocks.push(Vec::new());
        }
        match blocks.last_mut() {
            Some(block) => block.extend_from_slice(without_list_number(line)),
            None if has_price(line) => return None,
            None => {}
        }
    }
    Some(blocks)
}

/// `2. XRP/USDT`: the number counts the signals.
fn without_list_number<'p, 't>(line: &'p [Piece<'t>]) -> &'p [Piece<'t>] {
    let [Piece { what: What::Number(number), .. }, mark, rest @ ..] = line else { return line };
    let ends = mark.glued && matches!(mark.what, What::Mark('.' | ')'));
    if ends && small_integer(number).is_some() && symbol(line, Strength::Bare).is_some() {
        rest
    } else {
        line
    }
}

/// Cuts before each line with a new symbol. A line with a side alone holds for the symbols below it, unless it stands
/// right behind a symbol's own line.
fn by_sections<'t>(lines: &[&[Piece<'t>]], least: Strength) -> Blocks<'t> {
    let mut blocks: Vec<Vec<Piece<'t>>> = Vec::new();
    let mut section: Option<Piece<'t>> = None;
    let mut current: Option<&Symbol> = None;
    let mut fresh = false;
    for line in lines {
        let own_side = lone_side(line);
        match (own_side, symbol(line, least)) {
            (Some(side), None) if !fresh => {
                section = Some(side);
                current = None;
                continue;
            }
            (_, Some(base)) if current != Some(base) => {
                current = Some(base);
                blocks
                    .push(section.iter().cloned().map(|side| Piece { line: line[0].line, ..side }).collect());
                fresh = !has_price(without_list_number(line));
            }
            _ => fresh = false,
        }
        match blocks.last_mut().filter(|_| current.is_some()) {
            Some(block) => block.extend_from_slice(without_list_number(line)),
            None if has_price(line) => return None,
            None => {}
        }
    }
    Some(blocks)
}

fn has_price(line: &[Piece<'_>]) -> bool {
    line.iter().any(|piece| is_price(&piece.what))
}

/// The side of a line that says nothing else: `🟢 LONGS`.
fn lone_side<'t>(line: &[Piece<'t>]) -> Option<Piece<'t>> {
    let mut found = None;
    for piece in line {
        match piece.what {
            What::Term(Meaning::Side(side) | Meaning::Positions(side), _) if found.is_none() => {
                found = Some(Piece { what: What::Term(Meaning::Side(side), None), ..piece.clone() });
            }
            What::Mark(_) | What::Icon(_) | What::Term(Meaning::Filler | Meaning::At, _) => {}
            _ => return None,
        }
    }
    found
}

/// True when all signals have a stop or none has, and likewise targets.
fn are_alike(outcomes: &[Outcome]) -> bool {
    let signals: Vec<&Signal> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Signal(accepted) => Some(&accepted.signal),
            _ => None,
        })
        .collect();
    let kinds = |signal: &Signal| (signal.fields().stop.is_some(), signal.fields().targets.is_empty());
    signals.windows(2).all(|pair| kinds(pair[0]) == kinds(pair[1]))
}
