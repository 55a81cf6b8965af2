//! The lists and records: filters, cursors, bad parameters.

use reqwest::Method;
use server::auth::Role;
use shared::post::{Embed, EmbedField, Forwarded, Post};
use shared::reading::{Evidence, Field, Part, Reading};
use shared::wire::{ChannelsPage, EventsPage, ProblemKind, SignalDetail, SignalsPage, Version};
use support::posts::{START, batch, sighting, signal_text};
use support::server::{Api, TestServer};
use time::Duration;
use time::format_description::well_known::Rfc3339;

/// Twelve signals: BTC, ETH and SOL in turn, a minute apart, every second one of another channel.
async fn filled() -> (TestServer, Api) {
    let server = TestServer::start().await;
    let contributor = server.client(Role::Contributor).await;
    let posts = (1..=12u32).map(|id| {
        let base = ["BTC", "ETH", "SOL"][usize::try_from(id % 3).unwrap()];
        let mut seen = sighting(id, &signal_text(base));
        if id % 2 == 0 {
            seen.post.channel.external_id = "501".into();
            seen.post.channel.name = "swing".into();
        }
        seen
    });
    contributor.post(&batch(posts)).await;
    let member = server.client(Role::Member).await;
    (server, member)
}

fn ids(page: &SignalsPage) -> Vec<u32> {
    page.signals.iter().map(|signal| signal.record.external_id.parse().unwrap()).collect()
}

#[tokio::test]
async fn signals_page_by_an_opaque_cursor_newest_first_without_a_hole_or_a_double() {
    let (_server, api) = filled().await;
    let mut seen = Vec::new();
    let mut path = "/v1/signals?limit=5".to_owned();
    loop {
        let page: SignalsPage = api.get(&path).await;
        seen.extend(ids(&page));
        let Some(next) = page.next else { break };
        path = format!("/v1/signals?limit=5&cursor={next}");
    }
    assert_eq!(seen, (1..=12).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn signals_can_be_filtered_by_channel_symbol_side_and_time() {
    let (_server, api) = filled().await;
    let channels: ChannelsPage = api.get("/v1/channels").await;
    let [swing, vip] = channels.channels.as_slice() else { panic!("{channels:?}") };
    assert_eq!((swing.name.as_str(), vip.name.as_str()), ("swing", "vip-calls"));
    let since = (START + Duration::minutes(9)).format(&Rfc3339).unwrap();
    for (query, expected) in [
        (format!("channel={}", swing.id), vec![12, 10, 8, 6, 4, 2]),
        ("symbol=eth".into(), vec![10, 7, 4, 1]),
        ("symbol=ETH/USDT".into(), vec![10, 7, 4, 1]),
        ("symbol=ETH/USDC".into(), vec![]),
        ("side=short".into(), vec![]),
        (format!("since={since}"), vec![12, 11, 10, 9]),
        (format!("since={since}&symbol=SOL&side=long&channel={}", vip.id), vec![11]),
    ] {
        let page: SignalsPage = api.get(&format!("/v1/signals?{query}")).await;
        assert_eq!(ids(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn events_and_channels_page_too() {
    let (_server, api) = filled().await;
    let first: EventsPage = api.get("/v1/events?limit=7").await;
    assert_eq!((first.events.len(), first.head), (7, 12));
    let rest: EventsPage = api.get("/v1/events?after=7").await;
    assert_eq!(rest.events.iter().map(|event| event.seq).collect::<Vec<_>>(), (8..=12).collect::<Vec<_>>());
    let one: ChannelsPage = api.get("/v1/channels?limit=1").await;
    let two: ChannelsPage = api.get(&format!("/v1/channels?limit=1&cursor={}", one.next.unwrap())).await;
    assert_eq!((one.channels[0].name.as_str(), two.channels[0].name.as_str()), ("swing", "vip-calls"));
    assert_eq!(two.next, None);
}

#[tokio::test]
async fn unfit_parameters_are_refused_by_name() {
    let (_server, api) = filled().await;
    let nobody = uuid::Uuid::nil();
    for (path, kind) in [
        ("/v1/signals?limit=0".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?limit=501".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?limit=many".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?side=up".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?symbol=B%20TC".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?since=yesterday".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?cursor=abc".into(), ProblemKind::InvalidRequest),
        ("/v1/signals?colour=red".into(), ProblemKind::InvalidRequest),
        (format!("/v1/signals?channel={nobody}"), ProblemKind::NotFound),
        (format!("/v1/signals/{nobody}"), ProblemKind::NotFound),
        ("/v1/signals/not-an-id".into(), ProblemKind::NotFound),
        ("/v1/events?after=-1".into(), ProblemKind::InvalidRequest),
        ("/v1/events?after=13".into(), ProblemKind::CursorAhead),
        ("/v1/channels?cursor=e30".into(), ProblemKind::InvalidRequest),
        // ["\u0000","00000000-0000-0000-0000-000000000000"]
        (
            "/v1/channels?cursor=WyJcdTAwMDAiLCIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAiXQ".into(),
            ProblemKind::InvalidRequest,
        ),
        ("/v1/signals?since=9999-12-31T23:59:59-23:59".into(), ProblemKind::InvalidRequest),
        ("/v1/signals/%ff".into(), ProblemKind::NotFound),
        ("/v1/feed".into(), ProblemKind::InvalidRequest),
        ("/v2/signals".into(), ProblemKind::NotFound),
    ] {
        let problem = api.problem(Method::GET, &path, None).await;
        assert_eq!(problem.kind, kind, "{path}: {}", problem.detail);
        assert!(!problem.detail.is_empty(), "{path}");
    }
    let ahead = api.problem(Method::GET, "/v1/events?after=13", None).await;
    assert_eq!(ahead.head, Some(12), "the client is told where the log ends");
    let problem = api.problem(Method::DELETE, "/v1/signals", None).await;
    assert_eq!(problem.kind, ProblemKind::MethodNotAllowed);
}

#[tokio::test]
async fn every_list_needs_a_key_and_health_does_not() {
    let (_server, api) = filled().await;
    let nobody = Api::new(&api.url, "");
    for path in ["/v1/signals", "/v1/signals/x", "/v1/channels", "/v1/events", "/v1/feed"] {
        assert_eq!(nobody.problem(Method::GET, path, None).await.kind, ProblemKind::Unauthorized, "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(nobody.send(Method::GET, path, None).await.status(), 200, "{path}");
    }
    let version: Version = nobody.get("/v1/version").await;
    assert_eq!(version.reader_version, shared::reading::READER_VERSION);
}

/// Every reading of these signals' posts, with its post.
async fn readings(api: &Api) -> Vec<(Post, Reading)> {
    let page: SignalsPage = api.get("/v1/signals?limit=500").await;
    let mut found = Vec::new();
    for signal in page.signals {
        let detail: SignalDetail = api.get(&format!("/v1/signals/{}", signal.record.id)).await;
        found.extend(detail.posts.into_iter().filter_map(|record| Some((record.post, record.reading?))));
    }
    found
}

#[tokio::test]
async fn a_signals_evidence_names_stretches_of_its_post() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let mut card = sighting(2, "**New call** 🚀 для всех");
    card.post.embeds = vec![Embed {
        title: Some("#ETH/USDT LONG".into()),
        fields: [("Entry", "4000"), ("TP1", "4200"), ("SL", "3800")]
            .map(|(name, value)| EmbedField { name: name.into(), value: value.into() })
            .into(),
        ..Embed::default()
    }];
    let mut passed_on = sighting(3, "");
    passed_on.post.forwarded = vec![Forwarded { content: signal_text("SOL"), embeds: Vec::new() }];
    let styled = signal_text("BTC").replace("SL", "🛑 𝗦𝗟");
    api.post(&batch([sighting(1, &signal_text("BTC")), card, passed_on, sighting(4, &styled)])).await;
    let found = readings(&api).await;
    assert!(found.len() >= 2, "{found:?}");
    for (post, reading) in &found {
        for evidence in &reading.evidence {
            let text = evidence.text(post);
            assert!(text.is_some_and(|text| !text.trim().is_empty()), "{evidence:?} of {post:?}");
        }
    }
    // Whatever the reader names, what is stored is what is answered.
    let stated = Evidence { of: 0, field: Field::Stop, part: Part::Content, start: 51, end: 55 };
    let told = serde_json::to_string(&[stated]).unwrap();
    sqlx::query(
        "UPDATE readings SET reading = jsonb_set(reading::jsonb, '{evidence}', $1::jsonb)::text
        WHERE post_id = (SELECT post_id FROM signals WHERE external_id = '1')",
    )
    .bind(told)
    .execute(&server.pool)
    .await
    .unwrap();
    let found = readings(&api).await;
    let (post, reading) = found.iter().find(|(post, _)| post.external_id == "1").unwrap();
    assert_eq!(reading.evidence, [stated]);
    assert_eq!(stated.text(post), Some("3800"));
}

#[tokio::test]
async fn every_list_says_of_a_cursor_that_is_none_that_it_is_none() {
    let server = TestServer::start().await;
    let api = server.client(Role::Admin).await;
    let document = serde_json::to_value(server::http::document()).unwrap();
    let has_cursor = |get: &serde_json::Value| {
        let parameters = get["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["name"] == "cursor")
    };
    let paths =
        document["paths"].as_object().unwrap().iter().filter(|(_, methods)| has_cursor(&methods["get"]));
    let lists: Vec<String> =
        paths.map(|(path, _)| path.replace("{id}", &uuid::Uuid::nil().to_string())).collect();
    assert!(lists.len() >= 3, "{lists:?}");
    // Not base64, not JSON, another shape, and a time and an id that are none.
    for cursor in ["a", "nonsense!", "bm8", "e30", "W10", "bnVsbA", "WyJub3ciLCJtZSJd", "%00", "%F0%9F%9A%80"]
    {
        for list in &lists {
            let problem = api.problem(Method::GET, &format!("{list}?cursor={cursor}"), None).await;
            assert_eq!(problem.kind, ProblemKind::InvalidRequest, "{list} {cursor}: {problem:?}");
            assert_eq!(problem.field.as_deref(), Some("cursor"), "{list} {cursor}");
        }
    }
}
