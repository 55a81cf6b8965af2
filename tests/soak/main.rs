//! `make soak`: faults, seeds, and a comparison with the truth. Prints a table and, last, one line of `key=value` pairs.
//!
//! `ONLY=discord` is the one part so far. `SEEDS=` says how many storms there are, `MESSAGES=` how long each is, `EVENTS=` how
//! many messages the flood has that measures memory.

use support::flood::flood;
use support::relay::Relay;
use support::storm::{Account, Damage, Weather, storm};

/// The most that the contributor may grow over the flood.
const MOST_GROWTH_KIB: u64 = 20 * 1024;

fn number(variable: &str, default: u32) -> anyhow::Result<u32> {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => Ok(text.parse()?),
        _ => Ok(default),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    anyhow::ensure!(
        only.is_empty() || only == "discord",
        "there is no part `{only}`; the parts are: discord"
    );
    let (seeds, messages) = (number("SEEDS", 3)?, number("MESSAGES", 10_000)?);
    println!(
        "{:>6} {:>9} {:>6} {:>6} {:>9} {:>8}  damage",
        "seed", "revisions", "drops", "kills", "sessions", "seconds"
    );
    let mut sum = Account::default();
    for seed in 1..=seeds {
        let relay = Relay::start().await;
        let weather = Weather {
            seed: u64::from(seed) * 0x9e37_79b9,
            messages,
            drop_every: 150,
            kill_every: 400,
            forget_every: 1_000,
        };
        let account = storm(&relay, weather).await;
        println!(
            "{seed:>6} {:>9} {:>6} {:>6} {:>9} {:>8}  {:?}",
            account.revisions,
            account.drops,
            account.kills,
            account.forgotten,
            account.seconds,
            account.damage
        );
        account.notes.iter().for_each(|note| println!("       {note}"));
        add(&mut sum, &account);
    }
    let events = number("EVENTS", 1_000_000)?;
    let began = std::time::Instant::now();
    let growth_kib = flood(&Relay::start().await, u64::from(events)).await;
    println!("{events} events in {} s: {growth_kib} KiB more", began.elapsed().as_secs());
    let Damage { lost, doubled, inversions, gaps_missed, gaps_invented } = sum.damage;
    println!(
        "lost={lost} doubled={doubled} inversions={inversions} gaps_missed={gaps_missed} gaps_invented={gaps_invented} \
         storms={seeds} revisions={} drops={} kills={} sessions_forgotten={} seconds={} events={events} \
         rss_growth_kib={growth_kib}",
        sum.revisions, sum.drops, sum.kills, sum.forgotten, sum.seconds
    );
    anyhow::ensure!(sum.damage == Damage::default(), "the storms did damage");
    anyhow::ensure!(growth_kib < MOST_GROWTH_KIB, "the contributor grows with what it hears");
    Ok(())
}

fn add(sum: &mut Account, account: &Account) {
    sum.damage.lost += account.damage.lost;
    sum.damage.doubled += account.damage.doubled;
    sum.damage.inversions += account.damage.inversions;
    sum.damage.gaps_missed += account.damage.gaps_missed;
    sum.damage.gaps_invented += account.damage.gaps_invented;
    sum.revisions += account.revisions;
    sum.drops += account.drops;
    sum.kills += account.kills;
    sum.forgotten += account.forgotten;
    sum.seconds += account.seconds;
}
