//! Reads back threads and forum posts, those that were archived meanwhile included.
//!
//! Entry point: [`Listener::read_threads`]. Invariant: the mark of a channel's archived threads moves only when all that were
//! archived since the last mark have been listed and read; else the next look begins at the old mark again.

use time::{Duration, OffsetDateTime};

use super::dispatch::RawPlace;
use super::history::Why;
use super::listener::Listener;
use super::rest::RestError;
use super::snowflake::Snowflake;
use crate::failure::Failure;

/// A thread without a message for so long is not read again for edits and deletes.
const TALKED_IN_LATELY: Duration = Duration::DAY;
/// The mark is by our clock, the time of archiving by Discord's: so far they may be apart.
const CLOCKS_APART: Duration = Duration::HOUR;

impl Listener<'_> {
    /// Reads the threads of these channels as far as they have something new.
    pub(super) async fn read_threads(&mut self, roots: &[Snowflake], why: Why) -> Result<(), Failure> {
        let mut guilds: Vec<Snowflake> = Vec::new();
        for root in roots.iter().copied() {
            let Some(place) = self.places.get(root).filter(|place| place.kept.trouble.is_none()) else {
                continue;
            };
            guilds.extend(place.guild.filter(|guild| !guilds.contains(guild)));
            self.read_archived(root, why).await?;
        }
        for guild in guilds {
            match self.rest.active_threads(guild).await {
                Ok(mut active) => {
                    active.retain(|thread| thread.thread_of().is_some_and(|root| roots.contains(&root)));
                    self.read_each(&active, why).await?;
                }
                Err(RestError::Token) => return Err(RestError::Token.into()),
                Err(error) => {
                    tracing::warn!(%guild, "its threads cannot be listed ({error}); trying again at the next look");
                }
            }
        }
        Ok(())
    }

    /// A message opens its thread again: what was archived before the mark has nothing that was not read.
    async fn read_archived(&mut self, root: Snowflake, why: Why) -> Result<(), Failure> {
        let began = (self.clock)();
        let Some(place) = self.places.get(root) else { return Ok(()) };
        let mark = place.kept.threads_to.or_else(|| place.is_old.then(|| place.kept.since.made_at()));
        if let Some(mark) = mark {
            let archived = match self.rest.archived_threads(root, mark - CLOCKS_APART).await {
                Ok(archived) => archived,
                Err(RestError::Token) => return Err(RestError::Token.into()),
                Err(error) => {
                    tracing::warn!(channel = %root, "its archived threads cannot be listed ({error}); trying again at the next look");
                    return Ok(());
                }
            };
            if !self.read_each(&archived, why).await? {
                return Ok(());
            }
        }
        self.mark_threads(root, began).await
    }

    async fn mark_threads(&mut self, root: Snowflake, to: OffsetDateTime) -> Result<(), Failure> {
        if let Some(place) = self.places.get_mut(root) {
            place.kept.threads_to = Some(to);
        }
        self.pending.progress.threads_to = Some((root, to));
        self.flush().await.map(|_| ())
    }

    /// Whether all of them could be read.
    async fn read_each(&mut self, threads: &[RawPlace], why: Why) -> Result<bool, Failure> {
        let mut all = true;
        for thread in threads {
            self.notice(thread);
            if let Err(error) = self.read_thread(thread, why).await? {
                let name = thread.name();
                tracing::warn!(
                    thread = %thread.id,
                    name,
                    "its history cannot be read ({error}); trying again at the next look"
                );
                // One that is closed to the bot will not open by being asked about: no reason to list the others again.
                all &= !matches!(error, RestError::Later(_) | RestError::Strange(_));
            }
        }
        Ok(all)
    }

    /// Reads a thread if it has something new; after a time in which nobody listened also if it was talked in lately,
    /// because what was said then may have been changed.
    async fn read_thread(&mut self, thread: &RawPlace, why: Why) -> Result<Result<(), RestError>, Failure> {
        let (Some(place), Some(last)) = (self.places.get(thread.id), thread.last_message_id) else {
            return Ok(Ok(()));
        };
        let has_news = last > place.kept.read_to;
        match why {
            Why::NewSession(Some(from)) if last.made_at() > from - TALKED_IN_LATELY => {
                Ok(self.read_newest(thread, why).await?.map(|_| ()))
            }
            _ if has_news => self.read_after(thread.id, why).await,
            _ => Ok(Ok(())),
        }
    }
}
