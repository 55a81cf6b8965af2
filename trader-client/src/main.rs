//! The program `trader-client`: arguments in, text and an exit code out. Everything else is in the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    launch::logs::start();
    cli::main()
}
