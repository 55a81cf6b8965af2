//! The command line: what can be asked for, and which exit code says how it went.
//!
//! Entry point: [`main`]. Text for people goes to standard output, the log to standard error.

mod show;
mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use launch::folder::Access;
use launch::login::Login;
use shared::wire::Scope;
use time::OffsetDateTime;
use tokio::sync::watch;
use trader_client::account::Account;
use trader_client::config::{Config, PROGRAM, Unusable};
use trader_client::feed::FeedError;
use trader_client::journal::{Journal, JournalError, Recovered};
use trader_client::{JOURNAL_FILE, PAPER_FILE, Session, paper};

/// Something went wrong on the way.
const FAILED: u8 = 1;
/// A configuration or a credential that cannot be used, as in sysexits.h.
const CONFIG: u8 = 78;

/// Follows the server's feed and trades its signals on the paper exchange, on this machine.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Settings come from the file (default: ./trader.toml if there is one), then from variables such as
TRADER__RISK__MAX_DAILY_LOSS=2%, then from flags. Relative paths in the file are relative to the file.

Exit codes: 0 done, 1 failed, 2 wrong usage, 78 the configuration or the API key was refused."
)]
struct Cli {
    /// The config file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where journal and paper exchange are kept (default: the system's place for data).
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Follow the feed and trade, until stopped. One line per decision and fill.
    Run {
        /// Stop when the log and the candles are played to their ends, and print the account.
        #[arg(long)]
        once: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Get the API key that reading needs, and keep it.
    ///
    /// The key is asked for, or taken from standard input. It is kept in the keyring of this system, or else in a file that
    /// only you may read; which of the two is said.
    Login {
        /// Sign in as NAME with a password, and have a key made for this program.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// What the account has: balance, results, counts. Works beside a running client.
    Status(Form),
    /// What is open or waiting. Works beside a running client.
    Positions(Form),
    /// What was decided about each signal, and why. Works beside a running client.
    Signals {
        /// How many, counted from the newest.
        #[arg(long, default_value_t = 20, value_name = "COUNT")]
        limit: usize,
        #[command(flatten)]
        form: Form,
    },
    /// The server's channels, and how many of their posts were read as signals, updates and noise.
    Channels(Form),
    /// The settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the settings in force, without secrets.
    Show,
}

/// The form of the output.
#[derive(Args, Clone, Copy)]
struct Form {
    /// Print one JSON object instead of text: amounts, prices and quantities as decimal strings, times in RFC 3339.
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime
        .context("starting the asynchronous runtime")
        .and_then(|runtime| runtime.block_on(execute(cli)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough, as in `trader-client signals | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr().lock(), "trader-client: {}", words_of(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// The error and its causes, without those that it tells already.
fn words_of(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |words, cause| {
        if words.contains(&cause) { words } else { format!("{words}: {cause}") }
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().map(io::Error::kind);
    error.chain().any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_key = matches!(error.downcast_ref(), Some(FeedError::KeyRefused(_)));
    let is_owner = matches!(error.downcast_ref(), Some(JournalError::NotOurs { .. }));
    let is_config = error.downcast_ref::<Unusable>().is_some();
    if is_key || is_owner || is_config { CONFIG } else { FAILED }
}

async fn execute(cli: Cli) -> anyhow::Result<()> {
    let folder = launch::folder::data_folder("trader", cli.data_dir.as_deref())?;
    if let Some(named) = cli.config.as_deref().filter(|named| !named.exists()) {
        return Err(Unusable::Problem(format!("there is no file {}", named.display())).into());
    }
    let load = || Config::load(config_file(cli.config.as_deref()).as_deref(), std::env::vars());
    match cli.command {
        Command::Run { once, form } => run(Session { config: load()?, folder, once }, form).await,
        Command::Config { command: ConfigCommand::Show } => {
            let text = toml::to_string(&load()?).context("writing the settings as TOML")?;
            Ok(io::stdout().lock().write_all(text.as_bytes())?)
        }
        Command::Channels(form) => {
            install_tls();
            let config = load()?;
            let address = config.address().map_err(Unusable::Problem)?;
            show::channels(&trader_client::api::channels(&address, &config.key(&folder)?).await?, form.json)
        }
        Command::Login { name } => {
            install_tls();
            login(&load()?, &folder, name.as_deref()).await
        }
        Command::Status(form) => show::status(&account(&folder).await?, form.json),
        Command::Positions(form) => show::positions(account(&folder).await?, form.json),
        Command::Signals { limit, form } => show::signals(&recovered(&folder).await?, limit, form.json),
    }
}

/// What a trader's program needs its key for.
const SCOPES: &[Scope] = &[Scope::FeedRead];

async fn login(config: &Config, folder: &Path, name: Option<&str>) -> anyhow::Result<()> {
    let server = config.address().map_err(Unusable::Problem)?;
    let login = Login { program: PROGRAM, server: &server, folder, scopes: SCOPES };
    let said = login.run(name).await.map_err(|error| Unusable::Problem(format!("{error:#}")))?;
    if config.api_key.is_some() || config.api_key_file.is_some() {
        let hint = "the settings name another API key, which is used instead of the one that is kept";
        writeln!(io::stderr().lock(), "trader-client: {hint}")?;
    }
    Ok(writeln!(io::stdout().lock(), "{said}")?)
}

/// The file that was named, or the one that lies here.
fn config_file(named: Option<&Path>) -> Option<PathBuf> {
    let usual = Path::new("trader.toml");
    named.map(Path::to_owned).or_else(|| usual.exists().then(|| usual.to_owned()))
}

/// The account as the journal has it, at the prices that the exchange has.
async fn account(folder: &Path) -> anyhow::Result<Account> {
    let Recovered { engine, now, .. } = recovered(folder).await?;
    let account = Account::of(&engine, now.unwrap_or(OffsetDateTime::UNIX_EPOCH));
    Ok(match paper::look(&folder.join(PAPER_FILE)).await? {
        Some((cash, market)) => account.with_market(cash, &market),
        None => account,
    })
}

async fn recovered(folder: &Path) -> anyhow::Result<Recovered> {
    Ok(Journal::open_to_read(&folder.join(JOURNAL_FILE)).await?.recover().await?)
}

async fn run(session: Session, form: Form) -> anyhow::Result<()> {
    install_tls();
    launch::folder::create(&session.folder, Access::Private)?;
    let _lock = trader_client::lock(&session.folder)?;
    let once = session.once;
    if session.config.policy.channels.is_empty() {
        let hint = "no channel is allowed, so nothing will be traded: name some in [policy] channels";
        writeln!(io::stderr().lock(), "trader-client: {hint}")?;
    }
    let account = trader_client::run(session, stop_signal()?, |note| {
        if form.json { Ok(()) } else { show::note(&mut io::stdout().lock(), note) }
    })
    .await?;
    if form.json {
        return show::json(&account);
    }
    if once { show::account(&mut io::stdout().lock(), &account) } else { Ok(()) }
}

/// Chooses the one TLS implementation of this program.
fn install_tls() {
    // The first provider stays; nobody else installs one before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Becomes true when the user or the system asks the program to stop.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sender.send_replace(true);
        // Kept open: a closed channel would look like a stop.
        sender.closed().await;
    });
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_refused_key_or_config_has_the_exit_code_of_its_kind() {
        let key = anyhow::Error::from(FeedError::KeyRefused("unknown".into())).context("following the feed");
        assert_eq!(exit_code(&key), CONFIG);
        assert_eq!(exit_code(&Unusable::Problem("x".into()).into()), CONFIG);
        assert_eq!(exit_code(&FeedError::Unreachable("x".into()).into()), FAILED);
    }

    #[test]
    fn an_error_does_not_say_the_same_twice() {
        let error = anyhow::anyhow!("reading x: gone").context("starting: reading x: gone").context("run");
        assert_eq!(words_of(&error), "run: starting: reading x: gone");
    }
}
