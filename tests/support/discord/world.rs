//! What is true on the fake: channels, messages, gateway sessions, and what is to go wrong.
//!
//! Entry point: [`World`]. Invariant: a line that a session was to hear is in its log, whether it was connected or not.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc::UnboundedSender;

use super::{CALLS, FORUM, GUILD, LOUNGE, NEWS, TOKEN};

/// The intent for what messages say.
const MESSAGE_CONTENT: u64 = 1 << 15;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// With a close code.
    Code(u16),
    /// With a close frame without a code.
    NoCode,
    /// Without a word.
    Tcp,
    /// Discord asks to connect again (operation 7).
    Reconnect,
    /// The session is declared invalid (operation 9), and is.
    Invalid,
}

/// What a connection is told to do.
#[derive(Debug)]
pub(super) enum Out {
    Text(String),
    End(Cut),
}

/// A channel or thread.
#[derive(Debug)]
pub struct Channel {
    /// Discord's number for the kind.
    pub kind: u64,
    /// Its name.
    pub name: String,
    /// The channel of a thread.
    pub parent: Option<u64>,
    /// When a thread was archived.
    pub archived_at: Option<OffsetDateTime>,
    /// Its messages as they stand.
    pub messages: BTreeMap<u64, Value>,
    /// The last id that was given here, even if that message is gone.
    pub last_message: Option<u64>,
    /// The bot may not see it.
    pub is_closed: bool,
    /// The bot may not read its history.
    pub has_no_history: bool,
}

/// A gateway session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) seq: u64,
    pub(super) log: Vec<(u64, String)>,
    pub(super) intents: u64,
    pub(super) out: Option<UnboundedSender<Out>>,
    /// What this session is told later than others, if it is.
    pub(super) held: Option<Vec<Out>>,
}

/// Everything that is true, and everything that is to go wrong.
#[derive(Debug)]
pub struct World {
    pub(super) gateway_url: String,
    /// Channels and threads.
    pub channels: BTreeMap<u64, Channel>,
    pub(super) sessions: HashMap<String, Session>,
    /// The requests so far: method and path.
    pub requests: Vec<String>,
    /// The bot's token.
    pub token: String,
    /// Whether the token belongs to a bot.
    pub is_bot: bool,
    /// Whether the Message Content Intent is on in the portal.
    pub has_content_intent: bool,
    /// New connections get 503.
    pub is_gateway_down: bool,
    /// Resuming is refused with operation 9.
    pub refuses_resume: bool,
    /// Heartbeats get no answer, and nothing is told; sessions remember it all.
    pub is_silent: bool,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u64,
    /// How many requests of a route fit into how long a time.
    pub bucket: (u32, Duration),
    /// The next requests whose path holds the text are answered with this status and body.
    pub answers: VecDeque<(String, u16, Value)>,
    /// How often a 429 was given.
    pub limited: u32,
    /// How often a session began, and how often one was resumed.
    pub identified: u32,
    /// How often a session was resumed.
    pub resumed: u32,
    /// How many lines a session remembers, if not all.
    pub log_limit: Option<usize>,
    /// READY waits until so many heartbeats have come.
    pub ready_after_beats: u32,
    /// What READY says of where to resume, if not the truth.
    pub resume_url: Option<String>,
    last_id: u64,
}

impl World {
    pub(super) fn new(gateway_url: String) -> Self {
        let channel = |kind, name: &str| Channel {
            kind,
            name: name.to_owned(),
            parent: None,
            archived_at: None,
            messages: BTreeMap::new(),
            last_message: None,
            is_closed: false,
            has_no_history: false,
        };
        let channels = [
            (CALLS, channel(0, "vip-calls")),
            (NEWS, channel(5, "news")),
            (FORUM, channel(15, "ideas")),
            (LOUNGE, channel(0, "lounge")),
        ];
        Self {
            gateway_url,
            channels: channels.into_iter().collect(),
            sessions: HashMap::new(),
            requests: Vec::new(),
            token: TOKEN.to_owned(),
            is_bot: true,
            has_content_intent: true,
            is_gateway_down: false,
            refuses_resume: false,
            is_silent: false,
            heartbeat_ms: 41_250,
            bucket: (1_000, Duration::from_secs(1)),
            answers: VecDeque::new(),
            limited: 0,
            identified: 0,
            resumed: 0,
            log_limit: None,
            resume_url: None,
            ready_after_beats: 0,
            last_id: 0,
        }
    }

    /// A new id of this moment, larger than all before.
    pub fn new_id(&mut self) -> u64 {
        let ms = launch::clock::now().unix_timestamp_nanos() / 1_000_000 - 1_420_070_400_000;
        let id = u64::try_from(ms).expect("after 2015") << 22;
        self.last_id = id.max(self.last_id + 1);
        self.last_id
    }

    fn now() -> String {
        launch::clock::now().format(&Rfc3339).expect("a time")
    }

    pub(super) fn post(&mut self, channel: u64, changes: Value, is_told: bool) -> u64 {
        let id = self.new_id();
        let mut message = json!({
            "type": 0, "id": id.to_string(), "channel_id": channel.to_string(), "content": "", "tts": false, "pinned": false,
            "timestamp": Self::now(), "edited_timestamp": null, "flags": 0, "mention_everyone": false,
            "author": { "id": "9", "username": "ana", "discriminator": "0", "avatar": null, "global_name": "Ana",
                "public_flags": 0, "flags": 0, "primary_guild": null },
            "mentions": [], "mention_roles": [], "embeds": [], "attachments": [], "components": []
        });
        merge(&mut message, &changes);
        let place = self.channels.get_mut(&channel).expect("a channel");
        place.last_message = Some(id);
        place.messages.insert(id, message.clone());
        if is_told && !self.channels[&channel].is_closed {
            self.tell("MESSAGE_CREATE", live(message));
        }
        id
    }

    /// Somebody posted at this time, and the gateway never told.
    pub fn post_at(&mut self, channel: u64, at: OffsetDateTime, content: &str) -> u64 {
        let last = self.last_id;
        let id = self.post(channel, json!({ "content": content }), false);
        let ms = at.unix_timestamp_nanos() / 1_000_000 - 1_420_070_400_000;
        let then = u64::try_from(ms).expect("after 2015") << 22;
        let place = self.channels.get_mut(&channel).expect("a channel");
        let mut message = place.messages.remove(&id).expect("it was just posted");
        message["id"] = json!(then.to_string());
        place.messages.insert(then, message);
        place.last_message = Some(then);
        self.last_id = last;
        then
    }

    pub(super) fn edit(&mut self, channel: u64, message: u64, content: &str) {
        self.touch(channel, message, json!({ "content": content, "edited_timestamp": Self::now() }));
    }

    pub(super) fn touch(&mut self, channel: u64, message: u64, changes: Value) {
        let place = self.channels.get_mut(&channel).expect("a channel");
        let stored = place.messages.get_mut(&message).expect("a message");
        merge(stored, &changes);
        let (told, is_closed) = (live(stored.clone()), place.is_closed);
        if !is_closed {
            self.tell("MESSAGE_UPDATE", told);
        }
    }

    pub(super) fn delete(&mut self, channel: u64, messages: &[u64]) {
        let place = self.channels.get_mut(&channel).expect("a channel");
        for message in messages {
            place.messages.remove(message);
        }
        if place.is_closed {
            return;
        }
        let (channel, guild) = (channel.to_string(), GUILD.to_string());
        let ids: Vec<String> = messages.iter().map(u64::to_string).collect();
        match ids.as_slice() {
            [id] => {
                self.tell("MESSAGE_DELETE", json!({ "id": id, "channel_id": channel, "guild_id": guild }))
            }
            ids => self
                .tell("MESSAGE_DELETE_BULK", json!({ "ids": ids, "channel_id": channel, "guild_id": guild })),
        }
    }

    /// The address of the gateway.
    pub fn gateway_url(&self) -> String {
        self.gateway_url.clone()
    }

    pub(super) fn begin_unheard(&mut self) {
        let session = Session { seq: 0, log: Vec::new(), intents: u64::MAX, out: None, held: None };
        self.sessions.insert("unheard".to_owned(), session);
    }

    /// Every line that any session was told.
    pub fn told(&self) -> Vec<String> {
        self.sessions.values().flat_map(|session| session.log.iter().map(|(_, line)| line.clone())).collect()
    }

    pub(super) fn open_thread(&mut self, parent: u64, name: &str) -> u64 {
        let id = self.new_thread(parent, name);
        let mut described = self.describe(id);
        described["newly_created"] = json!(true);
        self.tell("THREAD_CREATE", described);
        id
    }

    /// A thread that the gateway does not tell of.
    pub fn new_thread(&mut self, parent: u64, name: &str) -> u64 {
        let id = self.new_id();
        let thread = Channel {
            kind: 11,
            name: name.to_owned(),
            parent: Some(parent),
            archived_at: None,
            messages: BTreeMap::new(),
            last_message: None,
            is_closed: false,
            has_no_history: false,
        };
        self.channels.insert(id, thread);
        id
    }

    /// A channel as Discord describes it.
    pub(super) fn describe(&self, id: u64) -> Value {
        let channel = &self.channels[&id];
        let mut described = json!({
            "id": id.to_string(), "type": channel.kind, "name": channel.name, "guild_id": GUILD.to_string(),
            "last_message_id": channel.last_message.map(|id| id.to_string()), "parent_id": null, "flags": 0,
            "rate_limit_per_user": 0
        });
        if let Some(parent) = channel.parent {
            let at = channel.archived_at.map_or_else(Self::now, |at| at.format(&Rfc3339).expect("a time"));
            described["parent_id"] = json!(parent.to_string());
            merge(
                &mut described,
                &json!({ "owner_id": "9", "message_count": channel.messages.len(),
                "total_message_sent": channel.messages.len(), "member_count": 1 }),
            );
            described["thread_metadata"] = json!({ "archived": channel.archived_at.is_some(), "archive_timestamp": at,
                "auto_archive_duration": 1440, "locked": false });
        } else {
            let whole = json!({ "position": 0, "permission_overwrites": [], "nsfw": false, "topic": null });
            merge(&mut described, &whole);
        }
        described
    }

    /// Tells every session, connected or not.
    pub fn tell(&mut self, kind: &str, data: Value) {
        let is_silent = self.is_silent;
        for session in self.sessions.values_mut() {
            let blind = session.intents & MESSAGE_CONTENT == 0;
            let data = if blind && kind.starts_with("MESSAGE_") { blank(data.clone()) } else { data.clone() };
            session.tell(kind, data, is_silent);
            let too_many = self.log_limit.map_or(0, |limit| session.log.len().saturating_sub(2 * limit));
            if too_many > 0 {
                session.log.drain(..session.log.len() / 2);
            }
        }
    }

    /// Somebody lets the bot see a channel no more, or again.
    pub fn set_closed(&mut self, channel: u64, is_closed: bool) {
        let described = self.describe(channel);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.is_closed = is_closed;
        }
        self.tell(if is_closed { "CHANNEL_DELETE" } else { "CHANNEL_CREATE" }, described);
    }

    /// Discord has an outage in the one server, or removes the bot from it: nothing is told of it from now on.
    pub fn leave_guild(&mut self) {
        self.tell("GUILD_DELETE", json!({ "id": GUILD.to_string(), "unavailable": true }));
    }

    /// The one server is there again.
    pub fn enter_guild(&mut self) {
        let guild = self.guild();
        self.tell("GUILD_CREATE", guild);
    }

    /// The one server as a session is told of it.
    pub(super) fn guild(&self) -> Value {
        let described = |is_thread: bool| {
            let places = self.channels.iter().filter(|(_, channel)| {
                channel.parent.is_some() == is_thread && channel.archived_at.is_none() && !channel.is_closed
            });
            places.map(|(id, _)| self.describe(*id)).collect::<Vec<_>>()
        };
        json!({ "id": GUILD.to_string(), "name": "Desk", "channels": described(false), "threads": described(true),
            "members": [], "roles": [], "large": false, "unavailable": false, "member_count": 2 })
    }

    pub(super) fn send_raw(&mut self, text: &str) {
        for session in self.sessions.values() {
            session.send(Out::Text(text.to_owned()));
        }
    }

    pub(super) fn cut(&mut self, how: Cut) {
        for session in self.sessions.values_mut() {
            session.send(Out::End(how));
            if how != Cut::Reconnect && how != Cut::Invalid {
                session.out = None;
            }
        }
        if how == Cut::Invalid {
            self.sessions.clear();
        }
    }

    /// One of the sessions that are heard is told everything later, as a slow shard is. Returns its name.
    pub fn hold(&mut self, which: usize) -> String {
        let mut heard: Vec<_> = self.sessions.iter_mut().filter(|(_, session)| session.is_heard()).collect();
        heard.sort_by_key(|(name, _)| name.as_str());
        let (name, session) = heard.remove(which);
        session.held = Some(Vec::new());
        name.clone()
    }

    /// The session is told what it was not.
    pub fn release(&mut self, name: &str) {
        if let Some(session) = self.sessions.get_mut(name) {
            session.held.take().unwrap_or_default().into_iter().for_each(|out| session.send(out));
        }
    }

    /// How many bots are connected with a session.
    pub fn count_heard(&self) -> usize {
        self.sessions.values().filter(|session| session.is_heard()).count()
    }

    /// Forgets every session, as Discord does some minutes after its connection ended.
    pub fn forget_sessions(&mut self) {
        self.sessions.retain(|_, session| session.is_heard());
    }

    /// Whether a bot is connected with a session.
    pub fn is_heard(&self) -> bool {
        self.count_heard() > 0
    }

    /// What REST shows of a message.
    pub(super) fn shown(&self, message: &Value) -> Value {
        if self.has_content_intent { message.clone() } else { blank(message.clone()) }
    }
}

impl Session {
    pub(super) fn tell(&mut self, kind: &str, data: Value, is_silent: bool) {
        self.seq += 1;
        let line = json!({ "op": 0, "t": kind, "s": self.seq, "d": data }).to_string();
        self.log.push((self.seq, line.clone()));
        match &mut self.held {
            _ if is_silent => {}
            Some(held) => held.push(Out::Text(line)),
            None => self.send(Out::Text(line)),
        }
    }

    fn is_heard(&self) -> bool {
        self.out.as_ref().is_some_and(|out| !out.is_closed())
    }

    /// Nobody hears it when the connection is gone: the log has it.
    fn send(&self, out: Out) {
        if let Some(to) = &self.out {
            let _nobody_there = to.send(out);
        }
    }
}

/// The token's owner.
pub(super) fn bot_user(is_bot: bool) -> Value {
    json!({ "id": "1", "username": "relay", "discriminator": "0001", "avatar": null, "bot": is_bot, "global_name": null,
        "public_flags": 0, "flags": 0, "primary_guild": null, "mfa_enabled": true, "locale": "en-US", "verified": true,
        "email": null, "premium_type": 0 })
}

/// Puts the fields of `changes` into `target`.
fn merge(target: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().expect("an object") {
        target[key] = value.clone();
    }
}

/// A message as the gateway tells it: with its server and what its author is there.
fn live(mut message: Value) -> Value {
    message["guild_id"] = json!(GUILD.to_string());
    message["member"] = json!({ "roles": [], "nick": null, "flags": 0, "deaf": false, "mute": false, "avatar": null,
        "joined_at": "2026-01-01T00:00:00+00:00", "premium_since": null, "pending": false });
    message
}

/// A message as a bot without the intent sees it.
fn blank(mut message: Value) -> Value {
    if message.get("content").is_some() {
        message["content"] = json!("");
        for list in ["embeds", "attachments", "components"] {
            message[list] = json!([]);
        }
    }
    message
}
