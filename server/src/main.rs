//! The `server` program: `serve`, `migrate`, `reread`, `admin …` (what only the host may do), `config show`.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 78 a setting that cannot be used.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

mod commands;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use server::Setup;
use server::auth::Role;
use server::config::Config;
use server::database::{Database, Purpose};
use server::edge::Edge;
use shared::post::{ChannelRef, Source};
use shared::reading::ChannelProfile;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Keeps every post, reads it, and streams signals.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 78 a setting that cannot be used.\n\
    Settings come from the config file, then from SERVER__… and DATABASE_URL, then from flags."
)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Settings {
    /// A TOML file with settings; `config show` prints them all.
    #[arg(long, global = true, env = "SERVER_CONFIG")]
    config: Option<PathBuf>,
    /// Where the private PostgreSQL cluster keeps its data.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API. Without DATABASE_URL, on a private PostgreSQL cluster in the data folder.
    Serve {
        /// The address of the API. One that other machines can reach needs TLS or a trusted proxy.
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
    /// Bring the database to this version's form. A private cluster is also migrated by `serve`.
    Migrate,
    /// Read stored posts again, with today's reader and the profiles of their channels. Works beside a running server.
    ///
    /// Without --apply it only shows what would change. With it, each post gets a new reading beside its old one, and
    /// signals and updates that change are told, marked as read again: traders see them and never trade them. It may be
    /// broken off at any time; run again, it goes on and doubles nothing.
    Reread(Reread),
    /// What only the host may do.
    #[command(subcommand)]
    Admin(Admin),
    /// The settings in force.
    #[command(subcommand)]
    Config(ShowConfig),
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Make an API key and print it, once. Works beside a running server.
    ///
    /// The key is one of the account of that name. If there is no such account, one is made: for a program, without a
    /// password.
    CreateKey {
        /// What its account is there for: member, contributor or admin.
        #[arg(long)]
        role: Role,
        /// The name of its account.
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        name: String,
    },
    /// Invite somebody: print an invite, once, with which they make an account. Works beside a running server.
    Invite {
        /// What the account will be there for: member, contributor or admin.
        #[arg(long)]
        role: Role,
        /// Whom it is for; admins see it in the list of accounts.
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        note: Option<String>,
    },
    /// Approve a Discord channel, and say who may post for it. Works beside a running server.
    ApproveChannel {
        /// The channel's id on Discord (right-click it, Copy Channel ID).
        #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
        discord: u64,
        /// Its name, for people: traders choose channels by it.
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        name: String,
        /// The name of a contributor's account that may post for it; may be given several times.
        #[arg(long = "contributor", value_name = "NAME")]
        contributors: Vec<String>,
    },
    /// Show or set the profile of a channel: its habits, for the reader. Works beside a running server.
    ///
    /// A profile counts for posts that come from then on. Stored posts keep their readings: `server reread` shows what
    /// the profile changes about them, and `server reread --apply` changes it.
    Profile {
        /// The channel: its id, its source and id there (`discord:1237400000000000001`), or its name.
        channel: String,
        /// Take the profile from this TOML file, or from standard input with `-`. Fields: quote, market, thousands,
        /// keywords, callers.
        #[arg(long, value_name = "FILE", conflicts_with = "clear")]
        set: Option<PathBuf>,
        /// Forget the profile.
        #[arg(long)]
        clear: bool,
    },
}

#[derive(Debug, Args)]
struct Reread {
    /// Only this channel: its id, its source and id there, or its name.
    #[arg(long)]
    channel: Option<String>,
    /// Only messages posted at or after this time: `2026-06-01`, or `2026-06-01T08:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    since: Option<OffsetDateTime>,
    /// How many examples of each kind of change are shown.
    #[arg(long, value_name = "N", default_value_t = 3)]
    limit_examples: u8,
    /// Only show what would change; this is so unless --apply is given.
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// Keep the new readings and tell what changes.
    #[arg(long)]
    apply: bool,
}

/// A time or a day (its beginning, in UTC), in the years that posts can have.
fn time_of(text: &str) -> Result<OffsetDateTime, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let at = OffsetDateTime::parse(&whole, &Rfc3339)
        .map_err(|_| "expected a day (`2026-06-01`) or a time (`2026-06-01T08:00:00Z`)".to_owned())?;
    if (1..9999).contains(&at.year()) { Ok(at) } else { Err("expected a year from 1 to 9998".to_owned()) }
}

#[derive(Debug, Subcommand)]
enum ShowConfig {
    /// Print the settings in force; secrets are redacted.
    Show,
}

/// As in sysexits.h.
const UNUSABLE_SETTING: u8 = 78;

#[tokio::main]
async fn main() -> ExitCode {
    launch::logs::start();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever closed our standard error does not want to know.
            let _unseen = writeln!(std::io::stderr().lock(), "server: {error:#}");
            let is_setting = error.downcast_ref::<launch::config::ConfigError>().is_some();
            if is_setting { ExitCode::from(UNUSABLE_SETTING) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut config = Config::load(arguments.settings.config.as_deref())?;
    let settings = arguments.settings;
    config.data_dir = settings.data_dir.clone().or(config.data_dir);
    match arguments.command {
        Command::Serve { listen } => {
            config.listen = listen.unwrap_or(config.listen);
            serve(&config).await
        }
        Command::Migrate => {
            Database::visit(&config, Purpose::Migrate).await?.close().await;
            print("the database has this version's form")
        }
        Command::Reread(wanted) => commands::read_again(&config, &wanted).await,
        Command::Admin(Admin::CreateKey { role, name }) => commands::create_key(&config, role, &name).await,
        Command::Admin(Admin::Invite { role, note }) => {
            commands::invite(&config, role, note.as_deref()).await
        }
        Command::Admin(Admin::ApproveChannel { discord, name, contributors }) => {
            let channel = ChannelRef { source: Source::Discord, external_id: discord.to_string(), name };
            commands::approve_channel(&config, &channel, &contributors).await
        }
        Command::Admin(Admin::Profile { channel, set, clear }) => {
            let new = match set {
                Some(file) => Some(commands::profile_in(&file)?),
                None => clear.then(ChannelProfile::default),
            };
            commands::profile((&config, &settings), &channel, new).await
        }
        Command::Config(ShowConfig::Show) => {
            config.data_dir = Some(config.data_folder()?);
            print(toml::to_string(&config)?.trim_end())
        }
    }
}

fn print(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}").context("writing to standard output")
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let edge = Edge::new(config)?;
    server::edge::descriptors::make_room(config.limits.connections);
    // Signals are heeded from the start: Ctrl-C during the start stops PostgreSQL too.
    let (stop, stopping) = watch::channel(false);
    let mut signals = Signals::new()?;
    let database = tokio::select! {
        database = Database::open(config) => database?,
        name = signals.next() => {
            // The start cannot be undone half-way; PostgreSQL is stopped by the kernel when we end.
            tracing::info!("stopping before the start was over ({name})");
            std::process::exit(0);
        }
    };
    let session_key = server::secrets::session_key(config)?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("listening on {}", config.listen))?;
    let scheme = if edge.tls.is_some() { "https" } else { "http" };
    print(&format!("listening on {scheme}://{}", listener.local_addr()?))?;
    let setup = Setup { pool: database.pool.clone(), session_key, edge };
    let serving = server::run(setup, listener, stopping);
    tokio::pin!(serving);
    let outcome = tokio::select! {
        outcome = &mut serving => outcome,
        name = signals.next() => {
            tracing::info!("stopping ({name})");
            stop.send_replace(true);
            serving.await
        }
    };
    database.close().await;
    outcome
}

/// The signals that ask a program to stop.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "terminated",
        }
    }
}
