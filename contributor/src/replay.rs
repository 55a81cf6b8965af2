//! A replay: what waits in the outbox is sent in the order in which it came to be, with the original pauses shortened.
//!
//! Entry point: [`play`]. Edits and deletes come at their own times, so that several exports of several channels become one
//! story. A replay that is stopped goes on with the rest when it is run again.

use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

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

    /// How far the story is after it has been told for so long.
    fn stretch(self, told: Duration) -> time::Duration {
        time::Duration::checked_seconds_f64(told.as_secs_f64() * self.0).unwrap_or(time::Duration::MAX)
    }
}

/// Sends everything that waits, each revision when its time has come.
pub async fn play(outbox: &Outbox, api: &Api, speed: Speed, clock: Clock) -> Result<Sent, Failure> {
    outbox.release().await?;
    outbox.put_in_order().await?;
    let mut sent = Sent::default();
    let next = async || Ok(outbox.first_occurrence().await?);
    let tell = async |until| {
        sent.add(sender::drain_until(outbox, api, clock, until).await?);
        Ok(())
    };
    tell_in_time(speed, next, tell).await?;
    Ok(sent)
}

/// Tells a story from its first occurrence on. `next` says when the next part came to be; `tell` tells all parts up to a
/// time. Whatever is due is told in one go, so that a story that is faster than its telling is not told piece by piece.
async fn tell_in_time(
    speed: Speed,
    next: impl AsyncFn() -> Result<Option<OffsetDateTime>, Failure>,
    mut tell: impl AsyncFnMut(OffsetDateTime) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(start) = next().await? else { return Ok(()) };
    let began = Instant::now();
    while let Some(next) = next().await? {
        tokio::time::sleep(speed.shorten(next - start).saturating_sub(began.elapsed())).await;
        // Never less than the part that was waited for, however the factors are rounded.
        let due = start.saturating_add(speed.stretch(began.elapsed())).max(next);
        tell(due).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-05-01 12:00 UTC);

    /// Tells parts that came to be at these minutes, sixty times as fast; telling takes so many seconds. Returns the second
    /// in which each part was told, on the paused clock.
    async fn told(minutes: &[i64], telling: u64) -> Vec<u64> {
        let began = Instant::now();
        let left: RefCell<VecDeque<i64>> = RefCell::new(minutes.iter().copied().collect());
        let mut seconds = Vec::new();
        let at = |minute: i64| START + time::Duration::minutes(minute);
        let next = async || Ok(left.borrow().front().map(|minute| at(*minute)));
        let tell = async |until: OffsetDateTime| {
            while left.borrow().front().is_some_and(|minute| at(*minute) <= until) {
                left.borrow_mut().pop_front();
                seconds.push(began.elapsed().as_secs());
            }
            tokio::time::advance(Duration::from_secs(telling)).await;
            Ok(())
        };
        tell_in_time(Speed(60.0), next, tell).await.unwrap();
        seconds
    }

    #[tokio::test(start_paused = true)]
    async fn the_original_spacing_is_kept_and_shortened() {
        assert_eq!(told(&[0, 10, 10, 25, 1440], 0).await, [0, 10, 10, 25, 1440]);
        assert!(told(&[], 0).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn telling_takes_no_time_from_the_story_and_what_is_late_is_told_in_one_go() {
        assert_eq!(told(&[0, 10, 20], 3).await, [0, 10, 20], "telling is not added to the pauses");
        assert_eq!(told(&[0, 1, 2, 6, 7, 60], 5).await, [0, 5, 5, 10, 10, 60]);
    }

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
