//! A Discord on this machine: REST and gateway over loopback, as far as a reading bot needs them, and everything that can
//! go wrong with them.
//!
//! Entry point: [`FakeDiscord::start`]. What happens on it is said by [`FakeDiscord::post`] and its neighbours; what goes wrong
//! by [`FakeDiscord::with`] and [`FakeDiscord::cut`]. Facts: Discord's reference, as of the API's version 10.

mod commands;
mod gateway;
mod rest;
mod schema;
mod world;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use commands::{COMMANDS, obey};
pub use schema::{answer_misfits, event_misfits, misfits};
pub use world::{Cut, World};

use crate::eventually;

/// The bot's token.
pub const TOKEN: &str = "fake.bot.token";
/// The one server.
pub const GUILD: u64 = 100_000_000_000_000_001;
/// A text channel.
pub const CALLS: u64 = 100_000_000_000_000_010;
/// An announcement channel, or one that follows another.
pub const NEWS: u64 = 100_000_000_000_000_011;
/// A forum.
pub const FORUM: u64 = 100_000_000_000_000_012;
/// A channel that nobody asks for.
pub const LOUNGE: u64 = 100_000_000_000_000_013;

/// A running fake.
#[derive(Debug, Clone)]
pub struct FakeDiscord {
    world: Arc<Mutex<World>>,
    /// The address of its REST interface.
    pub api: String,
}

impl FakeDiscord {
    /// Starts on a free port; it ends with the test's runtime.
    pub async fn start() -> Self {
        Self::start_at(0).await.expect("a free port")
    }

    /// Starts on this port of this machine, 0 for any free one; it ends with the runtime.
    pub async fn start_at(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(Mutex::new(World::new(format!("ws://{address}"))));
        let app = rest::router(world.clone()).merge(gateway::router(world.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("the fake serves") });
        Ok(Self { world, api: format!("http://{address}/api/v10") })
    }

    /// Looks at the world, or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().expect("the fake has not panicked"))
    }

    /// Somebody posts.
    pub fn post(&self, channel: u64, content: &str) -> u64 {
        self.post_as(channel, json!({ "content": content }))
    }

    /// Somebody posts a message with these fields changed or added.
    pub fn post_as(&self, channel: u64, changes: Value) -> u64 {
        self.with(|world| world.post(channel, changes, true))
    }

    /// Somebody posts, and the gateway tells nobody.
    pub fn post_silently(&self, channel: u64, content: &str) -> u64 {
        self.with(|world| world.post(channel, json!({ "content": content }), false))
    }

    /// Somebody edits their message.
    pub fn edit(&self, channel: u64, message: u64, content: &str) {
        self.with(|world| world.edit(channel, message, content));
    }

    /// Something about a message changes that is no edit.
    pub fn touch(&self, channel: u64, message: u64, changes: Value) {
        self.with(|world| world.touch(channel, message, changes));
    }

    /// Somebody deletes messages: one alone, several in bulk.
    pub fn delete(&self, channel: u64, messages: &[u64]) {
        self.with(|world| world.delete(channel, messages));
    }

    /// Somebody opens a thread in a channel or forum.
    pub fn open_thread(&self, parent: u64, name: &str) -> u64 {
        self.with(|world| world.open_thread(parent, name))
    }

    /// Breaks all connections in this way.
    pub fn cut(&self, how: Cut) {
        self.with(|world| world.cut(how));
    }

    /// A line that the gateway sends as it is.
    pub fn send_raw(&self, text: &str) {
        self.with(|world| world.send_raw(text));
    }

    /// A session that nobody is connected with: what it is told is in [`World::told`].
    pub fn hear(&self) {
        self.with(World::begin_unheard);
    }

    /// Waits until a bot listens: its session is ready, and the connection stands.
    pub async fn listened(&self) {
        eventually("a bot listens", async || self.with(|world| world.is_heard())).await;
    }

    /// How many requests there were whose path holds this text.
    pub fn asked(&self, part: &str) -> usize {
        self.with(|world| world.requests.iter().filter(|path| path.contains(part)).count())
    }
}
