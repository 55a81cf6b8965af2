//! JSON: alerts that programs write. Each member becomes a line of `key = value`, a list of objects a line for each.
//!
//! Entry point: [`written_out`]. The innermost key that the vocabulary knows as a label names a value: in
//! `{"targets": [{"price": 1.2}]}` the price is a target. Invariants: broken JSON is read as far as its braces go; keys of
//! secrets and ids are dropped with their values; depth is bounded, nothing is recursive.

use std::ops::Range;

use super::super::tokens::{Kind, Number, Token, Unit};
use super::super::words::{Found, Lexicon, Meaning, Slot};
use super::{apart, implied};

/// Alerts have three levels; deeper nesting is read as if it were flat.
const MAX_DEPTH: usize = 16;

/// Keys whose values are the ends of a range, when they stand inside a labelled object.
const ENDS: &[&str] = &["from", "to", "min", "max", "low", "high", "lower", "upper", "start", "end"];
/// Keys of the share of a position, inside a target or an entry.
const SHARES: &[&str] =
    &["percent", "percentage", "pct", "share", "size", "amount", "allocation", "alloc", "weight", "close"];
/// Keys of values that are nobody's levels.
const SECRETS: &[&str] =
    &["secret", "id", "token", "passphrase", "password", "key", "apikey", "uuid", "auth", "webhook"];
/// Keys of the price at which an alert was sent: the entry, if nothing else is.
const PRICES: &[&str] = &["price", "close"];
/// Keys of a candle, whose prices are nobody's levels.
const CANDLE: &[&str] = &["open", "high", "low", "volume"];
/// Keys that say how a stop is meant.
const MANNERS: &[&str] = &["type", "condition", "on", "basis", "confirmation", "timeframe", "tf", "candle"];

/// One value of the text.
#[derive(Debug)]
struct Member {
    /// The tokens of the key that names it.
    key: Range<usize>,
    /// What it is inside the object that the key names.
    role: Role,
    /// The tokens of the value.
    value: Range<usize>,
    /// How many objects of the outermost list were closed before it.
    object: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Plain,
    End,
    Share,
    Manner,
}

/// The text with its first JSON written out; none if it holds none.
pub(super) fn written_out<'t>(list: &[Token<'t>], words: Lexicon<'_>) -> Option<Vec<Token<'t>>> {
    let start = (0..list.len()).find(|at| is_start(list, *at))?;
    let list = &with_parted_keys(list, start);
    let phrases = &words.understand(list).phrases;
    let mut scan =
        Scan { list, phrases, stack: Vec::new(), key: None, members: Vec::new(), objects: 0, at: start };
    while scan.at < list.len() && (scan.at == start || !scan.stack.is_empty()) {
        scan.step();
    }
    let Scan { at: end, members, .. } = scan;
    if members.is_empty() {
        return None;
    }
    let mut writer = Writer { list, phrases, written: list[..start].to_vec(), line: list[start].line };
    writer.write(&members);
    let line = writer.line + 1;
    let Writer { mut written, .. } = writer;
    let last = list[end - 1].line;
    written.extend(list[end..].iter().map(|token| Token { line: line + token.line - last, ..token.clone() }));
    Some(written)
}

/// `takeProfit` as a key is two words.
fn with_parted_keys<'t>(list: &[Token<'t>], start: usize) -> Vec<Token<'t>> {
    let mut parted = list[..start].to_vec();
    for (at, token) in list.iter().enumerate().skip(start) {
        let Kind::Word(word) = token.kind else {
            parted.push(token.clone());
            continue;
        };
        let is_quote = |at: usize| matches!(list.get(at).map(|t| t.kind), Some(Kind::Mark('"' | '\'')));
        let is_key = is_quote(at + 1) && list.get(at + 2).is_some_and(|t| t.kind == Kind::Mark(':'));
        let mut from = 0;
        let bytes = token.raw.as_bytes();
        for humps in (1..bytes.len()).filter(|at| is_key && is_hump(bytes, *at)).chain([bytes.len()]) {
            let (Some(raw), Some(word)) = (token.raw.get(from..humps), word.get(from..humps)) else {
                continue;
            };
            let glued = token.glued || from > 0;
            parted.push(Token { kind: Kind::Word(word), raw, at: token.at + from, glued, ..*token });
            from = humps;
        }
    }
    parted
}

fn is_hump(word: &[u8], at: usize) -> bool {
    word[at].is_ascii_uppercase() && word[at - 1].is_ascii_lowercase()
}

/// `{"key":`, perhaps inside `[`.
fn is_start(list: &[Token<'_>], at: usize) -> bool {
    let kind = |at: usize| list.get(at).map(|token| token.kind);
    let object = match kind(at) {
        Some(Kind::Mark('{')) => at,
        Some(Kind::Mark('[')) if kind(at + 1) == Some(Kind::Mark('{')) => at + 1,
        _ => return false,
    };
    matches!((kind(object + 1), kind(object + 2)), (Some(Kind::Mark('"' | '\'')), Some(Kind::Word(_))))
}

/// An open brace or bracket with the key that it belongs to.
struct Level {
    key: Option<Range<usize>>,
    is_list: bool,
}

struct Scan<'l, 't> {
    list: &'l [Token<'t>],
    phrases: &'l [Option<Found>],
    stack: Vec<Level>,
    /// The key whose value comes next.
    key: Option<Range<usize>>,
    members: Vec<Member>,
    objects: usize,
    at: usize,
}

impl Scan<'_, '_> {
    fn step(&mut self) {
        match self.list[self.at].kind {
            Kind::Mark(open @ ('{' | '[')) => {
                if self.stack.len() < MAX_DEPTH {
                    self.stack.push(Level { key: self.key.take(), is_list: open == '[' });
                }
                self.at += 1;
            }
            Kind::Mark('}' | ']') => {
                self.stack.pop();
                self.objects +=
                    usize::from(matches!(self.stack.as_slice(), [Level { key: None, is_list: true }]));
                self.key = None;
                self.at += 1;
            }
            Kind::Mark(',' | ':') => self.at += 1,
            _ => self.scalar(),
        }
    }

    /// A string, a number or a word: a key if a colon follows, else a value.
    fn scalar(&mut self) {
        let quote = match self.list[self.at].kind {
            Kind::Mark(quote @ ('"' | '\'')) => Some(quote),
            _ => None,
        };
        let start = self.at + usize::from(quote.is_some());
        let ends = |token: &Token<'_>| match (quote, token.kind) {
            (Some(quote), kind) => kind == Kind::Mark(quote),
            (None, kind) => matches!(kind, Kind::Mark(',' | ':' | '}' | ']')),
        };
        let end = start + self.list[start..].iter().take_while(|token| !ends(token)).count();
        self.at = self.list.len().min(end + usize::from(quote.is_some()));
        let colon = self.list.get(self.at).is_some_and(|token| token.kind == Kind::Mark(':'));
        let in_object = self.stack.last().is_some_and(|level| !level.is_list);
        if colon && in_object && self.key.is_none() {
            self.key = Some(start..end);
        } else if start < end {
            self.value(start..end);
        }
    }

    fn value(&mut self, value: Range<usize>) {
        let own = self.key.take();
        let outer = self.stack.iter().rev().filter_map(|level| level.key.clone());
        let keys: Vec<Range<usize>> = own.into_iter().chain(outer).collect();
        let Some(inner) = keys.first() else { return };
        let Some(word) = self.word(inner) else { return };
        let outer_slot = keys.iter().skip(1).find_map(|key| self.slot(key));
        let own_slot = self.slot(inner).filter(|slot| slot.may_be_listed());
        let of_candle = outer_slot.is_none() && own_slot.is_none() && CANDLE.contains(&word);
        if SECRETS.contains(&word) || of_candle {
            return;
        }
        let outer = keys.iter().skip(1).find(|key| self.slot(key).is_some_and(Slot::may_be_listed));
        let (key, role) = match outer {
            // `entry_low` and `entry_high`.
            None if own_slot.is_some() && ENDS.contains(&word) => (inner, Role::End),
            Some(outer) if ENDS.contains(&word) => (outer, Role::End),
            Some(outer) if SHARES.contains(&word) => (outer, Role::Share),
            Some(outer) if self.slot(outer) == Some(Slot::Stop) && MANNERS.contains(&word) => {
                (outer, Role::Manner)
            }
            Some(outer) if self.slot(inner).is_none() => (outer, Role::Plain),
            _ => (inner, Role::Plain),
        };
        self.members.push(Member { key: key.clone(), role, value, object: self.objects });
    }

    /// The last word of a key: `orderPrice`, `take_profit`.
    fn word(&self, key: &Range<usize>) -> Option<&str> {
        self.list[key.clone()].iter().rev().find_map(|token| match token.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        })
    }

    fn slot(&self, key: &Range<usize>) -> Option<Slot> {
        match self.phrases.get(key.start).copied().flatten()?.meaning {
            Meaning::Label(slot) => Some(slot),
            _ => None,
        }
    }
}

struct Writer<'l, 't> {
    list: &'l [Token<'t>],
    phrases: &'l [Option<Found>],
    written: Vec<Token<'t>>,
    line: usize,
}

impl<'t> Writer<'_, 't> {
    fn write(&mut self, members: &[Member]) {
        let several = members.last().is_some_and(|last| last.object > 0);
        let mut before: Option<&Member> = None;
        let mut quotes = Quotes { members, known: None };
        let list = self.list;
        for member in members.iter().filter(|member| !is_quote(list, member)) {
            let goes_on = before.is_some_and(|before| self.is_one(before, member));
            match before {
                Some(_) if goes_on => self.join(member.role),
                Some(before) if several && before.object == member.object => {
                    self.written
                        .extend(self.list.get(member.key.start).map(|key| implied(';', key.at, self.line)));
                }
                _ => self.line += 1,
            }
            if !goes_on {
                self.key(&member.key);
            }
            self.value(member);
            if self.is_symbol(member)
                && let Some(quote) = quotes.of(list, member.object)
            {
                self.join(Role::Plain);
                self.repeat(quote);
            }
            before = Some(member);
        }
    }

    /// A value out of its order: it has no place of its own.
    fn repeat(&mut self, member: &Member) {
        let at = self.end();
        for token in &self.list[member.value.clone()] {
            self.written.push(Token { raw: "", at, line: self.line, glued: false, ..token.clone() });
        }
    }

    /// Where the last token ends: places ascend, so a key that is repeated stands there.
    fn end(&self) -> usize {
        self.written.last().map_or(0, |last| last.at + last.raw.len())
    }

    fn is_symbol(&self, member: &Member) -> bool {
        let found = self.phrases.get(member.key.start).copied().flatten();
        let one = member.value.len() == 1;
        one && found.is_some_and(|found| found.meaning == Meaning::Label(Slot::Pair))
    }

    /// True for values of one key, and for the ends of one range under two keys.
    fn is_one(&self, before: &Member, member: &Member) -> bool {
        let slot = |member: &Member| self.phrases.get(member.key.start).copied().flatten().map(|f| f.meaning);
        let ends = before.role == Role::End && member.role == Role::End;
        before.key == member.key || ends && before.object == member.object && slot(before) == slot(member)
    }

    /// What stands before a further value of the same key.
    fn join(&mut self, role: Role) {
        let mark = match role {
            Role::Plain => '/',
            Role::End => '-',
            Role::Share | Role::Manner => return,
        };
        if let Some(last) = self.written.last() {
            let mark = implied(mark, last.at + last.raw.len(), self.line);
            self.written.push(mark);
        }
    }

    fn key(&mut self, key: &Range<usize>) {
        let tokens = &self.list[key.clone()];
        let single = |word: &str| tokens.len() == 1 && PRICES.contains(&word);
        let is_end = tokens.len() > 1;
        for token in tokens {
            let kind = match token.kind {
                Kind::Word(word) if single(word) => Kind::Word("price"),
                // `take_profit_1`: a list number.
                Kind::Number(_) => continue,
                // `entry_low`: the value says which end it is.
                Kind::Word(word) if is_end && ENDS.contains(&word) => continue,
                kind => kind,
            };
            let (glued, end) = (token.at > tokens[0].at, self.end());
            let (at, raw) = if token.at < end { (end, "") } else { (token.at, token.raw) };
            self.written.push(Token { kind, raw, at, line: self.line, glued });
        }
        if matches!(self.written.last(), Some(Token { kind: Kind::Mark('_' | '-'), .. })) {
            self.written.pop();
        }
        if let Some(last) = self.written.last() {
            let sign = implied('=', last.at + last.raw.len(), self.line);
            self.written.push(sign);
        }
    }

    fn value(&mut self, member: &Member) {
        let tokens = &self.list[member.value.clone()];
        let Some(first) = tokens.first() else { return };
        let quoted = member.value.start.checked_sub(1).is_some_and(|before| {
            matches!(self.list[before].kind, Kind::Mark('"' | '\'')) && self.list[before].at < first.at
        });
        if member.role == Role::Share {
            self.written.push(implied('(', first.at.saturating_sub(1), self.line));
        }
        for token in tokens {
            let parts = if quoted { vec![token.clone()] } else { apart(token) };
            for (nth, part) in parts.into_iter().enumerate() {
                let kind = match part.kind {
                    Kind::Number(number) if member.role == Role::Share && number.unit == Unit::None => {
                        Kind::Number(Number { unit: Unit::Percent, ..number })
                    }
                    Kind::Mark(',') if !quoted => Kind::Mark('/'),
                    kind => kind,
                };
                let glued = nth > 0 || part.at > first.at && part.glued;
                self.written.push(Token { kind, line: self.line, glued, ..part });
            }
        }
        let end = self.written.last().map_or(first.at, |last| last.at + last.raw.len());
        if member.role == Role::Share {
            self.written.push(implied(')', end, self.line));
        }
    }
}

/// The quotes of objects: looked for once in each, since an object may name any number of symbols.
struct Quotes<'m> {
    members: &'m [Member],
    /// The last object that was looked at, and its quote.
    known: Option<(usize, Option<&'m Member>)>,
}

impl<'m> Quotes<'m> {
    /// The quote of an object, if it has one.
    fn of(&mut self, list: &[Token<'_>], object: usize) -> Option<&'m Member> {
        if let Some((known, quote)) = self.known
            && known == object
        {
            return quote;
        }
        let single = |member: &&Member| is_quote(list, member) && member.value.len() == 1;
        let quote = of_object(self.members, object).iter().find(single);
        self.known = Some((object, quote));
        quote
    }
}

/// The members of one object of the outermost list.
fn of_object(members: &[Member], object: usize) -> &[Member] {
    let start = members.partition_point(|member| member.object < object);
    let end = members.partition_point(|member| member.object <= object);
    &members[start..end]
}

/// `"quote": "USDT"` beside `"coin": "OP"`.
fn is_quote(list: &[Token<'_>], member: &Member) -> bool {
    let key = &list[member.key.clone()];
    matches!(key.first().map(|token| token.kind), Some(Kind::Word("quote" | "quotecurrency" | "quoteasset")))
}
