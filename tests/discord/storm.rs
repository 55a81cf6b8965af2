//! A short storm with every kind of weather; `make soak ONLY=discord` has longer ones.

use support::relay::Relay;
use support::storm::{Damage, Weather, storm};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_storm_the_server_has_the_truth_and_knows_the_gaps() {
    let relay = Relay::start().await;
    let weather = Weather { seed: 7, messages: 600, drop_every: 80, kill_every: 150, forget_every: 250 };
    let account = storm(&relay, weather).await;
    assert_eq!(account.damage, Damage::default(), "{account:?}");
    assert!(
        account.drops > 2 && account.kills > 1 && account.forgotten > 0,
        "a storm without weather: {account:?}"
    );
}
