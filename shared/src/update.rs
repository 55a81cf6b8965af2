//! An update: a follow-up to a signal that was posted before.
//!
//! Entry point: [`SignalUpdate`]. The text of an update says *what* happened ([`Action`]) and *to which* signal
//! ([`Scope`]); binding a scope to one stored signal is the server's decision, because only it knows the others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::{Percent, Price};
use crate::signal::{Side, Symbol};

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
    EntryFilled,
    /// The stop is to be moved.
    MoveStop {
        /// Where to.
        to: StopMove,
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
