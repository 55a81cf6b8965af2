//! The feed client against a server that drops, repeats, skips and refuses.

use futures_util::SinkExt;
use shared::wire::Event;
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;

/// Accepts one subscriber; gives the socket and the `after` that it asked for.
#[expect(clippy::result_large_err, reason = "the size of the library's refusal, which is not given here")]
async fn accept(listener: &TcpListener) -> (WebSocketStream<TcpStream>, i64) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut after = -1;
    let read = |request: &Request, response: Response| {
        assert_eq!(request.headers()["authorization"], "Bearer cb_key");
        after = request.uri().query().unwrap().strip_prefix("after=").unwrap().parse().unwrap();
        Ok(response)
    };
    let socket = tokio_tungstenite::accept_hdr_async(stream, read).await.unwrap();
    (socket, after)
}

async fn send(socket: &mut WebSocketStream<TcpStream>, frame: &Frame) {
    socket.send(Message::text(serde_json::to_string(frame).unwrap())).await.unwrap();
}

fn event(seq: i64, prev: i64) -> Frame {
    Frame::Event { seq, prev, at: datetime!(2026-06-01 12:00 UTC), event: Event::Unknown }
}

async fn server() -> (TcpListener, Feed) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let key = serde_json::from_str("\"cb_key\"").unwrap();
    (listener, Feed { address, key, patience: Some(4) })
}

#[tokio::test]
async fn a_dropped_or_gappy_connection_is_resumed_and_every_event_comes_once() {
    let (listener, feed) = server().await;
    let (sender, mut heard) = mpsc::channel(16);
    let serving = async {
        let (mut socket, after) = accept(&listener).await;
        assert_eq!(after, 3);
        send(&mut socket, &Frame::Hello { head: 9 }).await;
        send(&mut socket, &event(4, 3)).await;
        send(&mut socket, &event(5, 4)).await;
        drop(socket);
        let (mut socket, after) = accept(&listener).await;
        assert_eq!(after, 5);
        send(&mut socket, &event(5, 4)).await;
        send(&mut socket, &event(6, 5)).await;
        send(&mut socket, &event(8, 7)).await;
        let (mut socket, after) = accept(&listener).await;
        assert_eq!(after, 6, "the event after the gap was not taken");
        send(&mut socket, &event(7, 6)).await;
        send(&mut socket, &Frame::CaughtUp { seq: 7 }).await;
        socket.next().await
    };
    let listening = async {
        let mut seqs = Vec::new();
        while let Some(Heard::Event(record)) = heard.recv().await {
            seqs.push(record.seq);
        }
        drop(heard);
        seqs
    };
    tokio::select! {
        seqs = listening => assert_eq!(seqs, [4, 5, 6, 7]),
        end = feed.follow(3, sender) => panic!("{end:?}"),
        () = async { serving.await; std::future::pending().await } => {}
    }
}

#[tokio::test]
async fn a_server_that_leaves_events_out_again_and_again_is_not_believed() {
    let (listener, feed) = server().await;
    let (sender, _heard) = mpsc::channel(16);
    let serving = async {
        loop {
            let (mut socket, _) = accept(&listener).await;
            send(&mut socket, &event(9, 8)).await;
        }
    };
    tokio::select! {
        end = feed.follow(3, sender) => {
            assert!(matches!(end, Err(FeedError::Gap { cursor: 3, seq: 9, prev: 8, gaps: 3 })), "{end:?}");
        }
        () = serving => {}
    }
}

#[tokio::test]
async fn a_revoked_key_is_not_tried_again() {
    let (listener, feed) = server().await;
    let (sender, _heard) = mpsc::channel(16);
    let serving = async {
        let (mut socket, _) = accept(&listener).await;
        let frame = CloseFrame { code: close_code::UNAUTHORIZED.into(), reason: "".into() };
        socket.close(Some(frame)).await.unwrap();
        std::future::pending::<()>().await
    };
    tokio::select! {
        end = feed.follow(0, sender) => assert!(matches!(end, Err(FeedError::KeyRefused(_))), "{end:?}"),
        () = serving => {}
    }
}

/// Answers one request with plain HTTP.
async fn answer(listener: &TcpListener, status: &str, body: &str) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await.unwrap();
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn refusals_before_the_socket_are_told_apart() {
    let ahead =
        r#"{"type":"urn:callboard:problem:cursor-ahead","title":"t","status":409,"detail":"d","head":5}"#;
    for (status, body, words) in [
        ("401 Unauthorized", "", "does not accept this API key (401 Unauthorized)"),
        ("403 Forbidden", "", "does not accept this API key"),
        ("409 Conflict", ahead, "the journal has seen event 7, and the server's log ends at 5"),
        ("404 Not Found", "", "no feed at this address"),
    ] {
        let (listener, feed) = server().await;
        let (sender, _heard) = mpsc::channel(16);
        let (end, ()) = tokio::join!(feed.follow(7, sender), answer(&listener, status, body));
        let error = end.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_server_is_given_up_only_if_patience_has_an_end() {
    let (listener, feed) = server().await;
    drop(listener);
    let (sender, _heard) = mpsc::channel(16);
    assert!(matches!(feed.follow(0, sender).await, Err(FeedError::Unreachable(_))));
}

#[test]
fn pauses_double_up_to_a_limit_and_vary() {
    let pauses: Vec<u128> = (1..=8).map(|failures| pause_after(failures, 0).as_millis()).collect();
    assert_eq!(pauses, [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000]);
    assert_eq!(pause_after(1, 999).as_millis(), 250);
    assert_eq!(pause_after(u32::MAX, 0), LONGEST_PAUSE);
}
