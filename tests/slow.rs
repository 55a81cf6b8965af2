//! Connections that do not do their part: each is closed within its limit, while others are served as ever.
//!
//! The limits are small, so that a test takes as long as its limit and no longer. A dripping client waits for its next byte
//! by listening whether it has been cut off.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use server::auth::Role;
use server::config::Config;
use server::edge::limits::Limits;
use server::edge::rates::Allowance;
use support::eventually;
use support::feed::{Seen, Subscription};
use support::postgres::Scratch;
use support::posts::{batch, sighting, signal_text};
use support::server::{Api, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Small enough to wait for, and far enough apart to be told from each other.
const LIMITS: Limits = Limits {
    head_ms: 500,
    idle_ms: 6000,
    body_ms: 700,
    answer_ms: 20_000,
    write_ms: 600,
    feed_send_ms: 600,
    feed_silence_ms: 45_000,
    connections: 1000,
    connections_per_address: 1000,
    requests: 512,
    feeds_per_account: 5,
    feeds_per_address: 20,
    address: OFTEN,
    reads: OFTEN,
    posts: OFTEN,
};
/// An honest client asks all the time here.
const OFTEN: Allowance = Allowance::new(1_000_000, 1_000_000);
/// How much later than its limit a connection may be closed: this machine may have a lot to do.
const SLACK: Duration = Duration::from_secs(4);
/// The pause between two bytes of a dripping client.
const DRIP: Duration = Duration::from_millis(40);
/// A head that is whole but for its last line.
const HALF_HEAD: &str = "GET /healthz HTTP/1.1\r\nhost: a\r\n";

async fn server(limits: Limits) -> TestServer {
    TestServer::with(Scratch::new().await, Config { limits, ..Config::default() }).await
}

/// A connection from `127.0.0.<last>`.
async fn connect(server: &TestServer, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // So that a few answers that are not read fill the buffers.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    socket.connect(server.url.trim_start_matches("http://").parse().unwrap()).await.unwrap()
}

/// What a slow client sends: something at once, then one byte at a time.
#[derive(Clone)]
struct Slow {
    name: &'static str,
    at_once: String,
    dripped: String,
    limit: Duration,
    /// What it is told before it is cut off.
    answer: &'static str,
}

fn table(key: &str) -> Vec<Slow> {
    let post = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: 100000\r\n\r\n"
    );
    let rows = [
        ("silent", "", "", LIMITS.head(), ""),
        ("one byte", "G", "", LIMITS.head(), ""),
        ("half a head", HALF_HEAD, "", LIMITS.head(), ""),
        ("a dripping head", HALF_HEAD, "x-long: aaaaaaaaaaaaaa", LIMITS.head(), ""),
        ("half a body", &format!("{post}{{"), "", LIMITS.body(), "408 Request Timeout"),
        ("a dripping body", &post, "[[[[[[[[[[[[[[[[[[[[[[[", LIMITS.body(), "408 Request Timeout"),
        ("resting between requests", &format!("{HALF_HEAD}\r\n"), "", LIMITS.idle(), "200 OK"),
        (
            "half a second head",
            &format!("{HALF_HEAD}\r\n{HALF_HEAD}"),
            "x-long: aaaaaaaaaaaaaa",
            LIMITS.head(),
            "200 OK",
        ),
    ];
    let slow =
        |(name, at_once, dripped, limit, answer): (&'static str, &str, &str, Duration, &'static str)| {
            let dripped = dripped.repeat(1000);
            Slow { name, at_once: at_once.to_owned(), dripped, limit, answer }
        };
    rows.into_iter().map(slow).collect()
}

/// Sends as the row says until the connection is closed; checks when that was and what was said before.
async fn is_cut_off(mut stream: TcpStream, slow: Slow) {
    let began = Instant::now();
    let mut heard = Vec::new();
    let mut drops = slow.dripped.bytes();
    let mut is_open = stream.write_all(slow.at_once.as_bytes()).await.is_ok();
    while is_open {
        let mut buffer = [0; 4096];
        // Listening is how it waits: a closed connection ends the wait at once.
        match tokio::time::timeout(DRIP, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => is_open = false,
            Ok(Ok(count)) => heard.extend_from_slice(&buffer[..count]),
            Err(_) => {
                if let Some(drop) = drops.next() {
                    is_open = stream.write_all(&[drop]).await.is_ok();
                }
            }
        }
        assert!(began.elapsed() < slow.limit + SLACK, "{} was not closed", slow.name);
    }
    let heard = String::from_utf8_lossy(&heard);
    assert!(began.elapsed() * 10 > slow.limit * 9, "{} was closed before its limit: {heard}", slow.name);
    assert!(heard.contains(slow.answer), "{}: {heard}", slow.name);
    assert_eq!(heard.is_empty(), slow.answer.is_empty(), "{}: {heard}", slow.name);
}

/// Asks for as long as the task runs; returns how long the answers took, the slowest last.
async fn ask_until(task: impl Future<Output = ()>, api: &Api) -> Vec<Duration> {
    let mut took = Vec::new();
    tokio::pin!(task);
    loop {
        let began = Instant::now();
        let asking = api.send(reqwest::Method::GET, "/v1/channels", None);
        tokio::select! {
            () = &mut task => break,
            response = asking => assert_eq!(response.status(), StatusCode::OK),
        }
        took.push(began.elapsed());
    }
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_within_their_limits_while_others_are_answered_at_once() {
    let server = server(LIMITS).await;
    let api = server.client(Role::Contributor).await;
    let mut attack = tokio::task::JoinSet::new();
    // Forty of each, from as many addresses.
    for slow in table(&api.key) {
        for last in 2..42 {
            attack.spawn(is_cut_off(connect(&server, last).await, slow.clone()));
        }
    }
    let over = async { while attack.join_next().await.is_some_and(|done| done.map(|()| true).unwrap()) {} };
    let took = ask_until(over, &api).await;
    let usual = took[took.len() * 9 / 10];
    assert!(usual < Duration::from_millis(250), "nine of ten honest requests took up to {usual:?}");
    assert!(took.len() > 10, "only {} honest requests were answered", took.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_its_answers_is_cut_off_and_its_place_is_free_again() {
    let server = server(Limits { connections_per_address: 1, ..LIMITS }).await;
    let api = server.client(Role::Contributor).await;
    for page in 0..8 {
        let sent = (0..100).map(|id| sighting(page * 100 + id + 1, &signal_text("BTC")));
        api.post(&batch(sent)).await;
    }
    let request =
        format!("GET /v1/events?limit=500 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\r\n", api.key);
    let mut deaf = connect(&server, 2).await;
    deaf.write_all(request.repeat(60).as_bytes()).await.unwrap();
    let began = Instant::now();
    eventually("the only place of this address is free again", async || is_served(&server, 2).await).await;
    let waited = began.elapsed();
    assert!(waited * 10 > LIMITS.write() * 9, "it was cut off after only {waited:?}");
    assert!(waited < LIMITS.write() * 2 + SLACK, "it was cut off after {waited:?}");
    drop(deaf);
}

/// Whether a new connection from this address gets an answer.
async fn is_served(server: &TestServer, last: u8) -> bool {
    let mut stream = connect(server, last).await;
    let mut answer = [0; 12];
    stream.write_all(format!("{HALF_HEAD}\r\n").as_bytes()).await.is_ok()
        && stream.read_exact(&mut answer).await.is_ok()
        && &answer == b"HTTP/1.1 200"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_never_reads_is_cut_off_within_the_limit_of_a_page() {
    let server = server(LIMITS).await;
    let api = server.client(Role::Contributor).await;
    for page in 0..60 {
        let sent = (0..100).map(|id| sighting(page * 100 + id + 1, &signal_text("BTC")));
        api.post(&batch(sent)).await;
    }
    let mut deaf = Subscription::open(&api, 0, "").await.unwrap();
    let mut honest = Subscription::open(&api, 5990, "").await.unwrap();
    assert_eq!(honest.events(10).await.last(), Some(&6000));
    // It reads again only after its time: what the kernel has kept, and then the end.
    let page = tokio::time::timeout(LIMITS.feed_send() * 3, std::future::pending::<()>()).await;
    assert!(page.is_err());
    let mut received = 0;
    while let Seen::Event(..) = deaf.next().await {
        received += 1;
    }
    assert!(received < 6000, "it was served to the end although it did not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_places_of_an_address_are_closed_and_other_addresses_are_served() {
    let server = server(Limits { connections_per_address: 20, connections: 30, ..LIMITS }).await;
    let mut open = Vec::new();
    for _ in 0..100 {
        let mut stream = connect(&server, 2).await;
        stream.write_all(format!("{HALF_HEAD}\r\n").as_bytes()).await.ok();
        open.push(stream);
    }
    let mut served = 0;
    for stream in &mut open {
        let mut answer = [0; 12];
        served += usize::from(stream.read_exact(&mut answer).await.is_ok());
    }
    assert_eq!(served, 20);
    assert!(is_served(&server, 3).await, "another address has places of its own");
    eventually("the places are free again when the connections rest too long", async || {
        is_served(&server, 2).await
    })
    .await;
}
