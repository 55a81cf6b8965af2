//! Habits: what a channel's profile fills in where a post says nothing.
//!
//! Entry points: [`Habits::of`], [`Habits::fill`]. Invariants: what a post says stands; nothing here loosens a check, because a
//! draft is filled before it is checked.

use super::pieces::Piece;
use super::profile::ChannelProfile;
use super::words::Meaning;
use crate::signal::{Market, SignalDraft, Symbol};

/// The habits of the channel that a text is from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habits<'h> {
    quote: Option<&'h Symbol>,
    market: Option<Market>,
    /// True where bare prices below a thousand may mean thousands.
    pub(super) thousands: bool,
}

impl<'h> Habits<'h> {
    /// The habits of a profile. Options need terms, so that no habit makes one.
    pub(super) fn of(profile: &'h ChannelProfile) -> Self {
        let fields = profile.fields();
        let market = fields.market.filter(|market| *market != Market::Option);
        Self { quote: fields.quote.as_ref(), market, thousands: fields.thousands }
    }

    /// Fills in the quote and the market that a post does not name. Premiums have quotes of their own.
    pub(super) fn fill(self, draft: &mut SignalDraft, list: &[Piece<'_>]) {
        let instrument = &mut draft.instrument;
        if instrument.option.is_some() {
            return;
        }
        if instrument.quote.is_none() {
            instrument.quote = self.quote.cloned();
        }
        let named = |piece: &Piece<'_>| piece.what.is(Meaning::Spot) || piece.what.is(Meaning::Futures);
        if instrument.market.is_none() && !list.iter().any(named) {
            instrument.market = self.market;
        }
    }
}
