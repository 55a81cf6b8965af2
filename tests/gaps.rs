//! `POST /v1/gaps` through the public interface: what is kept, shown, and refused.

use reqwest::Method;
use serde_json::{Value, json};
use server::auth::Role;
use shared::wire::{ChannelsPage, GapStatus, Missed, ProblemKind, ToldGaps};
use support::posts::{batch, sighting};
use support::server::{Api, TestServer};
use time::macros::datetime;

fn gap(channel: &str, from: &str, to: &str) -> Value {
    json!({ "channel": { "source": "discord", "external_id": channel, "name": "vip" }, "missed": "edits_and_deletes",
        "from": from, "to": to })
}

async fn tell(api: &Api, gaps: &[Value]) -> Vec<GapStatus> {
    let body = serde_json::to_vec(&json!({ "gaps": gaps })).unwrap();
    let response = api.send(Method::POST, "/v1/gaps", Some(body)).await;
    assert_eq!(response.status(), 200);
    response.json::<ToldGaps>().await.unwrap().results
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_kept_once_grows_and_is_shown_with_its_channel() {
    let server = TestServer::start().await;
    let (ana, bob) = (server.client(Role::Contributor).await, server.client(Role::Contributor).await);
    ana.post(&batch([sighting(1, "hello")])).await;
    let first = gap("500", "2026-06-01T08:00:00Z", "2026-06-01T08:01:00Z");
    let longer = gap("500", "2026-06-01T08:00:00Z", "2026-06-01T08:05:00Z");
    assert_eq!(tell(&ana, &[first.clone(), longer]).await, [GapStatus::Kept, GapStatus::Kept]);
    assert_eq!(
        tell(&ana, std::slice::from_ref(&first)).await,
        [GapStatus::Kept],
        "told again, and no shorter"
    );
    let shown = async || {
        server.client(Role::Member).await.get::<ChannelsPage>("/v1/channels").await.channels.remove(0).gaps
    };
    let summary = shown().await;
    let latest = summary.latest.unwrap();
    assert_eq!(
        (summary.count, latest.missed, latest.to),
        (1, Missed::EditsAndDeletes, datetime!(2026-06-01 8:05 UTC))
    );
    tell(&bob, &[first]).await;
    assert_eq!(shown().await.count, 2, "another contributor's gap is another one");
    let unknown = tell(&ana, &[gap("501", "2026-06-01T08:00:00Z", "2026-06-01T08:01:00Z")]).await;
    assert!(
        matches!(&unknown[..], [GapStatus::Rejected { reason }] if reason.contains("501")),
        "{unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_that_cannot_be_is_refused_and_named() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let good = gap("500", "2026-06-01T08:00:00Z", "2026-06-01T08:01:00Z");
    let backwards = gap("500", "2026-06-01T08:01:00Z", "2026-06-01T08:00:00Z");
    let ancient = gap("500", "1999-06-01T08:00:00Z", "2026-06-01T08:01:00Z");
    for (gaps, field) in [
        (vec![], "gaps"),
        (vec![good.clone(); 101], "gaps"),
        (vec![good.clone(), backwards], "gaps[1].to"),
        (vec![ancient], "gaps[0].from"),
        (vec![gap("5\0", "2026-06-01T08:00:00Z", "2026-06-01T08:01:00Z")], "gaps[0].channel.external_id"),
    ] {
        let body = serde_json::to_vec(&json!({ "gaps": gaps })).unwrap();
        let problem = api.problem(Method::POST, "/v1/gaps", Some(&body)).await;
        assert_eq!((problem.kind, problem.field.as_deref()), (ProblemKind::InvalidRequest, Some(field)));
    }
    let body = serde_json::to_vec(&json!({ "gaps": [good] })).unwrap();
    let member = server.client(Role::Member).await;
    assert_eq!(member.problem(Method::POST, "/v1/gaps", Some(&body)).await.kind, ProblemKind::Forbidden);
}
