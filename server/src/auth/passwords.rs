//! Passwords: argon2id on a fixed set of threads, each with memory of its own that it uses again.
//!
//! Entry points: [`Hashers::start`], [`Hashers::hash`], [`Hashers::is_right`], [`check_new`]. Invariants: a check costs the
//! same whether there is a password to compare with or not; no more than [`MOST_WAITING`] checks wait, and the next caller
//! is told to come back. (A semaphore over `spawn_blocking` was measured: 200 logins took a gigabyte; this takes 40 MiB.)

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use launch::secret::Secret;
use tokio::sync::oneshot;

/// The most threads that hash: a login takes 50 ms of one, and the other work of the server must go on.
const MOST_THREADS: usize = 4;
/// How many jobs may wait: the last of them waits less than two seconds on one thread.
const MOST_WAITING: usize = 32;
/// OWASP's minimum, and the crate's default: 19 MiB, two passes, one lane.
const PARAMS: Params = Params::DEFAULT;
/// Short passwords are guessed, and longer ones than any person's are for keeping us busy.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=128;
/// How many guesses a password must withstand, as a power of ten: beyond what a thousand stolen machines try in a year
/// against argon2id is 12; that what is common is refused at all needs 8.
const LEAST_GUESSES_LOG10: f64 = 8.0;

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotHashed {
    /// Too many jobs wait.
    #[error("too many people sign in at this moment")]
    Busy,
    /// The threads are gone, or the stored hash is none.
    #[error("a defect: {0}")]
    Defect(String),
}

enum Job {
    Hash(Secret, oneshot::Sender<Result<String, NotHashed>>),
    Check(Secret, Option<Secret>, oneshot::Sender<Result<bool, NotHashed>>),
}

/// The threads that hash. They end when this is dropped.
#[derive(Debug)]
pub struct Hashers {
    jobs: SyncSender<Job>,
}

impl Hashers {
    /// Starts the threads.
    pub fn start() -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(MOST_WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for number in 0..cores.min(MOST_THREADS) {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new().name(format!("hasher-{number}")).spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    /// The hash of a new password, in PHC form.
    pub async fn hash(&self, password: Secret) -> Result<String, NotHashed> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Job::Hash(password, answer))?;
        answered.await.map_err(|_| gone())?
    }

    /// Whether this is the password of that hash. Without a hash it is not, after the same work.
    pub async fn is_right(&self, password: Secret, hash: Option<Secret>) -> Result<bool, NotHashed> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Job::Check(password, hash, answer))?;
        answered.await.map_err(|_| gone())?
    }

    fn enqueue(&self, job: Job) -> Result<(), NotHashed> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => NotHashed::Busy,
            TrySendError::Disconnected(_) => gone(),
        })
    }
}

fn gone() -> NotHashed {
    NotHashed::Defect("the hashing threads are gone".into())
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    let mut memory = vec![Block::default(); PARAMS.block_count()];
    loop {
        // Whoever holds the lock waits for the next job; the others wait for the lock.
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Who has asked may have left meanwhile; then there is nothing to do, or nobody to tell.
        match job {
            Ok(Job::Hash(password, answer)) if !answer.is_closed() => {
                let _left = answer.send(hash(&password, &mut memory));
            }
            Ok(Job::Check(password, known, answer)) if !answer.is_closed() => {
                let _left = answer.send(is_right(&password, known.as_ref(), &mut memory));
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn defect(error: impl std::fmt::Display) -> NotHashed {
    NotHashed::Defect(format!("hashing a password: {error}"))
}

fn output(
    password: &Secret,
    salt: &[u8],
    (params, memory): (Params, &mut Vec<Block>),
) -> Result<Output, NotHashed> {
    memory.resize(params.block_count(), Block::default());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, memory)
        .map_err(defect)?;
    Output::new(&output).map_err(defect)
}

fn hash(password: &Secret, memory: &mut Vec<Block>) -> Result<String, NotHashed> {
    let mut salt = [0; Salt::RECOMMENDED_LENGTH];
    getrandom::fill(&mut salt).map_err(defect)?;
    let hash = PasswordHash {
        algorithm: Ident::new(Algorithm::Argon2id.as_str()).map_err(defect)?,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&PARAMS).map_err(defect)?,
        salt: Some(Salt::new(&salt).map_err(defect)?),
        hash: Some(output(password, &salt, (PARAMS, memory))?),
    };
    Ok(hash.to_string())
}

fn is_right(password: &Secret, known: Option<&Secret>, memory: &mut Vec<Block>) -> Result<bool, NotHashed> {
    let Some(known) = known else {
        output(password, &[0; Salt::RECOMMENDED_LENGTH], (PARAMS, memory))?;
        return Ok(false);
    };
    let known = PasswordHash::new(known.expose()).map_err(defect)?;
    let params = Params::try_from(&known).map_err(defect)?;
    let (Some(salt), Some(hash)) = (known.salt, known.hash) else { return Err(defect("no salt or no hash")) };
    // Outputs are compared in constant time.
    Ok(output(password, &salt, (params, memory))? == hash)
}

/// Whether a stored hash was made as we make them today. One that was not is made anew when its password is known again.
pub fn is_current(hash: &Secret) -> bool {
    let work = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    let current = |hash: PasswordHash| {
        hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && hash.version == Some(Version::V0x13.into())
            && Params::try_from(&hash).is_ok_and(|its| work(&its) == work(&PARAMS))
    };
    PasswordHash::new(hash.expose()).is_ok_and(current)
}

/// Refuses a password that is easy to guess: a short one, a common one, one made from the name.
pub fn check_new(password: &Secret, name: &str) -> Result<(), String> {
    let text = password.expose();
    let length = text.chars().count();
    if !LENGTHS.contains(&length) {
        return Err(format!(
            "a password has {} to {} characters, not {length}",
            LENGTHS.start(),
            LENGTHS.end()
        ));
    }
    let judged = zxcvbn::zxcvbn(text, &[name, "callboard"]);
    if judged.guesses_log10() < LEAST_GUESSES_LOG10 {
        let why =
            judged.feedback().and_then(|feedback| feedback.warning()).map(|warning| format!(" ({warning})"));
        return Err(format!(
            "this password is easy to guess{}: take a longer or rarer one",
            why.unwrap_or_default()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_one_is() {
        let hashers = Hashers::start().unwrap();
        let hash = hashers.hash(secret("correct horse battery staple")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(is_current(&secret(&hash)));
        for (from, to) in [("m=19456", "m=9728"), ("t=2", "t=1"), ("argon2id", "argon2i"), ("v=19", "v=16")] {
            assert!(!is_current(&secret(&hash.replace(from, to))), "{to}");
        }
        let again = hashers.hash(secret("correct horse battery staple")).await.unwrap();
        assert_ne!(hash, again, "each has a salt of its own");
        for (text, expected) in
            [("correct horse battery staple", true), ("Correct horse battery staple", false), ("", false)]
        {
            assert_eq!(
                hashers.is_right(secret(text), Some(secret(&hash))).await.unwrap(),
                expected,
                "{text}"
            );
        }
        assert!(!hashers.is_right(secret("correct horse battery staple"), None).await.unwrap());
        assert!(hashers.is_right(secret("x"), Some(secret("no hash"))).await.is_err());
    }

    #[tokio::test]
    async fn no_more_jobs_wait_than_there_is_room_for() {
        let hashers = Hashers::start().unwrap();
        let jobs = (0..200).map(|_| hashers.is_right(secret("whatever it is"), None));
        let outcomes = futures_util::future::join_all(jobs).await;
        let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(NotHashed::Busy))).count();
        let most = MOST_WAITING + 2 * MOST_THREADS;
        assert!(busy >= 200 - most, "{busy} of 200 were told to come back");
        assert!(outcomes.iter().any(Result::is_ok));
    }

    #[test]
    fn passwords_that_are_easy_to_guess_are_refused() {
        for bad in [
            "short",
            "password1234",
            "123456789012",
            "qwertyuiop123",
            "aaaaaaaaaaaaaaaa",
            "iloveyou1234",
            "ana.example1",
            "callboardcallboard",
            &"x9".repeat(65),
        ] {
            assert!(check_new(&secret(bad), "ana.example").is_err(), "{bad}");
        }
        for good in [
            "correct horse battery staple",
            "Tr7-vVq.92kLmw",
            "die drei Eulen fliegen",
            "日本語のパスワードは長い文です",
        ] {
            assert_eq!(check_new(&secret(good), "ana"), Ok(()), "{good}");
        }
    }
}
