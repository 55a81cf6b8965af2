//! The connection on which the database tells that somebody's authority has changed.

use sqlx::PgPool;
use sqlx::postgres::PgListener;

use super::StoreError;

/// The name under which migration 0004's triggers tell.
const CHANNEL: &str = "callboard_authority";

/// A connection that hears of every change from now on.
pub async fn listen(pool: &PgPool) -> Result<PgListener, StoreError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Asks the database for a sign of life.
pub async fn beat(listener: &mut PgListener) -> Result<(), StoreError> {
    sqlx::query!("SELECT 1 AS alive").fetch_one(listener).await?;
    Ok(())
}
