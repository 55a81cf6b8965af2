//! Signs of life: numbers for a monitor on this machine, and notices for systemd.
//!
//! Entry points: [`Vitals`], [`serve`], [`keep_systemd_informed`]. Invariants: only a loopback address is served; neither
//! ever shows a text or a secret; losing either changes nothing for what is heard.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Clock;
use crate::failure::Failure;
use crate::outbox::Level;

/// Discord's heartbeats are 41 s apart: after two and a half of them without a word something is wrong.
const SILENT_FOR: time::Duration = time::Duration::seconds(100);
/// What systemd is told while the start makes progress: give it another minute and a half, its usual patience.
const MORE_TIME: &str = "EXTEND_TIMEOUT_USEC=90000000";
/// How often systemd is told when it does not say how often it wants to be.
const NOTICE_EVERY: Duration = Duration::from_secs(10);

/// What is counted while listening.
#[derive(Debug, Default)]
pub(super) struct Vitals {
    /// Lines of the gateway.
    pub(super) lines: AtomicU64,
    /// Revisions that were new.
    pub(super) kept: AtomicU64,
    /// Messages and lines that could not be decoded.
    pub(super) undecodable: AtomicU64,
    /// Messages that the gateway never told.
    pub(super) missed: AtomicU64,
    /// Channels and threads that are listened to.
    pub(super) places: AtomicU64,
    /// When the session was last known to be alive, in seconds since 1970.
    alive_at: AtomicI64,
    /// Whether the history has been read back and lines are being kept.
    is_listening: AtomicBool,
}

impl Vitals {
    /// The session is alive.
    pub(super) fn alive(&self, at: OffsetDateTime) {
        self.alive_at.store(at.unix_timestamp(), Ordering::Relaxed);
    }

    /// Everything was read back: from now on it is healthy to be silent only for a while.
    pub(super) fn listening(&self) {
        self.is_listening.store(true, Ordering::Relaxed);
    }

    /// Whether something has happened lately.
    fn is_moving(&self, now: OffsetDateTime) -> bool {
        now.unix_timestamp() - self.alive_at.load(Ordering::Relaxed) <= SILENT_FOR.whole_seconds()
    }

    /// What is wrong; nothing if all is well.
    fn ailment(&self, now: OffsetDateTime) -> Option<&'static str> {
        if !self.is_listening.load(Ordering::Relaxed) {
            Some("not listening yet")
        } else if !self.is_moving(now) {
            Some("Discord's gateway is silent")
        } else {
            None
        }
    }

    /// The numbers in the text format of Prometheus.
    fn metrics(&self, level: Level, now: OffsetDateTime) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let silent = now.unix_timestamp() - self.alive_at.load(Ordering::Relaxed);
        let lines = [
            ("gateway_lines_total", "counter", count(&self.lines)),
            ("revisions_kept_total", "counter", count(&self.kept)),
            ("undecodable_total", "counter", count(&self.undecodable)),
            ("missed_by_gateway_total", "counter", count(&self.missed)),
            ("places", "gauge", count(&self.places)),
            ("outbox_waiting", "gauge", level.waiting),
            ("healthy", "gauge", u64::from(self.ailment(now).is_none())),
            ("silent_seconds", "gauge", u64::try_from(silent).unwrap_or(0)),
        ];
        let line = |(name, kind, value): (&str, &str, u64)| {
            format!("# TYPE contributor_{name} {kind}\ncontributor_{name} {value}\n")
        };
        lines.into_iter().map(line).collect()
    }
}

type Shown = (std::sync::Arc<Vitals>, watch::Receiver<Level>, Clock);

/// Serves `/metrics` and `/healthz` at this address for as long as it is polled.
pub(super) async fn serve(address: &str, shown: Shown) -> Result<(), Failure> {
    let unusable =
        |problem: String| Failure::Configuration(format!("discord.metrics_listen `{address}`: {problem}"));
    let parsed: std::net::SocketAddr =
        address.parse().map_err(|_| unusable("expected an address such as 127.0.0.1:9091".into()))?;
    if !parsed.ip().is_loopback() {
        return Err(unusable("only this machine may look: use a loopback address".into()));
    }
    let listener = TcpListener::bind(parsed).await.map_err(|error| unusable(error.to_string()))?;
    let at = listener.local_addr().map_err(|error| unusable(error.to_string()))?;
    tracing::info!("metrics at http://{at}/metrics");
    let metrics =
        async |State((vitals, level, clock)): State<Shown>| vitals.metrics(*level.borrow(), clock());
    let healthz = async |State((vitals, _, clock)): State<Shown>| match vitals.ailment(clock()) {
        None => (StatusCode::OK, "ok\n"),
        Some(ailment) => (StatusCode::SERVICE_UNAVAILABLE, ailment),
    };
    let pages =
        Router::new().route("/metrics", get(metrics)).route("/healthz", get(healthz)).with_state(shown);
    axum::serve(listener, pages).await.map_err(|error| unusable(error.to_string()))
}

/// Tells systemd when listening has begun, and then again and again as long as all is well, if it wants to know.
pub(super) async fn keep_systemd_informed(vitals: &Vitals, clock: Clock) {
    let every =
        std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok()).map(Duration::from_micros);
    let mut tick =
        tokio::time::interval(every.map_or(NOTICE_EVERY, |every| every / 3).max(Duration::from_millis(10)));
    let mut is_ready = false;
    loop {
        tick.tick().await;
        if vitals.ailment(clock()).is_some() {
            // A long history is read back before listening begins: the start takes longer, and is no failure.
            if !is_ready && vitals.is_moving(clock()) {
                notify(MORE_TIME);
            }
            continue;
        }
        if !is_ready {
            notify("READY=1");
            is_ready = true;
        }
        notify("WATCHDOG=1");
    }
}

/// Sends systemd a notice, if it has said where. Fact: sd_notify(3).
pub(super) fn notify(notice: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => UnixAddr::from_abstract_name(name),
        None => UnixAddr::from_pathname(&path),
    };
    // When nobody reads the notices there may be no room: that must not stop everything else.
    let send = |address: UnixAddr| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(notice.as_bytes(), &address)
    };
    let sent = address.and_then(send);
    if let Err(error) = sent {
        tracing::debug!("telling systemd: {error}");
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::outbox::Sent;

    #[test]
    fn silence_is_an_ailment_and_numbers_are_shown() {
        let (vitals, now) = (Vitals::default(), datetime!(2026-06-01 12:00 UTC));
        assert_eq!(vitals.ailment(now), Some("not listening yet"));
        vitals.listening();
        vitals.alive(now);
        assert_eq!(vitals.ailment(now + time::Duration::seconds(90)), None);
        let later = now + time::Duration::seconds(101);
        assert_eq!(vitals.ailment(later), Some("Discord's gateway is silent"));
        vitals.lines.fetch_add(3, Ordering::Relaxed);
        let text = vitals.metrics(Level { waiting: 7, filling: true, sent: Sent::default() }, later);
        for line in [
            "contributor_gateway_lines_total 3\n",
            "contributor_outbox_waiting 7\n",
            "contributor_healthy 0\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
