//! Who may do what, right now: the one place where a credential becomes a caller.
//!
//! Entry points: [`Authority::standing`] for each request and socket, [`Authority::follow`] as a task. What was looked up is
//! remembered until the database tells that it has changed (NOTIFY, sent in the transaction that changes it).
//! Invariants: nothing remembered is used unless the database has answered within [`TRUSTED_FOR`] on the very connection
//! that brings the changes; without that each request asks the database, and when it is away, nobody gets in. What was
//! looked up before a change is not remembered after it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::wire::CredentialKind;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::store::keys::{self, Standing};
use crate::store::{StoreError, authority, sessions};

/// How often the database is asked for a sign of life.
const BEAT: Duration = Duration::from_millis(250);
/// For how long a sign of life counts. A change is in force everywhere within a second, also where its message was lost.
const TRUSTED_FOR: Duration = Duration::from_millis(900);
/// How long to wait for a sign of life before the connection counts as dead.
const BEAT_LIMIT: Duration = Duration::from_secs(3);
/// The pause after the connection was lost.
const PAUSE: Duration = Duration::from_millis(250);
/// How many credentials are remembered: some 300 bytes each. Beyond that all are forgotten and looked up again.
const MOST_REMEMBERED: usize = 10_000;
/// How often the last uses of keys are written down.
const NOTE_USES_EVERY: Duration = Duration::from_secs(10);

/// What a caller has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An API key, by its SHA-256.
    Key([u8; 32]),
    /// The access token of this session.
    Session(Uuid),
}

impl Credential {
    /// What kind of credential it is.
    pub fn kind(self) -> CredentialKind {
        match self {
            Self::Key(_) => CredentialKind::ApiKey,
            Self::Session(_) => CredentialKind::Session,
        }
    }
}

/// Looks up callers and remembers them. Cheap to share.
#[derive(Debug)]
pub struct Authority {
    pool: PgPool,
    memory: Mutex<Memory>,
    /// Counts the changes that were told.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Memory {
    callers: HashMap<Credential, Arc<Standing>>,
    /// When the database was last asked a question that it answered.
    confirmed: Option<Instant>,
    /// The last use of each key since uses were last written down.
    uses: HashMap<Uuid, OffsetDateTime>,
}

impl Memory {
    fn is_trusted(&self) -> bool {
        self.confirmed.is_some_and(|at| at.elapsed() < TRUSTED_FOR)
    }
}

impl Authority {
    /// An authority that remembers nothing yet.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, memory: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Whom the credential stands for, and how they stand; none if it is not known here.
    pub async fn standing(&self, credential: Credential) -> Result<Option<Arc<Standing>>, StoreError> {
        let before = {
            let memory = self.memory();
            if memory.is_trusted()
                && let Some(known) = memory.callers.get(&credential)
            {
                return Ok(Some(Arc::clone(known)));
            }
            *self.changes.borrow()
        };
        let found = match credential {
            Credential::Key(hash) => keys::by_hash(&self.pool, &hash).await?,
            Credential::Session(id) => sessions::by_id(&self.pool, id).await?,
        };
        let Some(found) = found.map(Arc::new) else { return Ok(None) };
        let mut memory = self.memory();
        if *self.changes.borrow() == before {
            if memory.callers.len() >= MOST_REMEMBERED {
                memory.callers.clear();
            }
            memory.callers.insert(credential, Arc::clone(&found));
        }
        Ok(Some(found))
    }

    /// Notes that a key was used. It is written down by and by.
    pub(super) fn note_use(&self, key_id: Uuid, now: OffsetDateTime) {
        self.memory().uses.insert(key_id, now);
    }

    /// Becomes new whenever something has changed about anybody: whoever serves a caller for long looks again then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Listens for changes until the server stops.
    pub async fn follow(self: Arc<Self>, stopping: watch::Receiver<bool>) {
        let stopping = crate::until_true(stopping);
        tokio::pin!(stopping);
        loop {
            let error = tokio::select! {
                ended = self.listen() => match ended { Err(error) => error },
                () = &mut stopping => break,
            };
            self.memory().confirmed = None;
            tracing::warn!("changes of accounts are not told, so every request asks the database: {error}");
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = &mut stopping => break,
            }
        }
        self.write_uses().await;
    }

    async fn listen(&self) -> Result<Infallible, StoreError> {
        let mut listener = tokio::time::timeout(BEAT_LIMIT, authority::listen(&self.pool))
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??;
        // Whatever was told before this connection listened was told to nobody.
        self.forget(None);
        let mut uses_written = Instant::now();
        loop {
            self.beat(&mut listener).await?;
            if uses_written.elapsed() >= NOTE_USES_EVERY {
                self.write_uses().await;
                uses_written = Instant::now();
            }
            if let Ok(told) = tokio::time::timeout(BEAT, listener.try_recv()).await {
                match told? {
                    Some(change) => self.forget(change.payload().parse().ok()),
                    None => return Err(StoreError::Database(sqlx::Error::WorkerCrashed)),
                }
            }
        }
    }

    /// Asks for a sign of life on the connection that brings the changes. Those that were sent before it come before it.
    async fn beat(&self, listener: &mut PgListener) -> Result<(), StoreError> {
        let asked = Instant::now();
        tokio::time::timeout(BEAT_LIMIT, authority::beat(listener))
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??;
        while let Some(change) = listener.next_buffered() {
            self.forget(change.payload().parse().ok());
        }
        self.memory().confirmed = Some(asked);
        Ok(())
    }

    /// Forgets an account, or all of them.
    fn forget(&self, account: Option<Uuid>) {
        let mut memory = self.memory();
        memory.callers.retain(|_, standing| account.is_some_and(|id| standing.account_id != id));
        self.changes.send_modify(|count| *count += 1);
    }

    async fn write_uses(&self) {
        let uses = std::mem::take(&mut self.memory().uses);
        if !uses.is_empty()
            && let Err(error) = keys::note_uses(&self.pool, &uses).await
        {
            tracing::warn!("when {} keys were last used was not written down: {error}", uses.len());
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nobody panics between two changes of it that belong together.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
