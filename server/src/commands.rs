//! The commands that a host runs beside a server: keys and invites, approving a channel and its profile, and reading stored posts again.
//!
//! Entry points: [`create_key`], [`invite`], [`approve_channel`], [`profile`], [`read_again`].

use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context;
use server::audit::By;
use server::auth::Role;
use server::config::Config;
use server::database::{Database, Purpose};
use server::reread;
use server::store::again::Wanted;
use server::store::channels;
use server::{accounts, curation};
use shared::post::ChannelRef;
use shared::reading::ChannelProfile;
use shared::wire::ChangeChannel;
use sqlx::PgPool;

use crate::{Reread, Settings, print};

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
    (config, settings): (&Config, &Settings),
    channel: &str,
    new: Option<ChannelProfile>,
) -> anyhow::Result<()> {
    let database = Database::visit(config, Purpose::Work).await?;
    let done = set_and_show(&database.pool, (channel, settings), new).await;
    database.close().await;
    done
}

async fn set_and_show(
    pool: &PgPool,
    (channel, settings): (&str, &Settings),
    new: Option<ChannelProfile>,
) -> anyhow::Result<()> {
    let channel = server::profile::find(pool, channel).await?;
    if let Some(profile) = &new {
        let wish = ChangeChannel { profile: Some(profile.fields().clone()), ..ChangeChannel::default() };
        let changed = curation::change(pool, (channel.id, None), &wish, &by_host()).await;
        anyhow::ensure!(
            changed.context("keeping the profile")?.is_some(),
            "the channel {} is gone",
            channel.id
        );
    }
    let profile = channels::profile_of(pool, channel.id).await?.context("the channel is gone")?;
    print(&server::profile::shown(&channel, &profile)?)?;
    if let Some(new) = &new {
        let flags = repeated(settings);
        let name = format!("{}:{}", channel.source, channel.external_id);
        print(&format!(
            "# It counts from now on. Stored posts keep their readings; what would change:\n\
             #   server reread --channel {}{flags}",
            quoted(&name)
        ))?;
        if let Some(warning) = server::profile::silence(pool, &channel, new).await? {
            // Whoever closed our standard error does not want to know.
            let _unseen = writeln!(std::io::stderr().lock(), "server: warning: {warning}");
        }
    }
    Ok(())
}

/// The flags that name the database, as they were given, for a command that the host may copy.
fn repeated(settings: &Settings) -> String {
    let flags = [("--config", &settings.config), ("--data-dir", &settings.data_dir)];
    let given = flags.iter().filter_map(|(flag, path)| path.as_ref().map(|path| (flag, path)));
    given.map(|(flag, path)| format!(" {flag} {}", quoted(&path.display().to_string()))).collect()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:+,@%=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Reads stored posts again and prints what has changed, or what would.
pub(crate) async fn read_again(config: &Config, wanted: &Reread) -> anyhow::Result<()> {
    let database = Database::visit(config, Purpose::Work).await?;
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

/// Approves a channel, and enrols these contributors in it.
pub(crate) async fn approve_channel(
    config: &Config,
    channel: &ChannelRef,
    contributors: &[String],
) -> anyhow::Result<()> {
    let database = Database::visit(config, Purpose::Work).await?;
    let approved = curation::approve(&database.pool, channel, contributors, &by_host()).await;
    database.close().await;
    approved.context("approving the channel")?;
    let posted = match contributors {
        [] => "; nobody was enrolled with this: --contributor NAME says who may post for it".to_owned(),
        names => format!("; {} may post for it", names.join(", ")),
    };
    print(&format!("channel {} ({}) is approved{posted}", channel.name, channel.external_id))
}

fn by_host() -> By {
    By::host(launch::clock::now())
}

/// Makes a key for a program and prints it.
pub(crate) async fn create_key(config: &Config, role: Role, name: &str) -> anyhow::Result<()> {
    let database = Database::visit(config, Purpose::Begin).await?;
    let made = accounts::make_program_key(&database.pool, (name, role), &by_host()).await;
    database.close().await;
    print(made.context("making an API key")?.token.expose())
}

/// Makes an invite and prints it.
pub(crate) async fn invite(config: &Config, role: Role, note: Option<&str>) -> anyhow::Result<()> {
    let database = Database::visit(config, Purpose::Begin).await?;
    let made = accounts::invite(&database.pool, (role, note), None, &by_host()).await;
    database.close().await;
    print(&made.context("making an invite")?.invite)?;
    let hours = accounts::INVITE_LIFE.whole_hours();
    // Whoever closed our standard error does not want to know.
    let _unseen = writeln!(
        std::io::stderr().lock(),
        "server: whoever has this invite may make one account of role {role} with it, within {hours} hours"
    );
    Ok(())
}
