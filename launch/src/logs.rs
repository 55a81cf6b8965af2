//! Logs go to standard error: plain lines for people, or JSON with `CALLBOARD_LOG_FORMAT=json`.
//! `RUST_LOG` sets what is logged; the default is `info` for our own crates and `warn` for the rest.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. Call once, first thing in `main`.
pub fn start() {
    let ours = "warn,server=info,contributor=info,trader_client=info,exchange=info,launch=info";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(ours));
    let json = std::env::var("CALLBOARD_LOG_FORMAT").is_ok_and(|format| format == "json");
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Nobody may read standard error any more: then a line is lost, and not the thread that wrote it.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    if json { lines.json().flatten_event(true).init() } else { lines.with_target(false).init() }
}
