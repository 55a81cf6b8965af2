//! Short storms with every kind of weather; `make soak ONLY=discord` has longer ones.

use support::pair::pair;
use support::relay::Relay;
use support::storm::{Damage, Weather, storm};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_storm_the_server_has_the_truth_and_knows_the_gaps() {
    let relay = Relay::start().await;
    let weather = Weather {
        seed: 7,
        messages: 600,
        drop_every: 80,
        kill_every: 90,
        forget_every: 200,
        outage_every: 200,
        longest_outage_s: 2,
    };
    let account = storm(&relay, weather).await;
    assert_eq!(account.damage, Damage::default(), "{account:?}");
    assert!(
        account.drops > 2 && account.kills > 1 && account.forgotten > 0,
        "a storm without weather: {account:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contributors_of_which_one_is_always_behind_or_away_have_everything_together() {
    let relay = Relay::start().await;
    let account = pair(&relay, 11, 2).await;
    assert_eq!(account.damage, Damage::default(), "{account:?}");
    assert!(account.revisions > 150, "{account:?}");
}
