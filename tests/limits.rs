//! What a stranger may take, and how he is told: rates, sizes, nesting, origins; ids of requests; a problem for every error.

use axum::http::StatusCode;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use server::auth::Role;
use server::config::Config;
use server::edge::limits::Limits;
use server::edge::rates::Allowance;
use shared::wire::{ProblemBody, ProblemKind};
use support::eventually;
use support::feed::Subscription;
use support::postgres::Scratch;
use support::posts::{batch, sighting, signal_text};
use support::server::{Api, TestServer, generous};

async fn server(config: Config) -> TestServer {
    TestServer::with(Scratch::new().await, config).await
}

/// Asks for the version with these headers.
async fn ask(server: &TestServer, headers: &[(&str, &str)]) -> Response {
    let request = Client::new().get(format!("{}/v1/version", server.url));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

/// How many of so many requests are answered with success; the others must be 429 with `Retry-After`.
async fn answered(server: &TestServer, count: u32, forwarded_for: impl Fn(u32) -> String) -> u32 {
    let mut answered = 0;
    for number in 0..count {
        let response = ask(server, &[("x-forwarded-for", &forwarded_for(number))]).await;
        if response.status() == StatusCode::OK {
            answered += 1;
            continue;
        }
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait), "{wait}");
        let problem: ProblemBody = response.json().await.unwrap();
        assert_eq!(problem.kind, ProblemKind::TooOften);
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_bucket_whatever_it_says_about_itself() {
    let limits = Limits { address: Allowance::new(20, 1), ..generous() };
    let server = server(Config { limits, ..Config::default() }).await;
    assert_eq!(answered(&server, 60, |number| format!("203.0.113.{number}")).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_client_has_a_bucket_and_one_ipv6_network_is_one_client() {
    let limits = Limits { address: Allowance::new(5, 1), connections_per_address: 1, ..generous() };
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let server = server(Config { limits, trusted_proxies, ..Config::default() }).await;
    assert_eq!(answered(&server, 30, |number| format!("203.0.113.{number}")).await, 30);
    assert_eq!(answered(&server, 30, |number| format!("2001:db8::{number}")).await, 5);
    // What the client itself has sent stands further left, and does not count.
    assert_eq!(answered(&server, 30, |number| format!("198.51.100.{number}, 192.0.2.1")).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_one_bucket_for_reading_and_one_for_contributing() {
    let limits = Limits { reads: Allowance::new(4, 1), posts: Allowance::new(3, 1), ..generous() };
    let server = server(Config { limits, ..Config::default() }).await;
    let api = server.client(Role::Contributor).await;
    let body = serde_json::to_vec(&batch([sighting(1, &signal_text("BTC"))])).unwrap();
    let rows = [(Method::GET, "/v1/signals", None, 4), (Method::POST, "/v1/messages", Some(body), 3)];
    for (method, path, body, allowed) in rows {
        for round in 0..allowed + 2 {
            let status = api.send(method.clone(), path, body.clone()).await.status();
            let expected = if round < allowed { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
            assert_eq!(status, expected, "{path}, round {round}");
        }
    }
    let other = server.client(Role::Member).await;
    assert_eq!(other.send(Method::GET, "/v1/signals", None).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_so_many_subscriptions_and_a_closed_one_makes_room() {
    let limits = Limits { feeds_per_account: 2, ..generous() };
    let server = server(Config { limits, ..Config::default() }).await;
    let api = server.client(Role::Member).await;
    let first = Subscription::open(&api, 0, "").await.unwrap();
    let _second = Subscription::open(&api, 0, "").await.unwrap();
    assert_eq!(Subscription::open(&api, 0, "").await.err(), Some(429));
    let other = server.client(Role::Member).await;
    assert!(Subscription::open(&other, 0, "").await.is_ok());
    drop(first);
    eventually("there is room again", async || Subscription::open(&api, 0, "").await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_opens_for_programs_and_listed_origins_only_and_nothing_says_that_others_may_read() {
    let allowed_origins = vec!["https://pages.example".to_owned()];
    let server = server(Config { limits: generous(), allowed_origins, ..Config::default() }).await;
    let key = server.key(Role::Member).await;
    let open = async |origin: Option<&str>| {
        let request = Client::new().get(format!("{}/v1/feed", server.url)).bearer_auth(&key);
        let request = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        request.send().await.unwrap()
    };
    assert_eq!(open(None).await.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(open(Some("https://pages.example")).await.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(open(Some("HTTPS://Pages.Example")).await.status(), StatusCode::SWITCHING_PROTOCOLS);
    for hostile in [
        "null",
        "https://pages.example.evil.example",
        "https://evil-pages.example",
        "https://sub.pages.example",
        "http://pages.example",
        "https://pages.example:8443",
        "https://pages.example/",
        "https://pages.example@evil.example",
        "file://",
        "",
    ] {
        let refused = open(Some(hostile)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{hostile}");
        let says_more = refused.headers().keys().any(|name| name.as_str().starts_with("access-control"));
        assert!(!says_more, "{hostile}");
    }
    let preflight = Client::new()
        .request(Method::OPTIONS, format!("{}/v1/signals", server.url))
        .header("origin", "https://pages.example")
        .header("access-control-request-method", "GET");
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(!preflight.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_request_by_the_clients_id_or_a_new_one() {
    let server = TestServer::start().await;
    let kept = ask(&server, &[("x-request-id", "job-17:3")]).await;
    assert_eq!(kept.headers()["x-request-id"], "job-17:3");
    let replaced = ask(&server, &[("x-request-id", "<script>")]).await;
    let new = replaced.headers()["x-request-id"].to_str().unwrap();
    assert!(new.parse::<uuid::Uuid>().is_ok(), "{new}");
    let missing = Client::new().get(format!("{}/nowhere", server.url)).send().await.unwrap();
    assert!(missing.headers().contains_key("x-request-id"), "errors too");
    assert_eq!(missing.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_problem_with_a_type_that_stays() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let stranger = Api::new(&server.url, "cb_nonsense");
    let large = vec![b' '; 1024 * 1024 + 1];
    let rows = [
        (&api, Method::GET, "/nowhere", None::<&[u8]>, 404, "not-found"),
        (&api, Method::GET, "/v1/signals/no-id", None, 404, "not-found"),
        (&api, Method::DELETE, "/v1/signals", None, 405, "method-not-allowed"),
        (&api, Method::TRACE, "/v1/messages", None, 405, "method-not-allowed"),
        (&api, Method::GET, "/v1/signals?limit=0", None, 422, "invalid-request"),
        (&api, Method::GET, "/v1/signals?nonsense=1", None, 422, "invalid-request"),
        (&stranger, Method::GET, "/v1/signals", None, 401, "unauthorized"),
        (&api, Method::POST, "/v1/messages", Some(b"{".as_slice()), 400, "malformed-json"),
        (&api, Method::POST, "/v1/messages", Some(&large), 413, "body-too-large"),
    ];
    for (api, method, path, body, status, slug) in rows {
        let problem = api.problem(method.clone(), path, body).await;
        assert_eq!(problem.status, status, "{method} {path}");
        let kind = serde_json::to_value(problem.kind).unwrap();
        assert_eq!(kind, format!("urn:callboard:problem:{slug}"), "{method} {path}");
    }
    let refused = api.send(Method::PUT, "/v1/signals", None).await;
    assert_eq!(refused.headers()["allow"], "GET,HEAD");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_may_have_1_mib_and_everything_else_far_less() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    for (path, limit) in [("/v1/messages", 1024 * 1024), ("/v1/gaps", 64 * 1024)] {
        // Spaces are JSON for nothing: the size alone decides between the two.
        for (bytes, status) in [(limit, 400), (limit + 1, 413)] {
            let problem = api.problem(Method::POST, path, Some(&vec![b' '; bytes])).await;
            assert_eq!(problem.status, status, "{path} with {bytes} bytes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_page_is_whole_and_loads_nothing_from_elsewhere() {
    let server = TestServer::start().await;
    let get = async |path: &str| Client::new().get(format!("{}{path}", server.url)).send().await.unwrap();
    let page = get("/reference").await;
    assert!(page.url().path().ends_with("/reference/"), "{}", page.url());
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"), "{policy}");
    // Compressed as it was embedded; the names of its parts are these.
    assert_eq!(page.headers()["content-encoding"], "gzip");
    for part in ["swagger-ui.css", "index.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"] {
        assert_eq!(get(&format!("/reference/{part}")).await.status(), StatusCode::OK, "{part}");
    }
    let start = get("/reference/swagger-initializer.js").await.text().await.unwrap();
    assert!(start.contains("/openapi.json") && start.contains(r#""validatorUrl": "none""#), "{start}");
    assert!(!start.contains("http"), "{start}");
    let description: Value = serde_json::from_str(&get("/openapi.json").await.text().await.unwrap()).unwrap();
    assert!(description["paths"]["/v1/messages"].is_object());
    for none in ["/reference/nothing.js", "/reference/../Cargo.toml", "/reference/%2e%2e%2fCargo.toml"] {
        assert_eq!(get(none).await.status(), StatusCode::NOT_FOUND, "{none}");
    }
}

/// Bodies that some server has stumbled over.
fn hostile_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let good = serde_json::to_value(batch([sighting(1, &signal_text("BTC"))])).unwrap();
    let with = |pointer: &str, value: &str| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = json!("@@");
        body.to_string().replacen("\"@@\"", value, 1).into_bytes()
    };
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let many: serde_json::Map<String, Value> = (0..10_000).map(|key| (format!("k{key}"), json!(1))).collect();
    let content = "/sightings/0/post/content";
    let mut rows: Vec<(&'static str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("null", b"null".to_vec()),
        ("an array", b"[]".to_vec()),
        ("nested 17 levels", nested(17).into_bytes()),
        ("nested 128 levels", nested(128).into_bytes()),
        ("opened 100,000 times", "[".repeat(100_000).into_bytes()),
        ("nested inside a field", with(content, &nested(100))),
        ("10,000 keys", serde_json::to_vec(&many).unwrap()),
        ("the same key twice", br#"{"sightings":[],"sightings":[]}"#.to_vec()),
        ("not UTF-8", b"{\"sightings\":\"\xff\xfe\"}".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("something behind", b"{\"sightings\":[]} {}".to_vec()),
        ("half a body", b"{\"sightings\":[{\"po".to_vec()),
        ("a raw line break in a text", with(content, "\"a\nb\"")),
    ];
    let values = [
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "18446744073709551616",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u0000""#,
        "{}",
        "[]",
        "true",
        "null",
    ];
    for pointer in
        [content, "/sightings/0/post/posted_at", "/sightings/0/post/external_id", "/sightings/0/seen_at"]
    {
        rows.extend(values.iter().map(|value| (*value, with(pointer, value))));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_json_is_refused_with_a_reason_and_never_harms() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    for path in ["/v1/messages", "/v1/gaps"] {
        for (name, body) in hostile_bodies() {
            let problem = api.problem(Method::POST, path, Some(&body)).await;
            use ProblemKind::{BodyTooLarge, InvalidRequest, MalformedJson};
            assert!(
                matches!(problem.kind, MalformedJson | InvalidRequest | BodyTooLarge),
                "{path}: {name}: {problem:?}"
            );
        }
    }
    let request = Client::new().post(format!("{}/v1/messages", server.url)).bearer_auth(&api.key);
    let squeezed = request.header("content-type", "application/json").header("content-encoding", "gzip");
    let refused = squeezed.body(vec![0x1f, 0x8b, 8, 0]).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let kept = api.post(&batch([sighting(1, &signal_text("BTC"))])).await;
    assert_eq!(kept.len(), 1, "and the good one is kept");
}
