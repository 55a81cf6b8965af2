//! The command line: what can be asked of the program, and which parts answer.
//!
//! Entry point: [`run`]. Flags override the environment, which overrides the config file.

mod listening;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use launch::folder::Access;
use launch::login::Login;
use shared::wire::Scope;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::api::Api;
use crate::config::{PROGRAM, Settings};
use crate::failure::Failure;
use crate::import::{self, Filled, Options};
use crate::outbox::{Outbox, Sent};
use crate::read::{Color, Wanted};
use crate::replay::{self, Speed};
use crate::report::{self, Progress};
use crate::{read, sender, status};

const EXIT_CODES: &str = "Exit codes:
  0    done: everything was sent and answered (`status` shows what was refused)
  1    failure, such as a full disk or an outbox that is in use
  2    bad input: a flag, or a file that is no export, is damaged, or lacks messages; its valid part was kept and sent
  75   somebody who must be asked is away for now: Discord, or the server
  78   a setting is missing or wrong, or the server refused the API key
  130  stopped by Ctrl-C or SIGTERM before it was done; what is in the outbox stays there";

const RUN_ENDS: &str = "Exit codes:
  0    stopped by Ctrl-C or SIGTERM; what waits in the outbox is sent by the next run
  1    failure, such as a full disk or an outbox that is in use
  78   a setting is missing or wrong, or Discord or the server refused a token or key: starting again cannot help";

const CHECKED: &str = "Exit codes:
  0    all is well
  75   all that could be looked at is well, but Discord or the server is away for now
  78   something must be changed, as said";

const FOLLOWING: &str = "A channel whose owner will not admit your bot can be followed, if it is an announcement channel:
  1. On Discord, make a server of your own, and in it a text channel.
  2. In the announcement channel click Follow, and choose your server and channel.
  3. Invite your bot to your server, and put your channel's id into discord.channels.
What is published there is copied to you and counts as the original's post. Edits that its author makes later, and deletes, reach
a copy only if Discord passes them on; what is posted there without being published does not.";

const READ_ENDS: &str = "Examples:
  contributor read posts.jsonl > readings.jsonl
  pbpaste | contributor read --explain --text -

Exit codes:
  0    every line was read
  1    a line held no post, as said on standard error; the others were read
  2    bad input: a flag, a profile, or a file that cannot be read";

/// Relays posts to a Callboard server through a durable outbox on this machine.
///
/// Whatever happens, a post stays in the outbox until the server has answered for it. Run the same command again after a
/// crash: nothing is lost, and nothing is sent twice.
#[derive(Debug, Parser)]
#[command(name = "contributor", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
struct Global {
    /// The config file [default: contributor.toml in this folder, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the outbox; one for each server
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The server's address, such as `https://callboard.example` (http only on this machine)
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// A file that holds the API key
    #[arg(long, global = true, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Import DiscordChatExporter JSON files, and send them
    ///
    /// Export with `--format Json --utc --markdown false`: otherwise the texts are not as their authors wrote them, and no
    /// importer can tell. Posts that an earlier import had are left out; interrupted imports go on when they are run again.
    #[command(after_help = EXIT_CODES)]
    Import(Import),
    /// Listen to Discord with a bot, and send what is heard, until it is stopped
    ///
    /// Only channels that stand in `discord.channels` and that the server has approved. What was posted while this program
    /// was away is read back from the history.
    #[command(after_help = RUN_ENDS)]
    Run,
    /// Look whether everything that listening needs is there, and say what to change
    #[command(after_help = format!("{CHECKED}\n\n{FOLLOWING}"))]
    Check,
    /// List the channels that the bot can see, with their ids
    Channels,
    /// Read a channel's history from a time on, and send it
    #[command(after_help = EXIT_CODES)]
    Backfill {
        /// The id of a channel or thread; its channel must be approved by the server
        #[arg(long, value_name = "ID")]
        channel: String,
        /// A time such as 2026-05-01T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = time_of)]
        since: OffsetDateTime,
    },
    /// Get the API key that posting needs, and keep it
    ///
    /// The key is asked for, or taken from standard input. It is kept in the keyring of this system, or else in a file that
    /// only you may read; which of the two is said.
    #[command(after_help = EXIT_CODES)]
    Login {
        /// Sign in as NAME with a password, and have a key made for this program
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Send what waits in the outbox, and end when it is empty
    #[command(after_help = EXIT_CODES)]
    Send {
        /// First put back what was refused (except what could not be decoded)
        #[arg(long)]
        retry_refused: bool,
    },
    /// Show what waits, what was refused and why, and what has been sent
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Read posts from a file, and print what they say
    ///
    /// This is the server's reader, without server, settings or network. FILE holds one JSON object a line (`id`, `content`,
    /// `embeds`, `reply_to`, `edited`…); the answer is one JSON object a line, in the same order. A line that holds no post
    /// is told on standard error, and the others are still read.
    #[command(after_help = READ_ENDS)]
    Read(Read),
    /// About the settings
    #[command(subcommand)]
    Config(Config),
}

#[derive(Debug, Args)]
struct Import {
    /// The files, oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Keep the original spacing, divided by SPEED: 86400 replays a day in a second
    ///
    /// All files are read first. Then every post, edit and delete is sent in the order in which it came to be.
    #[arg(long, value_name = "SPEED")]
    replay: Option<Speed>,
    /// Send posts again that were sent before (the server recognises them)
    #[arg(long)]
    again: bool,
    /// Report posts as deleted that an older import had and this export lacks
    ///
    /// Only posts between the first and the last message of the file count. Off by default, because exports can have
    /// gaps: use it only for complete exports, without filters. Nothing is inferred from a damaged file, nor from one with
    /// messages that could not be decoded.
    #[arg(long)]
    infer_deletes: bool,
}

#[derive(Debug, Args)]
struct Read {
    /// The posts, one JSON object a line of at most 4 MiB; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// What is known of the channel's habits (TOML): `quote`, `market`, `thousands`, `keywords`
    ///
    /// `callers` has no effect here: the posts of a file name no authors.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Show each post with what was read from it, and the verdict in words
    #[arg(long)]
    explain: bool,
    /// When to show that in colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto, requires = "explain")]
    color: Color,
    /// FILE is the text of one post, not JSON
    #[arg(long)]
    text: bool,
}

#[derive(Debug, Subcommand)]
enum Config {
    /// Show the settings in force, without secrets
    Show,
}

/// Runs one command to its end.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(anyhow::anyhow!("starting the runtime: {error}")))?;
    let result = runtime.block_on(command(cli));
    // A reader that waits for a slow disk must not keep Ctrl-C from working.
    runtime.shutdown_background();
    result
}

async fn command(cli: Cli) -> Result<(), Failure> {
    let settings = || settings(cli.global);
    match cli.command {
        Command::Import(wanted) => import(&settings()?, wanted).await,
        Command::Run => listening::listen(&settings()?).await,
        Command::Check => listening::check(&settings()?).await,
        Command::Channels => listening::channels(&settings()?).await,
        Command::Backfill { channel, since } => listening::backfill(&settings()?, &channel, since).await,
        Command::Login { name } => login(&settings()?, name.as_deref()).await,
        Command::Send { retry_refused } => send(&settings()?, retry_refused).await,
        Command::Status { json } => {
            report::print(&status::show(&settings()?.data_folder()?, json, launch::clock::now()).await?)
        }
        // Needs no settings: a broken file of settings must not keep a post from being read.
        Command::Read(Read { file, profile, explain, color, text }) => {
            read::run(&Wanted { file, profile, text, explain: explain.then_some(color) })
        }
        Command::Config(Config::Show) => {
            let settings = settings()?;
            let data_dir = Some(settings.data_folder()?);
            report::print(&Settings { data_dir, ..settings }.redacted())
        }
    }
}

fn settings(global: Global) -> Result<Settings, Failure> {
    let mut settings = Settings::load(global.config.as_deref(), std::env::vars())?;
    settings.data_dir = global.data_dir.or(settings.data_dir);
    settings.server = global.server.or(settings.server);
    if global.api_key_file.is_some() {
        settings.api_key = None;
        settings.api_key_file = global.api_key_file;
    }
    Ok(settings)
}

/// What a contributor's program needs its key for.
const SCOPES: &[Scope] = &[Scope::FeedRead, Scope::MessagesWrite];

async fn login(settings: &Settings, name: Option<&str>) -> Result<(), Failure> {
    let (server, folder) = (settings.server()?, settings.data_folder()?);
    let login = Login { program: PROGRAM, server: &server, folder: &folder, scopes: SCOPES };
    let said = login.run(name).await.map_err(|error| Failure::Configuration(format!("{error:#}")))?;
    if settings.api_key.is_some() || settings.api_key_file.is_some() {
        tracing::warn!("the settings name another API key, which is used instead of the one that is kept");
    }
    report::print(&format!("{said}\n"))
}

async fn open(settings: &Settings) -> Result<(Outbox, Api), Failure> {
    let endpoint = settings.endpoint()?;
    let api = Api::new(&endpoint)?;
    let folder = settings.data_folder()?;
    launch::folder::create(&folder, Access::Private)?;
    Ok((Outbox::open(&folder, &endpoint.server).await?, api))
}

async fn import(settings: &Settings, wanted: Import) -> Result<(), Failure> {
    let (outbox, api) = open(settings).await?;
    let began = Instant::now();
    let Import { files, replay, again, infer_deletes } = wanted;
    let mut progress = Progress::new(&files, Progress::watched());
    outbox.set_filling(true);
    let options = Options { again, infer_deletes, stage_all: replay.is_some() };
    let work = async {
        let filling = import::fill(&outbox, &files, options, (launch::clock::now, &mut progress));
        let Some(speed) = replay else {
            return tokio::try_join!(filling, sender::drain(&outbox, &api, launch::clock::now));
        };
        let filled = filling.await?;
        let playing = replay::play(&outbox, &api, speed, launch::clock::now);
        let watching = async {
            progress.replaying(outbox.watch()).await;
            Ok(())
        };
        let (sent, ()) = tokio::try_join!(playing, watching)?;
        Ok((filled, sent))
    };
    let rest = "the same import, run again, reads the rest";
    let (filled, sent): (Filled, Sent) = until_stopped(&outbox, work, rest).await?;
    report::print(&report::account(&filled, sent, began.elapsed()))?;
    if filled.problems.is_empty() {
        return Ok(());
    }
    // Each was told when it was found, which may be long ago.
    let (bad, all) = (filled.problems.len(), files.len());
    Err(Failure::Input(format!(
        "{bad} of {all} files had a defect, as said above; what could be read was kept and sent"
    )))
}

async fn send(settings: &Settings, retry_refused: bool) -> Result<(), Failure> {
    let (outbox, api) = open(settings).await?;
    if retry_refused {
        let count = outbox.retry_refused(launch::clock::now()).await?;
        report::print(&format!("outbox: {count} refused posts put back\n"))?;
    }
    let work = sender::drain(&outbox, &api, launch::clock::now);
    let sent = until_stopped(&outbox, work, "`contributor send` goes on").await?;
    report::print(&report::answers(sent))
}

/// A time on the command line.
fn time_of(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "expected a time such as 2026-05-01T00:00:00Z".to_owned())
}

/// Does the work until it is done or the user stops it. What is staged stays staged: dropping the work rolls back at most
/// an unfinished transaction, and what is in flight is sent again by the next run.
async fn until_stopped<T>(
    outbox: &Outbox,
    work: impl Future<Output = Result<T, Failure>>,
    rest: &str,
) -> Result<T, Failure> {
    let mut signals = Signals::new()?;
    tokio::select! {
        result = work => result,
        () = signals.next() => Err(stopped(outbox, rest)),
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listening = |error| Failure::Other(anyhow::anyhow!("listening for signals: {error}"));
        let interrupt = signal(SignalKind::interrupt()).map_err(listening)?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate()).map_err(listening)? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn stopped(outbox: &Outbox, rest: &str) -> Failure {
    let waiting = outbox.level().waiting;
    Failure::Interrupted(format!("{waiting} posts wait in the outbox and are sent by the next run; {rest}"))
}
