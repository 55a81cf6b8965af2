//! A subscriber of the feed that checks what it is sent.

use futures_util::{SinkExt, StreamExt};
use shared::wire::{Event, Frame};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::PATIENCE;
use crate::server::Api;

/// An open subscription.
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The last `seq` received, or where the subscription began.
    pub cursor: i64,
}

/// What a subscriber is sent, heartbeats aside.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// An event.
    Event(i64, Box<Event>),
    /// The replay is over.
    CaughtUp(i64),
    /// The server closed the subscription with this code.
    Closed(u16),
}

impl Subscription {
    /// Subscribes; `query` is what follows `after=…`, such as `&symbol=BTC`. The error is the refusal's HTTP status.
    pub async fn open(api: &Api, after: i64, query: &str) -> Result<Self, u16> {
        let url = format!("{}/v1/feed?after={after}{query}", api.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a feed URL");
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {}", api.key).parse().expect("a header"));
        match connect_async(request).await {
            Ok((socket, _)) => {
                let mut subscription = Self { socket, cursor: after };
                let hello = subscription.frame().await;
                assert!(matches!(hello, Some(Frame::Hello { .. })), "{hello:?}");
                Ok(subscription)
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("subscribing failed: {error}"),
        }
    }

    async fn frame(&mut self) -> Option<Frame> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a frame in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("a frame")),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// The next thing of interest. Fails when `prev` shows that something was skipped, or `seq` that it was doubled, and
    /// when nothing but heartbeats comes.
    pub async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.next_of_interest()).await.expect("something of interest in time")
    }

    async fn next_of_interest(&mut self) -> Seen {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    return Seen::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Seen::Closed(1006),
            };
            match serde_json::from_str(&text).expect("a frame") {
                Frame::Event { seq, prev, event, .. } => {
                    assert_eq!(prev, self.cursor, "a line is missing or doubled before {seq}");
                    assert!(seq > prev);
                    self.cursor = seq;
                    return Seen::Event(seq, Box::new(event));
                }
                Frame::CaughtUp { seq } => return Seen::CaughtUp(seq),
                Frame::Hello { .. } | Frame::Heartbeat { .. } | Frame::Unknown => {}
            }
        }
    }

    /// Waits for the next heartbeat, and returns the head that it names.
    pub async fn heartbeat(&mut self) -> i64 {
        loop {
            match self.frame().await.expect("an open subscription") {
                Frame::Heartbeat { head, .. } => return head,
                _ => continue,
            }
        }
    }

    /// Reads the sequence numbers of the next events, until there are this many.
    pub async fn events(&mut self, count: usize) -> Vec<i64> {
        let mut seqs = Vec::with_capacity(count);
        while seqs.len() < count {
            match self.next().await {
                Seen::Event(seq, _) => seqs.push(seq),
                Seen::CaughtUp(_) => {}
                Seen::Closed(code) => panic!("closed with {code} after {} of {count} events", seqs.len()),
            }
        }
        seqs
    }

    /// Sends a text to the server.
    pub async fn say(&mut self, text: &str) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }
}
