//! The one place that reads the machine's clock. Everything else takes `now` as a parameter.

use time::OffsetDateTime;

/// The machine's time, to the microsecond: as fine as the databases keep it, so that a stored time equals the given one.
#[expect(clippy::disallowed_methods, reason = "this is the edge where the ambient clock enters")]
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.nanosecond() / 1000 * 1000).unwrap_or(now)
}
