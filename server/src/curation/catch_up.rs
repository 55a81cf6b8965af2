//! Publishes what channels said before they were approved, and while they were paused: in the order in which it came, as old.
//!
//! Entry point: [`follow`], as a task of each server. Invariants: a page is one transaction with its channel in hand; what waits is
//! told before anything that comes later; a server that dies leaves the rest to the next look, of whichever server.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, PgPool};
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use crate::feed::Feed;
use crate::reread;
use crate::store::{StoreError, channels, unpublished};

/// How often is looked for channels that were approved: by other servers and the host, too.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many posts are published in one transaction: the channel's own posts wait for it, some milliseconds.
const PAGE: i64 = 100;

/// Publishes what waits, until the server stops.
pub async fn follow(pool: PgPool, feed: Arc<Feed>, stopping: watch::Receiver<bool>) {
    let stopping = crate::until_true(stopping);
    tokio::pin!(stopping);
    let mut failing = false;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = &mut stopping => return,
        }
        match publish_all(&pool, &feed).await {
            Ok(()) => failing = false,
            Err(error) if std::mem::replace(&mut failing, true) => {
                tracing::debug!("what waits to be published still waits: {error}");
            }
            Err(error) => tracing::warn!("what waits to be published cannot be published now: {error}"),
        }
    }
}

/// Publishes what waits for channels that are approved.
async fn publish_all(pool: &PgPool, feed: &Feed) -> Result<(), StoreError> {
    for channel in unpublished::channels(pool).await? {
        while publish_page(pool, channel, launch::clock::now()).await? {
            feed.wake();
        }
    }
    Ok(())
}

/// Publishes the posts of a channel that have waited longest. False when none are left, or the channel is not approved.
async fn publish_page(pool: &PgPool, channel: Uuid, now: OffsetDateTime) -> Result<bool, StoreError> {
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    let locked = channels::lock(&mut transaction, &[channel], None).await?;
    let is_approved = |channel: &channels::Locked| channel.status == shared::wire::ChannelStatus::Approved;
    if !locked.get(&channel).is_some_and(is_approved) {
        return Ok(false);
    }
    let (messages, last) = unpublished::first(&mut transaction, channel, PAGE).await?;
    let Some(last) = last else { return Ok(false) };
    unpublished::settle(&mut transaction, (channel, last), now).await?;
    reread::publish_kept(&mut transaction, &messages, now).await?;
    launch::crash::point("kept_published");
    transaction.commit().await?;
    tracing::info!(%channel, messages = messages.len(), "published what was kept");
    Ok(true)
}
