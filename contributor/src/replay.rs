//! A replay: what waits in the outbox is sent in the order in which it came to be, with the original pauses shortened.
//!
//! Entry point: [`play`]. Edits and deletes come at their own times, so that several exports of several channels become one
//! story. A replay that is stopped goes on with the rest when it is run again.

use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;

use crate::Clock;
use crate::api::Api;
use crate::failure::Failure;
use crate::outbox::{Outbox, Sent};
use crate::sender;

/// How many times faster than the original a replay is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let factor: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
        if factor.is_finite() && factor > 0.0 {
            return Ok(Self(factor));
        }
        Err(format!("`{text}` must be more than 0, such as 86400 for a day in a second"))
    }
}

impl Speed {
    /// The wait that stands for an original one.
    fn shorten(self, original: time::Duration) -> Duration {
        Duration::try_from_secs_f64(original.as_seconds_f64().max(0.0) / self.0).unwrap_or(Duration::MAX)
    }
}

/// Sends everything that waits, each revision when its time has come.
pub async fn play(outbox: &Outbox, api: &Api, speed: Speed, clock: Clock) -> Result<Sent, Failure> {
    outbox.put_in_order().await?;
    let mut sent = Sent::default();
    let mut before: Option<OffsetDateTime> = None;
    while let Some(next) = outbox.first_occurrence().await? {
        if let Some(before) = before.replace(next) {
            tokio::time::sleep(speed.shorten(next - before)).await;
        }
        sent.add(sender::drain_until(outbox, api, clock, next).await?);
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_factor_above_zero() {
        let day: Speed = "86400".parse().unwrap();
        assert_eq!(day.shorten(time::Duration::DAY), Duration::from_secs(1));
        assert_eq!(day.shorten(-time::Duration::DAY), Duration::ZERO, "out of order means at once");
        let slow: Speed = "0.000001".parse().unwrap();
        assert_eq!(slow.shorten(time::Duration::MAX), Duration::MAX, "no gap is capped or overflows");
        for bad in ["0", "-1", "NaN", "inf", "fast"] {
            assert!(bad.parse::<Speed>().is_err(), "{bad}");
        }
    }
}
