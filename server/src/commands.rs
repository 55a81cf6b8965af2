//! The commands that a host runs beside a server: a channel's profile, and reading stored posts again.
//!
//! Entry points: [`profile`], [`read_again`].

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use server::config::Config;
use server::database::Database;
use server::reread;
use server::store::again::Wanted;
use server::store::channels;
use shared::reading::ChannelProfile;
use sqlx::PgPool;

use crate::{Reread, print};

/// The longest profile: five hundred keywords of a hundred bytes, and room for the rest.
const MAX_PROFILE_BYTES: u64 = 256 * 1024;

/// A profile from a file, or from standard input with `-`.
pub(crate) fn profile_in(file: &Path) -> anyhow::Result<ChannelProfile> {
    let is_input = file == Path::new("-");
    let origin = if is_input { "standard input".to_owned() } else { file.display().to_string() };
    let mut text = String::new();
    let reading = if is_input {
        std::io::stdin().lock().take(MAX_PROFILE_BYTES + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MAX_PROFILE_BYTES + 1).read_to_string(&mut text))
    };
    let length = reading.with_context(|| format!("reading the profile from {origin}"))?;
    anyhow::ensure!(
        u64::try_from(length).is_ok_and(|length| length <= MAX_PROFILE_BYTES),
        "{origin} is longer than any profile ({MAX_PROFILE_BYTES} bytes)"
    );
    server::profile::parse(&text, &origin)
}

/// Shows the profile of a channel, after setting it if there is a new one.
pub(crate) async fn profile(
    config: &Config,
    channel: &str,
    new: Option<ChannelProfile>,
) -> anyhow::Result<()> {
    let database = Database::visit(config, false).await?;
    let done = set_and_show(&database.pool, channel, new).await;
    database.close().await;
    done
}

async fn set_and_show(pool: &PgPool, channel: &str, new: Option<ChannelProfile>) -> anyhow::Result<()> {
    let channel = server::profile::find(pool, channel).await?;
    if let Some(profile) = &new {
        let known = channels::set_profile(pool, channel.id, profile).await.context("keeping the profile")?;
        anyhow::ensure!(known, "the channel {} is gone", channel.id);
    }
    let profile = channels::profile_of(pool, channel.id).await?.context("the channel is gone")?;
    print(&server::profile::shown(&channel, &profile)?)?;
    if new.is_some() {
        let channel = format!("{}:{}", channel.source, channel.external_id);
        print(&format!(
            "# It counts from now on. Stored posts keep their readings; what would change:\n\
             #   server reread --channel {channel}"
        ))?;
    }
    Ok(())
}

/// Reads stored posts again and prints what has changed, or what would.
pub(crate) async fn read_again(config: &Config, wanted: &Reread) -> anyhow::Result<()> {
    let database = Database::visit(config, false).await?;
    let report = reread_in(&database.pool, wanted).await;
    database.close().await;
    let report = report?;
    print(&report.to_string())?;
    anyhow::ensure!(report.unreadable() == 0, "{} messages could not be read again", report.unreadable());
    Ok(())
}

async fn reread_in(pool: &PgPool, wanted: &Reread) -> anyhow::Result<reread::Report> {
    let channel_id = match &wanted.channel {
        Some(text) => Some(server::profile::find(pool, text).await?.id),
        None => None,
    };
    let wish = reread::Wish {
        wanted: Wanted { channel_id, since: wanted.since },
        apply: wanted.apply && !wanted.dry_run,
        examples: usize::from(wanted.limit_examples),
    };
    let report = reread::reread(pool, &wish, launch::clock::now).await;
    report.context("reading stored posts again; run the command again to go on")
}
