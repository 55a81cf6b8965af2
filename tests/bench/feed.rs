//! From a post that is acknowledged to the event at a subscriber. One clock, one machine, an open loop of 50 posts a second.
//!
//! An event often arrives before the acknowledgement does, because the two race: such a delay counts as 0.

use std::time::{Duration, Instant};

use support::feed::{Seen, Subscription};
use support::posts::{batch, sighting, signal_text};

use crate::Bench;
use crate::figures::{Figures, median, percentile};

/// How many posts are sent in each round.
const POSTS: u32 = 500;
/// The time between two posts.
const EVERY: Duration = Duration::from_millis(20);

pub(crate) async fn measure(figures: &mut Figures, rounds: u32) -> anyhow::Result<()> {
    let (mut p50, mut p99, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let (mut from_ack, mut from_post) = one_round().await?;
        let (half, most, all) =
            (median(&mut from_ack), percentile(&mut from_ack, 99), median(&mut from_post));
        println!(
            "round {round}: acknowledged → event p50 {half:.2} ms, p99 {most:.2} ms; posted → event p50 {all:.2} ms"
        );
        p50.push(half);
        p99.push(most);
        whole.push(all);
    }
    figures.add("ack_to_event_p50_ms", median(&mut p50));
    figures.add("ack_to_event_p99_ms", median(&mut p99));
    figures.add("post_to_event_p50_ms", median(&mut whole));
    Ok(())
}

/// Milliseconds from the acknowledgement, and from just before the post, to the event.
async fn one_round() -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let bench = Bench::start().await?;
    let contributor = bench.api("contributor").await?;
    let member = bench.api("member").await?;
    let mut subscription = match Subscription::open(&member, 0, "").await {
        Ok(subscription) => subscription,
        Err(status) => anyhow::bail!("the feed answered {status}"),
    };
    let receiving = tokio::spawn(async move {
        let mut received = Vec::new();
        while received.len() < usize::try_from(POSTS).unwrap_or(usize::MAX) {
            match subscription.next().await {
                Seen::Event(..) => received.push(Instant::now()),
                Seen::CaughtUp(_) => {}
                Seen::Closed(code) => anyhow::bail!("the feed was closed with {code}"),
            }
        }
        Ok(received)
    });
    let (mut posted, mut acknowledged) = (Vec::new(), Vec::new());
    let mut due = tokio::time::interval(EVERY);
    for id in 1..=POSTS {
        due.tick().await;
        let body = batch([sighting(id, &signal_text("SOL"))]);
        posted.push(Instant::now());
        contributor.post(&body).await;
        acknowledged.push(Instant::now());
    }
    let received = receiving.await??;
    let since = |earlier: &[Instant]| {
        let pairs = received.iter().zip(earlier);
        pairs
            .map(|(event, earlier)| event.saturating_duration_since(*earlier).as_secs_f64() * 1000.0)
            .collect()
    };
    Ok((since(&acknowledged), since(&posted)))
}
