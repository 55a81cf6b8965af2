//! A storm on Discord: messages, edits and deletes while connections drop, sessions are forgotten and the contributor is
//! killed; and then the comparison of what the server has with what was true.
//!
//! Entry point: [`storm`]. One seed gives one storm, up to the speed of the machine.
//! What counts: while a session lives, every revision must arrive, whatever breaks. What happens between the end of a session
//! and the next READY may be seen or not, but what stands at the READY must arrive, and each channel must have a gap there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use shared::post::Revision;
use sqlx::Row as _;
use time::OffsetDateTime;

use crate::discord::{CALLS, Cut, FORUM, NEWS};
use crate::eventually;
use crate::relay::{Kept, Listening, Relay};

/// How long a storm is, and how often what happens in it: one in so many messages.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Where the dice begin.
    pub seed: u64,
    /// How many messages are posted.
    pub messages: u32,
    /// A dropped connection.
    pub drop_every: u64,
    /// A killed contributor.
    pub kill_every: u64,
    /// A session that is forgotten.
    pub forget_every: u64,
    /// An outage of the gateway by the clock, of one to [`Self::longest_outage_s`] seconds.
    pub outage_every: u64,
    /// The longest of them.
    pub longest_outage_s: u64,
}

/// What a storm came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Revisions that must be there and are not.
    pub lost: usize,
    /// Revisions that are there twice, or that nobody wrote.
    pub doubled: usize,
    /// Messages of a channel that came before an older one.
    pub inversions: usize,
    /// Times without a session that some channel has no gap for.
    pub gaps_missed: usize,
    /// Gaps where a session lived.
    pub gaps_invented: usize,
    /// Revisions that were seen by another number of contributors than listened.
    pub sightings_wrong: usize,
}

impl Damage {
    /// Adds what another storm did.
    pub fn add(&mut self, other: &Damage) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.inversions += other.inversions;
        self.gaps_missed += other.gaps_missed;
        self.gaps_invented += other.gaps_invented;
        self.sightings_wrong += other.sightings_wrong;
    }
}

/// What happened in a storm.
#[derive(Debug, Default, Clone)]
pub struct Account {
    /// What it did.
    pub damage: Damage,
    /// Revisions that had to arrive.
    pub revisions: usize,
    /// Connections that dropped.
    pub drops: u32,
    /// Contributors that were killed.
    pub kills: u32,
    /// Sessions that were forgotten.
    pub forgotten: u32,
    /// Messages that were posted in outages by the clock.
    pub spoken: u32,
    /// Seconds of outages by the clock.
    pub outage_s: u64,
    /// How long it took.
    pub seconds: u64,
    /// What is to be known of the damage.
    pub notes: Vec<String>,
    /// How many storms these are.
    pub storms: u32,
}

impl Account {
    /// Adds another storm.
    pub fn add(&mut self, other: &Account) {
        self.damage.add(&other.damage);
        self.revisions += other.revisions;
        self.drops += other.drops;
        self.kills += other.kills;
        self.forgotten += other.forgotten;
        self.outage_s += other.outage_s;
        self.seconds += other.seconds;
        self.storms += 1;
    }
}

/// Dice (xorshift64*): the same seed throws the same.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.throw(sides) == 0
    }
}

/// A revision: the message, and its text, or nothing once it is gone.
pub(crate) type Truth = (u64, Option<String>);

struct Storm<'s> {
    relay: &'s Relay,
    dice: Dice,
    contributor: Listening,
    /// Messages that stand, with their channel and text.
    standing: BTreeMap<u64, (u64, String)>,
    /// The thread that talks in the forum.
    thread: u64,
    must: BTreeSet<Truth>,
    may: BTreeSet<Truth>,
    /// No session lives: nothing that happens now has to be seen.
    is_dark: bool,
    nights: Vec<(OffsetDateTime, OffsetDateTime)>,
    account: Account,
}

/// Lets a storm rage, and says what it did.
pub async fn storm(relay: &Relay, weather: Weather) -> Account {
    let began = Instant::now();
    let contributor = relay.listen().await;
    let thread = relay.discord.open_thread(FORUM, "an idea");
    let dice = Dice::new(weather.seed);
    let (standing, must, may) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let account = Account::default();
    let mut storm = Storm {
        relay,
        dice,
        contributor,
        standing,
        thread,
        must,
        may,
        is_dark: false,
        nights: Vec::new(),
        account,
    };
    for number in 0..weather.messages {
        storm.speak(number);
        storm.weather(weather).await;
    }
    storm.settle().await;
    storm.compare().await;
    storm.account.seconds = began.elapsed().as_secs();
    storm.account
}

impl Storm<'_> {
    /// Something is posted; something else may be edited or deleted.
    fn speak(&mut self, number: u32) {
        let channel = [CALLS, CALLS, NEWS, self.thread][usize::try_from(self.dice.throw(4)).expect("small")];
        let text = format!("message {number}");
        let id = self.relay.discord.post(channel, &text);
        self.standing.insert(id, (channel, text.clone()));
        self.happened((id, Some(text)));
        if self.dice.one_in(8)
            && let Some((id, channel)) = self.somebody()
        {
            let text = format!("edited after {number}");
            self.relay.discord.edit(channel, id, &text);
            self.standing.insert(id, (channel, text.clone()));
            self.happened((id, Some(text)));
        }
        if self.dice.one_in(20)
            && let Some((id, channel)) = self.somebody()
        {
            self.delete(channel, &[id]);
        }
        if self.dice.one_in(100) {
            let some: Vec<u64> =
                self.standing.iter().filter(|(_, (at, _))| *at == NEWS).map(|(id, _)| *id).take(3).collect();
            if some.len() > 1 {
                self.delete(NEWS, &some);
            }
        }
    }

    /// One of the latest messages.
    fn somebody(&mut self) -> Option<(u64, u64)> {
        let back = self.dice.throw(40).min(self.standing.len() as u64 - 1);
        let (id, (channel, _)) = self.standing.iter().rev().nth(usize::try_from(back).ok()?)?;
        Some((*id, *channel))
    }

    fn delete(&mut self, channel: u64, ids: &[u64]) {
        self.relay.discord.delete(channel, ids);
        for id in ids {
            self.standing.remove(id);
            self.happened((*id, None));
        }
    }

    fn happened(&mut self, truth: Truth) {
        if self.is_dark {
            self.may.insert(truth)
        } else {
            self.must.insert(truth)
        };
    }

    async fn weather(&mut self, weather: Weather) {
        let discord = &self.relay.discord;
        if self.dice.one_in(weather.drop_every) {
            let cuts = [Cut::Tcp, Cut::NoCode, Cut::Reconnect, Cut::Code(4000), Cut::Code(1001)];
            discord.cut(cuts[usize::try_from(self.dice.throw(5)).expect("small")]);
            self.account.drops += 1;
        }
        if self.dice.one_in(weather.drop_every * 4) {
            discord.with(|world| world.is_gateway_down = true);
            discord.cut(Cut::Tcp);
            let before = discord.asked("gateway");
            eventually("it has tried again", async || discord.asked("gateway") > before + 1).await;
            discord.with(|world| world.is_gateway_down = false);
            self.account.drops += 1;
        }
        if self.dice.one_in(weather.outage_every) {
            let seconds = 1 + self.dice.throw(weather.longest_outage_s);
            self.outage(seconds).await;
        }
        if self.dice.one_in(weather.kill_every) {
            if self.dice.one_in(3) {
                // Without a code it had only just been started, and did not yet listen to signals.
                let code = self.contributor.stop().await;
                assert!(matches!(code, Some(0) | None), "{code:?}: {}", self.contributor.log());
            } else {
                self.contributor.kill().await;
            }
            self.contributor = self.relay.run();
            self.account.kills += 1;
            self.account.notes.push(format!("killed at {}", launch::clock::now()));
        }
        if self.dice.one_in(weather.forget_every) {
            self.night().await;
        }
    }

    /// The gateway is away for so many seconds, while people go on talking. The session lives.
    async fn outage(&mut self, seconds: u64) {
        self.relay.discord.with(|world| world.is_gateway_down = true);
        self.relay.discord.cut(Cut::Tcp);
        let began = Instant::now();
        let mut talk = tokio::time::interval(Duration::from_millis(100));
        while began.elapsed() < Duration::from_secs(seconds) {
            talk.tick().await;
            self.account.spoken += 1;
            self.speak(2_000_000 + self.account.spoken);
        }
        self.relay.discord.with(|world| world.is_gateway_down = false);
        self.account.drops += 1;
        self.account.outage_s += seconds;
    }

    /// A session ends for good; things happen; a new one begins.
    async fn night(&mut self) {
        self.settle().await;
        self.contributor.hush();
        let began = launch::clock::now();
        let before = self.relay.discord.with(|world| {
            world.is_gateway_down = true;
            world.identified
        });
        self.relay.discord.cut(Cut::Tcp);
        self.relay.discord.with(|world| world.forget_sessions());
        self.is_dark = true;
        for number in 0..self.dice.throw(150) {
            self.speak(1_000_000 + u32::try_from(number).expect("small"));
        }
        self.relay.discord.with(|world| world.is_gateway_down = false);
        let ready = || self.relay.discord.with(|world| world.identified > before && world.is_heard());
        eventually("a new session begins", async || ready()).await;
        // What happens from the READY on is told; what stands while the history is read must be read back. An edit in
        // that moment would take the text away that is being read.
        self.is_dark = false;
        let stands = self.standing.iter().map(|(id, (_, text))| (*id, Some(text.clone())));
        self.must.extend(stands.collect::<Vec<_>>());
        for number in 0..self.dice.throw(10) {
            let text = format!("at dawn {} {number}", self.account.forgotten);
            let id = self.relay.discord.post(CALLS, &text);
            self.standing.insert(id, (CALLS, text.clone()));
            self.happened((id, Some(text)));
        }
        self.contributor.said("listening is_new_session=true").await;
        self.nights.push((began, launch::clock::now()));
        self.account
            .notes
            .push(format!("a session ended at {began}, and one began before {}", launch::clock::now()));
        self.account.forgotten += 1;
    }

    /// Waits until everything that must be there is there.
    async fn settle(&mut self) {
        let look = async || {
            let kept: BTreeSet<Truth> = self.relay.kept().await.iter().map(truth).collect();
            self.must.is_subset(&kept)
        };
        let waited = tokio::time::timeout(crate::PATIENCE, async {
            let mut tick = tokio::time::interval(Duration::from_millis(300));
            while !look().await {
                tick.tick().await;
            }
        });
        if waited.await.is_err() {
            let kept: BTreeSet<Truth> = self.relay.kept().await.iter().map(truth).collect();
            let lost: Vec<&Truth> = self.must.difference(&kept).take(5).collect();
            panic!("never arrived: {lost:?}\n{}", self.contributor.log());
        }
    }

    async fn compare(&mut self) {
        let kept = self.relay.kept().await;
        let got: BTreeSet<Truth> = kept.iter().map(truth).collect();
        let true_or_seen: BTreeSet<Truth> = self.must.union(&self.may).cloned().collect();
        let damage = &mut self.account.damage;
        self.account.revisions = self.must.len();
        damage.lost = self.must.difference(&got).count();
        damage.doubled = got.difference(&true_or_seen).count()
            + kept.iter().map(truth_of_revision).collect::<BTreeSet<_>>().len().abs_diff(kept.len());
        let inverted = inversions(&kept);
        damage.inversions = inverted.len();
        // What happened when is of interest only if it did damage.
        match inverted.is_empty() {
            true => self.account.notes.clear(),
            false => self.account.notes.extend(inverted),
        }
        eventually("all gaps are told", async || self.relay.untold_gaps("contributor").await == 0).await;
        compare_gaps(self.relay, &self.nights, damage).await;
    }
}

/// First revisions that came after one of a younger message of their channel, in words.
pub(crate) fn inversions(kept: &[Kept]) -> Vec<String> {
    let mut last: BTreeMap<&str, (u64, &Kept)> = BTreeMap::new();
    let (mut seen, mut notes) = (BTreeSet::new(), Vec::new());
    for kept in kept {
        let (id, _) = truth(kept);
        if kept.post.deleted_at.is_none() && seen.insert(id) {
            let last = last.insert(kept.post.channel.external_id.as_str(), (id, kept));
            if let Some((_, older)) = last.filter(|(last, _)| id < *last) {
                let words = |kept: &Kept| {
                    let Kept { post, provenance, seen_at, .. } = kept;
                    format!("{provenance} `{}` of {}, seen at {seen_at},", post.content, post.posted_at)
                };
                notes.push(format!("{} came after {}", words(kept), words(older)));
            }
        }
    }
    notes
}

/// Compares the gaps that the server knows with the times in which there must be one, and no other, for each channel.
pub(crate) async fn compare_gaps(
    relay: &Relay,
    nights: &[(OffsetDateTime, OffsetDateTime)],
    damage: &mut Damage,
) {
    let gaps = gaps(relay).await;
    let overlap =
        |gap: &Gap, night: &(OffsetDateTime, OffsetDateTime)| gap.from <= night.1 && gap.to >= night.0;
    for night in nights {
        let without = [CALLS, NEWS, FORUM].iter().filter(|channel| {
            !gaps.iter().any(|gap| gap.channel == channel.to_string() && overlap(gap, night))
        });
        damage.gaps_missed += without.count();
    }
    damage.gaps_invented = gaps.iter().filter(|gap| !nights.iter().any(|night| overlap(gap, night))).count();
}

pub(crate) fn truth(kept: &Kept) -> Truth {
    let id = kept.post.external_id.parse().expect("an id of Discord");
    (id, kept.post.deleted_at.is_none().then(|| kept.post.content.clone()))
}

pub(crate) fn truth_of_revision(kept: &Kept) -> (String, Revision) {
    (kept.post.external_id.clone(), kept.post.revision())
}

struct Gap {
    channel: String,
    from: OffsetDateTime,
    to: OffsetDateTime,
}

async fn gaps(relay: &Relay) -> Vec<Gap> {
    let rows = sqlx::query(
        "SELECT c.external_id, g.from_at, g.to_at FROM gaps g JOIN channels c ON c.id = g.channel_id",
    )
    .fetch_all(&relay.server.pool)
    .await
    .expect("the gaps can be read");
    rows.iter().map(|row| Gap { channel: row.get(0), from: row.get(1), to: row.get(2) }).collect()
}
