//! An update in the words of the batch contract.
//!
//! Entry point: [`UpdateForm::of`]. The contract has one update a post: several of ours become one of scope `multi`.

use serde::Serialize;

use super::signal_form::{EntryForm, StopForm};
use crate::money::{Percent, Price};
use crate::signal::{Entry, Side, Stop, Symbol};
use crate::update::{Action, Scope, SignalUpdate, StopMove};

/// One update. Every key but `items` is always there.
#[derive(Default, Serialize)]
pub(super) struct UpdateForm<'r> {
    base: Option<&'r Symbol>,
    /// The reader does not keep it: a ticker is enough to find an open signal.
    quote: Option<&'r Symbol>,
    side: Option<Side>,
    scope: &'static str,
    signal_ref: Option<&'r str>,
    actions: Vec<ActionForm<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemForm<'r>>,
}

/// What an update of several symbols says of one of them.
#[derive(Serialize)]
struct ItemForm<'r> {
    base: Option<&'r Symbol>,
    actions: Vec<ActionForm<'r>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ActionForm<'r> {
    TpHit {
        index: Indices<'r>,
    },
    EntryFilled {
        #[serde(skip_serializing_if = "Option::is_none")]
        index: Option<Indices<'r>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        price: Option<Price>,
    },
    MoveSl {
        to: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        price: Option<Price>,
    },
    TrailSl {
        #[serde(skip_serializing_if = "Option::is_none")]
        pct: Option<Percent>,
    },
    PartialClose {
        #[serde(skip_serializing_if = "Option::is_none")]
        pct: Option<Percent>,
    },
    Close,
    Cancel,
    SlHit,
    StoppedBreakeven,
    Add(EntryAction<'r>),
    Reentry(EntryAction<'r>),
    ModifyEntry(EntryAction<'r>),
    ModifyTp {
        tps: &'r [Price],
        mode: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        index: Option<[u8; 1]>,
    },
}

#[derive(Serialize)]
struct EntryAction<'r> {
    entry: EntryForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    sl: Option<StopForm<'r>>,
}

/// Numbers counted from 1, or all of them.
#[derive(Serialize)]
#[serde(untagged)]
enum Indices<'r> {
    Some(&'r [u8]),
    All(&'static str),
}

impl<'r> UpdateForm<'r> {
    /// The form of all updates of a verdict; none if there are none.
    pub(super) fn of(updates: &'r [SignalUpdate]) -> Option<Self> {
        match updates {
            [] => None,
            [update] => Some(Self { actions: actions(update), ..scoped(&update.scope) }),
            several => Some(Self {
                scope: "multi",
                items: several.iter().map(ItemForm::from).collect(),
                ..Self::default()
            }),
        }
    }
}

impl<'r> From<&'r SignalUpdate> for ItemForm<'r> {
    fn from(update: &'r SignalUpdate) -> Self {
        Self { base: scoped(&update.scope).base, actions: actions(update) }
    }
}

/// The keys that say which signal is meant.
fn scoped(scope: &Scope) -> UpdateForm<'_> {
    let form = UpdateForm::default();
    match scope {
        Scope::Reply { base } => UpdateForm { scope: "reply", base: base.as_ref(), ..form },
        Scope::Symbol { base, side } => UpdateForm { scope: "symbol", base: Some(base), side: *side, ..form },
        Scope::Reference { reference, base } => {
            UpdateForm { scope: "id", signal_ref: Some(reference), base: base.as_ref(), ..form }
        }
        Scope::Last => UpdateForm { scope: "last", ..form },
        Scope::All { side: None } => UpdateForm { scope: "all", ..form },
        Scope::All { side: Some(Side::Long) } => UpdateForm { scope: "all_longs", ..form },
        Scope::All { side: Some(Side::Short) } => UpdateForm { scope: "all_shorts", ..form },
    }
}

/// The side that the update names, for stops that wait for a close.
fn side(scope: &Scope) -> Option<Side> {
    match scope {
        Scope::Symbol { side, .. } | Scope::All { side } => *side,
        Scope::Reply { .. } | Scope::Reference { .. } | Scope::Last => None,
    }
}

fn actions(update: &SignalUpdate) -> Vec<ActionForm<'_>> {
    update.actions.iter().map(|one| action(one, side(&update.scope))).collect()
}

fn action(action: &Action, side: Option<Side>) -> ActionForm<'_> {
    match action {
        Action::TargetHit { targets } if targets.is_empty() => {
            ActionForm::TpHit { index: Indices::All("all") }
        }
        Action::TargetHit { targets } => ActionForm::TpHit { index: Indices::Some(targets) },
        Action::EntryFilled { entries, price } => {
            let index = (!entries.is_empty()).then_some(Indices::Some(entries));
            ActionForm::EntryFilled { index, price: *price }
        }
        Action::MoveStop { to } => stop_move(to),
        Action::TrailStop { percent } => ActionForm::TrailSl { pct: *percent },
        Action::PartClose { share } => ActionForm::PartialClose { pct: *share },
        Action::Close => ActionForm::Close,
        Action::Cancel => ActionForm::Cancel,
        Action::StoppedOut => ActionForm::SlHit,
        Action::StoppedAtBreakEven => ActionForm::StoppedBreakeven,
        Action::Add { entry, stop } => ActionForm::Add(EntryAction::of(entry, stop.as_ref(), side)),
        Action::Reenter { entry, stop } => ActionForm::Reentry(EntryAction::of(entry, stop.as_ref(), side)),
        Action::SetEntry { entry } => ActionForm::ModifyEntry(EntryAction::of(entry, None, side)),
        Action::AddTargets { prices } => ActionForm::ModifyTp { tps: prices, mode: "append", index: None },
        Action::SetTargets { prices } => ActionForm::ModifyTp { tps: prices, mode: "set", index: None },
        Action::ReplaceTarget { target, price } => ActionForm::ModifyTp {
            tps: std::slice::from_ref(price),
            mode: "replace_index",
            index: Some([*target]),
        },
    }
}

fn stop_move(to: &StopMove) -> ActionForm<'static> {
    match to {
        StopMove::BreakEven => ActionForm::MoveSl { to: "breakeven".to_owned(), price: None },
        StopMove::Target { target } => ActionForm::MoveSl { to: format!("tp{target}"), price: None },
        StopMove::Price { price } => ActionForm::MoveSl { to: "price".to_owned(), price: Some(*price) },
    }
}

impl<'r> EntryAction<'r> {
    fn of(entry: &Entry, stop: Option<&'r Stop>, side: Option<Side>) -> Self {
        let side = side.or_else(|| side_of(entry, stop?));
        Self { entry: EntryForm::from(entry), sl: stop.map(|stop| StopForm::of(stop, side)) }
    }
}

/// Where the text names no direction, the prices do: only a short's stop stands above its entries.
fn side_of(entry: &Entry, stop: &Stop) -> Option<Side> {
    let (first, stop) = (*entry.prices().first()?, stop.price()?);
    Some(if stop > first { Side::Short } else { Side::Long })
}
