//! Has the crate rebuilt when a migration is added: `sqlx::migrate!` embeds them, and cargo cannot see that by itself.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "cargo:rerun-if-changed=migrations")
}
