//! The program `contributor`: starts the log and the runtime, runs one command, and ends with its exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    launch::logs::start();
    let cli = contributor::cli::Cli::parse();
    match contributor::cli::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            contributor::report::complain(&failure);
            ExitCode::from(&failure)
        }
    }
}
