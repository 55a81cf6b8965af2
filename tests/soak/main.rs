//! `make soak`: faults, seeds, and a comparison with the truth. Prints a table and, last, one line of `key=value` pairs.
//!
//! `ONLY=discord` is the one part so far. It begins with a client of others' making on the fake Discord ([`support::foreign`]), goes
//! on with storms and pairs of contributors, and ends with the flood that measures memory. `SEEDS=` says how many storms there are
//! (`SECONDS=`: as many as begin in that time), `MESSAGES=` how long each is, `EVENTS=` how many messages the flood has.

use std::time::{Duration, Instant};

use support::flood::flood;
use support::foreign;
use support::pair::pair;
use support::relay::Relay;
use support::storm::{Account, Damage, Weather, storm};

/// The most that the contributor may grow over the flood.
const MOST_GROWTH_KIB: u64 = 20 * 1024;
/// How often each of a pair is away.
const ABSENCES: u32 = 4;

fn number(variable: &str) -> anyhow::Result<Option<u32>> {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => Ok(Some(text.parse()?)),
        _ => Ok(None),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    anyhow::ensure!(
        only.is_empty() || only == "discord",
        "there is no part `{only}`; the parts are: discord"
    );
    let foreign_events = foreign::hears_the_same(&std::env::var("SOAK_PYTHON").unwrap_or_default()).await?;
    println!("discord.py on the fake: {foreign_events} events and answers, all as they were");
    let messages = number("MESSAGES")?.unwrap_or(10_000);
    let sum = storms((number("SEEDS")?, number("SOAK_SECONDS")?), messages).await?;
    let events = number("EVENTS")?.unwrap_or(1_000_000);
    let began = Instant::now();
    let flooded = flood(&Relay::start().await, u64::from(events)).await;
    println!(
        "{events} events in {} s: {} KiB more, {} s of processor time",
        began.elapsed().as_secs(),
        flooded.growth_kib,
        flooded.cpu.as_secs()
    );
    last_line(&sum, (foreign_events, events, flooded.growth_kib));
    anyhow::ensure!(sum.damage == Damage::default(), "the storms did damage");
    anyhow::ensure!(flooded.growth_kib < MOST_GROWTH_KIB, "the contributor grows with what it hears");
    Ok(())
}

/// The storms, each followed by a pair, and what they came to together.
async fn storms((seeds, seconds): (Option<u32>, Option<u32>), messages: u32) -> anyhow::Result<Account> {
    println!(
        "{:>6} {:>9} {:>6} {:>6} {:>9} {:>9} {:>8}  damage",
        "seed", "revisions", "drops", "kills", "sessions", "outage_s", "seconds"
    );
    let began = Instant::now();
    let until = seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let most = seeds.unwrap_or(if until.is_some() { u32::MAX } else { 3 });
    let mut sum = Account::default();
    for seed in 1..=most {
        if seed > 1 && until.is_some_and(|until| began.elapsed() > until) {
            break;
        }
        let dice = u64::from(seed) * 0x9e37_79b9;
        let weather = Weather {
            seed: dice,
            messages,
            drop_every: 150,
            kill_every: 400,
            forget_every: 1_000,
            outage_every: 2_500,
            longest_outage_s: 60,
        };
        show(&seed.to_string(), &storm(&Relay::start().await, weather).await, &mut sum);
        show("pair", &pair(&Relay::start().await, dice, ABSENCES).await, &mut sum);
    }
    Ok(sum)
}

fn show(name: &str, account: &Account, sum: &mut Account) {
    println!(
        "{name:>6} {:>9} {:>6} {:>6} {:>9} {:>9} {:>8}  {:?}",
        account.revisions,
        account.drops,
        account.kills,
        account.forgotten,
        account.outage_s,
        account.seconds,
        account.damage
    );
    account.notes.iter().for_each(|note| println!("       {note}"));
    sum.add(account);
}

fn last_line(sum: &Account, (foreign_events, events, growth_kib): (usize, u32, u64)) {
    let Damage { lost, doubled, inversions, gaps_missed, gaps_invented, sightings_wrong } = sum.damage;
    println!(
        "lost={lost} doubled={doubled} inversions={inversions} gaps_missed={gaps_missed} gaps_invented={gaps_invented} \
         sightings_wrong={sightings_wrong} storms={} revisions={} drops={} kills={} sessions_forgotten={} outage_s={} \
         seconds={} foreign_events={foreign_events} events={events} rss_growth_kib={growth_kib}",
        sum.storms, sum.revisions, sum.drops, sum.kills, sum.forgotten, sum.outage_s, sum.seconds
    );
}
