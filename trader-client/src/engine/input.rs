//! What goes into the engine and what comes out.
//!
//! Entry points: [`Input`], [`Command`], [`Note`]. Invariant: an input holds everything that a step depends on, apart
//! from the time, so that the journal's inputs reproduce every command.

use std::collections::BTreeMap;
use std::fmt;

use exchange::{ClientOrderId, Fill, OrderStatus, Pair};
use serde::{Deserialize, Serialize};
use shared::money::{Amount, Quantity};
use shared::signal::Side;
use shared::wire::EventRecord;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::policy::{Approved, Market, Rules, Span, Ticket};

/// Everything that can happen to the engine. The list is closed: the loop knows no other way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Input {
    /// The user's settings, at the start and whenever they have changed.
    Settings {
        /// The settings from now on.
        settings: Box<Settings>,
    },
    /// One line of the server's log, with the market at that moment.
    Event {
        /// The line.
        record: Box<EventRecord>,
        /// The market.
        snapshot: Box<Snapshot>,
    },
    /// The exchange's definite answer to an order.
    Placed {
        /// The order.
        id: ClientOrderId,
        /// The answer.
        answer: Answer,
    },
    /// How an order stands after its cancellation was asked for.
    Cancelled {
        /// The order.
        id: ClientOrderId,
        /// Where it stands; never `Working`.
        status: OrderStatus,
        /// How much of it was filled, whether or not those fills have arrived yet.
        filled: Quantity,
    },
    /// Executions: all that are known, so that nothing is done about one that another has overtaken.
    Filled {
        /// The executions, oldest first.
        fills: Vec<Fill>,
    },
    /// Time has passed.
    Tick,
}

impl Input {
    /// The name under which the journal keeps it.
    pub fn kind(&self) -> &'static str {
        match self {
            Input::Settings { .. } => "settings",
            Input::Event { .. } => "event",
            Input::Placed { .. } => "placed",
            Input::Cancelled { .. } => "cancelled",
            Input::Filled { .. } => "filled",
            Input::Tick => "tick",
        }
    }
}

/// The exchange's definite answer to an order. There is no "unsure" here: that is resolved before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The exchange has it.
    Accepted,
    /// It does not exist and never will.
    Refused {
        /// Why.
        reason: String,
    },
}

/// The user's settings, as far as decisions depend on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What may be traded, and how much.
    pub rules: Rules,
    /// How trades are handled.
    pub engine: Handling,
}

/// How trades are handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Handling {
    /// How long an entry may wait to be filled. A signal's own limit counts if it is shorter.
    pub entry_expiry: Span,
    /// The target (from 1) after which the stop moves to break-even; absent for never.
    pub breakeven_after_target: Option<u8>,
}

impl Default for Handling {
    fn default() -> Self {
        Self { entry_expiry: Span(time::Duration::hours(24)), breakeven_after_target: None }
    }
}

/// The account and the markets at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The cash balance; absent when the exchange did not say.
    pub balance: Option<Amount>,
    /// The markets of the pairs that matter for this event.
    #[serde(with = "markets")]
    pub markets: BTreeMap<Pair, Market>,
}

/// JSON's maps need texts as keys, so the markets are written as a list.
mod markets {
    use std::collections::BTreeMap;

    use exchange::Pair;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::policy::Market;

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Pair, Market>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Pair, Market>, D::Error> {
        Ok(Vec::<(Pair, Market)>::deserialize(from)?.into_iter().collect())
    }
}

/// What the engine wants done at the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// Send an order.
    Place {
        /// The approved order.
        ticket: Approved<Ticket>,
    },
    /// Cancel an order.
    Cancel {
        /// The order.
        id: ClientOrderId,
    },
}

impl Command {
    /// The name under which the journal keeps it.
    pub fn kind(&self) -> &'static str {
        match self {
            Command::Place { .. } => "place",
            Command::Cancel { .. } => "cancel",
        }
    }

    /// The order that it is about.
    pub fn order_id(&self) -> ClientOrderId {
        match self {
            Command::Place { ticket } => ticket.get().order.id,
            Command::Cancel { id } => *id,
        }
    }
}

/// Something that a person should be able to read afterwards: a decision, a fill, or something that was not acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When, by the engine's time.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The signal that it is about.
    pub signal: Option<Uuid>,
    /// The pair or ticker, for people.
    pub symbol: String,
    /// The direction, if it is about one.
    pub side: Option<Side>,
    /// What kind of thing happened.
    pub topic: Topic,
    /// The code of a refusal.
    pub code: Option<&'static str>,
    /// The thing in words.
    pub text: String,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A signal is traded.
    Planned,
    /// A signal waits for more witnesses.
    Waiting,
    /// A signal is not traded.
    Refused,
    /// An execution.
    Filled,
    /// Entries ended, a stop moved, a position was closed.
    Handled,
    /// An update or a change of a signal that nothing was done about, and why.
    NotActedOn,
    /// The exchange said no to something that was needed.
    Alarm,
}

impl Topic {
    /// The name under which the journal keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::Planned => "planned",
            Topic::Waiting => "waiting",
            Topic::Refused => "refused",
            Topic::Filled => "filled",
            Topic::Handled => "handled",
            Topic::NotActedOn => "not_acted_on",
            Topic::Alarm => "alarm",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
