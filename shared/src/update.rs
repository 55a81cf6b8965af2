//! An update: a follow-up to a signal that was posted before.
//!
//! Entry point: [`SignalUpdate`]. The text of an update says *what* happened ([`Action`]) and *to which* signal
//! ([`Scope`]); binding a scope to one stored signal is the server's decision, because only it knows the others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::{Percent, Price};
use crate::signal::{Entry, Side, Stop, Symbol};

/// What a follow-up says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignalUpdate {
    /// Which signal it is about, in the post's own terms.
    pub scope: Scope,
    /// What happened or is asked for, in the order of the text; never empty.
    pub actions: Vec<Action>,
}

/// Which signal an update is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
// The scope of a credential has the same name.
#[schema(as = UpdateScope)]
pub enum Scope {
    /// The signal of the post that this one answers.
    Reply {
        /// The ticker, if the text names it: it must then agree with the signal.
        base: Option<Symbol>,
    },
    /// The author's newest open signal on a ticker in the same channel; the newest one when all have ended.
    Symbol {
        /// The ticker.
        base: Symbol,
        /// The direction, if the text names it.
        side: Option<Side>,
    },
    /// The author's signal with this number or id of the author's own, in the same channel.
    Reference {
        /// The number or id, without `#`.
        reference: String,
        /// The ticker, if the text names it: it must then agree with the signal.
        base: Option<Symbol>,
    },
    /// No ticker and no reply: the author's newest open signal in the channel; the newest one when all have ended.
    Last,
    /// Every open signal of the author in the channel.
    All {
        /// Only those of this direction.
        side: Option<Side>,
    },
}

/// One thing that an update says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Targets were reached, counted from 1. An empty list means all of them.
    TargetHit {
        /// The targets' numbers.
        targets: Vec<u8>,
    },
    /// The entry was filled.
    EntryFilled {
        /// Which entries, counted from 1; empty when the text does not say.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entries: Vec<u8>,
        /// The price of the fill, if stated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<Price>,
    },
    /// The stop is to be moved.
    MoveStop {
        /// Where to.
        to: StopMove,
    },
    /// The stop is to follow the price.
    TrailStop {
        /// How far behind it, in per cent of the price, if stated.
        percent: Option<Percent>,
    },
    /// A part of the position is to be closed.
    PartClose {
        /// Which part, if stated.
        share: Option<Percent>,
    },
    /// The position is to be closed.
    Close,
    /// The call is withdrawn: nothing more is to be entered.
    Cancel,
    /// The stop was hit.
    StoppedOut,
    /// The stop was hit at the entry: neither profit nor loss.
    StoppedAtBreakEven,
    /// More is to be bought (or sold) for a position that is open.
    Add {
        /// Where.
        entry: Entry,
        /// The stop of the whole, if it changes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<Stop>,
    },
    /// The trade is to be entered again after it ended.
    Reenter {
        /// Where.
        entry: Entry,
        /// The stop of the new attempt, if stated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<Stop>,
    },
    /// The entry is replaced, for as far as it is not filled.
    SetEntry {
        /// The new entry.
        entry: Entry,
    },
    /// Further targets are added behind the known ones.
    AddTargets {
        /// Their prices, nearest first.
        prices: Vec<Price>,
    },
    /// One target is replaced.
    ReplaceTarget {
        /// Its number, counted from 1.
        target: u8,
        /// Its new price.
        price: Price,
    },
    /// The targets are replaced.
    SetTargets {
        /// The new target prices, nearest first.
        prices: Vec<Price>,
    },
}

/// Where a stop is moved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StopMove {
    /// To the entry.
    BreakEven,
    /// To a target that was reached, counted from 1.
    Target {
        /// The target's number.
        target: u8,
    },
    /// To a price.
    Price {
        /// The price.
        price: Price,
    },
}
