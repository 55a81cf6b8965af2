//! Who guesses passwords is slowed down: for one account from one place, and for one account from everywhere.
//!
//! Entry points: [`Attempts::begin`] before a password is looked at, [`Attempts::succeed`] when it was right. Invariants: an
//! attempt counts when it begins, so that a thousand at once are not one; names that nobody has are treated as names that
//! somebody has. Lives in this process: with several servers a guesser has as many tries for each of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};

use crate::edge::places::Household;

/// How often one may be wrong from one place before waiting: fingers slip.
const FREE_TRIES: u32 = 10;
/// The longest wait after a wrong password. It begins with a second and doubles.
const LONGEST_WAIT: Duration = Duration::minutes(15);
/// How many attempts an account gets in an hour from places that it has never signed in from: a password that passed our
/// check withstands that for longer than it will be in use.
const STRANGERS_AN_HOUR: u32 = 100;
/// How many places and names are remembered: some hundred bytes each.
const MOST_REMEMBERED: usize = 20_000;

/// What an attempt must know of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The name, in small letters.
    name: String,
    /// Where it comes from; all that nothing is known of count as one place.
    place: Option<Household>,
}

/// Why a password is not looked at now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Too many were wrong from this place.
    Wait(Duration),
    /// Too many strangers try this account. Who has been there before may go on.
    Stranger(Duration),
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: OffsetDateTime,
}

#[derive(Debug, Default)]
struct Memory {
    by_place: HashMap<Attempt, Tries>,
    /// The attempts of strangers, counted from the beginning of an hour of their own.
    by_name: HashMap<String, Tries>,
}

/// The attempts of the last hours.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<Memory>);

impl Attempt {
    /// An attempt to sign in under this name.
    pub fn new(name: &str, place: Option<Household>) -> Self {
        Self { name: name.to_lowercase(), place }
    }
}

impl Attempts {
    /// Counts an attempt and says whether its password is looked at. `is_familiar` is true when its account was signed in to
    /// from this place before.
    pub fn begin(&self, attempt: &Attempt, is_familiar: bool, now: OffsetDateTime) -> Result<(), Held> {
        let mut memory = self.memory();
        memory.make_room(now);
        let here = memory.by_place.get(attempt).copied().unwrap_or(Tries { count: 0, last: now });
        let pause = wait_after(here.count);
        let wait = here.last + pause - now;
        // Of several at once one may come later that began earlier: the last one's time can lie after this one's.
        if pause.is_positive() && wait.is_positive() {
            return Err(Held::Wait(wait));
        }
        if !is_familiar {
            let hour = memory.by_name.entry(attempt.name.clone()).or_insert(Tries { count: 0, last: now });
            if now - hour.last >= Duration::HOUR {
                *hour = Tries { count: 0, last: now };
            }
            if hour.count >= STRANGERS_AN_HOUR {
                return Err(Held::Stranger(hour.last + Duration::HOUR - now));
            }
            hour.count += 1;
        }
        memory.by_place.insert(attempt.clone(), Tries { count: here.count.saturating_add(1), last: now });
        Ok(())
    }

    /// Forgets what was wrong from this place.
    pub fn succeed(&self, attempt: &Attempt) {
        self.memory().by_place.remove(attempt);
    }

    /// Takes an attempt back whose password was not looked at after all.
    pub fn take_back(&self, attempt: &Attempt) {
        if let Some(tries) = self.memory().by_place.get_mut(attempt) {
            tries.count = tries.count.saturating_sub(1);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Each change is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Forgets what no longer holds anybody back, when there is much to remember.
    fn make_room(&mut self, now: OffsetDateTime) {
        if self.by_place.len() >= MOST_REMEMBERED {
            self.by_place.retain(|_, tries| tries.count >= FREE_TRIES && now - tries.last < LONGEST_WAIT * 2);
        }
        if self.by_name.len() >= MOST_REMEMBERED {
            self.by_name.retain(|_, tries| tries.count >= FREE_TRIES && now - tries.last < Duration::HOUR);
        }
        // Twenty thousand guessers who are all held back: begin anew rather than grow.
        if self.by_place.len() >= MOST_REMEMBERED || self.by_name.len() >= MOST_REMEMBERED {
            tracing::warn!("passwords are guessed from too many places to remember them: forgetting all");
            *self = Self::default();
        }
    }
}

/// How long to wait after so many wrong ones in a row.
fn wait_after(count: u32) -> Duration {
    match count.checked_sub(FREE_TRIES) {
        None => Duration::ZERO,
        // Beyond 2^10 seconds the longest wait is reached.
        Some(beyond) => Duration::seconds(1 << beyond.min(10)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

    fn place(number: u32) -> Option<Household> {
        Some(IpAddr::from(number.to_be_bytes()).into())
    }

    /// How many of so many attempts, one every so often, reach the password.
    fn looked_at(
        attempts: &Attempts,
        count: u32,
        step: Duration,
        place_of: impl Fn(u32) -> Option<Household>,
    ) -> usize {
        let tries = (0..count).filter(|number| {
            attempts.begin(&Attempt::new("Ana", place_of(*number)), false, NOON + step * *number).is_ok()
        });
        tries.count()
    }

    #[test]
    fn of_a_thousand_guesses_from_one_place_fifteen_are_looked_at() {
        let attempts = Attempts::default();
        let looked_at = looked_at(&attempts, 1000, Duration::milliseconds(10), |_| place(1));
        assert!((10..=15).contains(&looked_at), "{looked_at}");
        let at_once = Attempts::default();
        assert_eq!(self::looked_at(&at_once, 1000, Duration::ZERO, |_| place(1)), 10);
    }

    #[test]
    fn of_a_thousand_guesses_from_two_hundred_places_a_hundred_an_hour_are_looked_at_and_the_owner_gets_in() {
        let attempts = Attempts::default();
        let looked_at = looked_at(&attempts, 1000, Duration::seconds(3), |number| place(number % 200));
        assert_eq!(looked_at, 100);
        let owner = Attempt::new("ana", place(7_000));
        assert!(matches!(
            attempts.begin(&owner, false, NOON + Duration::minutes(50)),
            Err(Held::Stranger(_))
        ));
        assert_eq!(attempts.begin(&owner, true, NOON + Duration::minutes(50)), Ok(()));
        assert_eq!(attempts.begin(&owner, false, NOON + Duration::hours(2)), Ok(()));
    }

    #[test]
    fn whoever_tries_at_the_same_time_as_others_need_not_wait_for_them() {
        let (attempts, ana) = (Attempts::default(), Attempt::new("ana", place(1)));
        attempts.begin(&ana, false, NOON).unwrap();
        assert_eq!(attempts.begin(&ana, false, NOON - Duration::milliseconds(200)), Ok(()));
    }

    #[test]
    fn all_addresses_of_a_network_are_one_place() {
        let attempts = Attempts::default();
        let address = |number: u32| format!("2001:db8:1:2::{number:x}").parse::<IpAddr>().ok();
        let looked_at =
            looked_at(&attempts, 100, Duration::ZERO, |number| address(number).map(Household::from));
        assert_eq!(looked_at, 10);
    }

    #[test]
    fn waits_double_up_to_a_limit_and_end_with_the_right_password() {
        assert_eq!(wait_after(9), Duration::ZERO);
        assert_eq!([10, 11, 12].map(wait_after), [1, 2, 4].map(Duration::seconds));
        assert_eq!((wait_after(20), wait_after(u32::MAX)), (LONGEST_WAIT, LONGEST_WAIT));
        let (attempts, ana) = (Attempts::default(), Attempt::new("ana", place(1)));
        for _ in 0..10 {
            attempts.begin(&ana, true, NOON).unwrap();
        }
        assert_eq!(attempts.begin(&ana, true, NOON), Err(Held::Wait(Duration::SECOND)));
        attempts.succeed(&ana);
        assert_eq!(attempts.begin(&ana, true, NOON), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..50_000 {
            let name = format!("name{number}");
            attempts.begin(&Attempt::new(&name, place(number)), false, NOON).unwrap();
        }
        let memory = attempts.memory();
        assert!(memory.by_place.len() <= MOST_REMEMBERED && memory.by_name.len() <= MOST_REMEMBERED);
    }
}
