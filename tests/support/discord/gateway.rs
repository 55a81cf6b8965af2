//! The fake's gateway: one WebSocket for each bot.
//!
//! Entry point: [`router`]. HELLO, IDENTIFY, RESUME with replay, heartbeats, and the close codes for what is not allowed.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::GUILD;
use super::world::{Cut, Out, Session, World, bot_user};

type Shared = Arc<Mutex<World>>;

/// All intents that there are, as of 2026.
const KNOWN_INTENTS: u64 = 0x0333_ffff;
/// The intents that must be switched on: members, presences, message content.
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | MESSAGE_CONTENT;
const MESSAGE_CONTENT: u64 = 1 << 15;
/// The longest payload that a bot may send.
const MAX_PAYLOAD: usize = 4_096;

pub(super) fn router(world: Shared) -> Router {
    Router::new().route("/", get(upgrade)).with_state(world)
}

async fn upgrade(State(world): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let is_down = {
        let mut world = world.lock().expect("no panic");
        world.requests.push("gateway".to_owned());
        world.is_gateway_down
    };
    if is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(async move |socket| serve(world, socket).await)
}

/// What is to be done after a payload.
enum Then {
    GoOn,
    /// This session is heard on this connection from now on.
    Hear(UnboundedReceiver<Out>, Vec<String>),
    Answer(String),
    End(Cut),
}

async fn serve(world: Shared, mut socket: WebSocket) {
    let heartbeat = world.lock().expect("no panic").heartbeat_ms;
    let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": heartbeat } });
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    let mut outgoing: Option<UnboundedReceiver<Out>> = None;
    // An IDENTIFY that has to wait for its answer.
    let mut held: Option<String> = None;
    loop {
        let next = async {
            match &mut outgoing {
                Some(outgoing) => outgoing.recv().await,
                None => std::future::pending().await,
            }
        };
        let then = tokio::select! {
            out = next => match out {
                Some(Out::Text(text)) => Then::Answer(text),
                Some(Out::End(cut)) => Then::End(cut),
                None => Then::End(Cut::Tcp),
            },
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Text(text))) if must_wait(&world, &text) => {
                    held = Some(text.to_string());
                    Then::GoOn
                }
                Some(Ok(Message::Text(text))) => payload(&world, &text, outgoing.is_some()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Then::GoOn,
                Some(Ok(Message::Binary(_))) => Then::End(Cut::Code(4002)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        };
        let then = match held.take_if(|text| !must_wait(&world, text)) {
            Some(text) => payload(&world, &text, outgoing.is_some()),
            None => then,
        };
        let went = match then {
            Then::GoOn => Ok(()),
            Then::Answer(text) => socket.send(Message::text(text)).await,
            Then::End(cut) => match end(&mut socket, cut).await {
                true => continue,
                false => return,
            },
            Then::Hear(out, lines) => {
                outgoing = Some(out);
                let mut went = Ok(());
                for line in lines {
                    went = went.and(socket.send(Message::text(line)).await);
                }
                went
            }
        };
        if went.is_err() {
            return;
        }
    }
}

/// Ends a connection; true when the bot is to end it.
async fn end(socket: &mut WebSocket, cut: Cut) -> bool {
    let sent = match cut {
        Cut::Tcp => return false,
        Cut::NoCode => socket.send(Message::Close(None)).await,
        Cut::Code(code) => {
            let frame = CloseFrame { code, reason: "said by the test".into() };
            socket.send(Message::Close(Some(frame))).await
        }
        Cut::Reconnect => socket.send(Message::text(json!({ "op": 7, "d": null }).to_string())).await,
        Cut::Invalid => socket.send(Message::text(json!({ "op": 9, "d": false }).to_string())).await,
    };
    sent.is_ok() && matches!(cut, Cut::Reconnect | Cut::Invalid)
}

fn payload(world: &Shared, text: &str, is_identified: bool) -> Then {
    let world = &mut *world.lock().expect("no panic");
    let Ok(payload) = serde_json::from_str::<Value>(text) else { return Then::End(Cut::Code(4002)) };
    if text.len() > MAX_PAYLOAD {
        return Then::End(Cut::Code(4002));
    }
    let data = &payload["d"];
    match payload["op"].as_u64() {
        Some(1) if world.is_silent => Then::GoOn,
        Some(1) if world.ready_after_beats > 0 => {
            world.ready_after_beats -= 1;
            Then::Answer(json!({ "op": 11, "s": null, "t": null, "d": null }).to_string())
        }
        Some(1) => Then::Answer(json!({ "op": 11, "s": null, "t": null, "d": null }).to_string()),
        Some(2) if is_identified => Then::End(Cut::Code(4005)),
        Some(2) => identify(world, data),
        Some(6) => resume(world, data),
        _ if !is_identified => Then::End(Cut::Code(4003)),
        _ => Then::End(Cut::Code(4001)),
    }
}

/// Whether this is an IDENTIFY that gets no answer yet.
fn must_wait(world: &Shared, text: &str) -> bool {
    let identifies = serde_json::from_str::<Value>(text).is_ok_and(|payload| payload["op"] == 2);
    identifies && world.lock().expect("no panic").ready_after_beats > 0
}

fn is_token(world: &World, data: &Value) -> bool {
    data["token"].as_str().is_some_and(|token| token.trim_start_matches("Bot ") == world.token)
}

fn identify(world: &mut World, data: &Value) -> Then {
    if !is_token(world, data) {
        return Then::End(Cut::Code(4004));
    }
    let intents = data["intents"].as_u64().unwrap_or(u64::MAX);
    if intents & !KNOWN_INTENTS != 0 {
        return Then::End(Cut::Code(4013));
    }
    let allowed = if world.has_content_intent { MESSAGE_CONTENT } else { 0 };
    if intents & PRIVILEGED & !allowed != 0 {
        return Then::End(Cut::Code(4014));
    }
    world.identified += 1;
    let name = format!("session-{}", world.identified);
    let (out, outgoing) = unbounded_channel();
    let mut session = Session { seq: 0, log: Vec::new(), intents, out: Some(out), held: None };
    let resume_url = world.resume_url.clone().unwrap_or_else(|| world.gateway_url.clone());
    let ready = json!({ "v": 10, "session_id": name, "resume_gateway_url": resume_url,
        "user": bot_user(true), "guilds": [{ "id": GUILD.to_string(), "unavailable": true }],
        "application": { "id": "1", "flags": 1 << 19 } });
    session.tell("READY", ready, false);
    let guild = world.guild();
    session.tell("GUILD_CREATE", guild, false);
    world.sessions.insert(name, session);
    Then::Hear(outgoing, Vec::new())
}

fn resume(world: &mut World, data: &Value) -> Then {
    if !is_token(world, data) {
        return Then::End(Cut::Code(4004));
    }
    let name = data["session_id"].as_str().unwrap_or_default();
    let seq = data["seq"].as_u64().unwrap_or(u64::MAX);
    let refuses = world.refuses_resume;
    let Some(session) = world.sessions.get_mut(name).filter(|session| !refuses && seq <= session.seq) else {
        world.sessions.remove(name);
        return Then::Answer(json!({ "op": 9, "s": null, "t": null, "d": false }).to_string());
    };
    world.resumed += 1;
    let (out, outgoing) = unbounded_channel();
    session.out = None;
    let missed = session.log.iter().filter(|(at, _)| *at > seq).map(|(_, line)| line.clone()).collect();
    session.out = Some(out);
    session.tell("RESUMED", json!({}), false);
    // It says that everything has been repeated: it is not repeated itself.
    session.log.pop();
    Then::Hear(outgoing, missed)
}
