//! Two contributors on the same channels, each away at another time and one often behind the other: together they must have
//! everything, and the server must count who saw what.
//!
//! Entry point: [`pair`]. What counts: while one of them listens every revision must arrive; what happens while both listen must
//! be seen by both, whichever of them is told first; each absence must have a gap, and nothing else may have one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use time::OffsetDateTime;

use crate::discord::{CALLS, NEWS};
use crate::relay::{Listening, Relay};
use crate::storm::{Account, Dice, Truth, compare_gaps, inversions, truth, truth_of_revision};
use crate::{PATIENCE, eventually};

/// The two.
const NAMES: [&str; 2] = ["ana", "bob"];

struct Pair<'p> {
    relay: &'p Relay,
    dice: Dice,
    listening: [Listening; 2],
    standing: BTreeMap<u64, u64>,
    /// What one of them, or both, must have seen.
    one: BTreeSet<Truth>,
    both: BTreeSet<Truth>,
    absences: Vec<(OffsetDateTime, OffsetDateTime)>,
    number: u32,
}

/// Lets each of them be away so many times, and says what came of it.
pub async fn pair(relay: &Relay, seed: u64, absences: u32) -> Account {
    let began = Instant::now();
    let mut listening = NAMES.map(|name| start(relay, name));
    for one in &mut listening {
        one.said("listening").await;
    }
    let (standing, one, both) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let dice = Dice::new(seed);
    let mut pair = Pair { relay, dice, listening, standing, one, both, absences: Vec::new(), number: 0 };
    for round in 0..absences * 2 {
        pair.together(usize::try_from(round % 2).expect("small")).await;
        pair.apart(usize::try_from(round / 2 % 2).expect("small")).await;
    }
    pair.together(0).await;
    let mut account = pair.account().await;
    (account.drops, account.seconds) = (absences * 2, began.elapsed().as_secs());
    account
}

fn start(relay: &Relay, name: &str) -> Listening {
    Listening::start(relay.contributor(name).arg("run"))
}

impl Pair<'_> {
    /// Things happen while both listen, one of them told later than the other.
    async fn together(&mut self, slow: usize) {
        let slow_one = self.relay.discord.with(|world| world.hold(slow));
        let happened = self.happen();
        self.both.extend(happened.iter().cloned());
        // The other one's have arrived before the slow one hears of anything: its first words are the last ones' past.
        self.settle(&happened, 1).await;
        self.relay.discord.with(|world| world.release(&slow_one));
        self.settle(&happened, 2).await;
    }

    /// One of them goes, and comes back with a new session; things happen meanwhile.
    async fn apart(&mut self, away: usize) {
        let began = launch::clock::now();
        if self.dice.one_in(2) {
            assert_eq!(self.listening[away].stop().await, Some(0), "{}", self.listening[away].log());
        } else {
            self.listening[away].kill().await;
        }
        let still_there = || self.relay.discord.with(|world| world.count_heard());
        eventually("its connection has ended", async || still_there() == 1).await;
        self.relay.discord.with(|world| world.forget_sessions());
        let happened = self.happen();
        self.one.extend(happened.iter().cloned());
        self.settle(&happened, 1).await;
        self.listening[away] = start(self.relay, NAMES[away]);
        self.listening[away].said("listening").await;
        self.absences.push((began, launch::clock::now()));
    }

    /// Posts, edits and deletes.
    fn happen(&mut self) -> Vec<Truth> {
        let mut happened = Vec::new();
        for _ in 0..20 + self.dice.throw(40) {
            self.number += 1;
            let channel = [CALLS, NEWS][usize::try_from(self.dice.throw(2)).expect("small")];
            let text = format!("message {}", self.number);
            let id = self.relay.discord.post(channel, &text);
            self.standing.insert(id, channel);
            happened.push((id, Some(text)));
            let (id, channel) =
                self.standing.iter().next_back().map(|(id, channel)| (*id, *channel)).expect("one");
            if self.dice.one_in(5) {
                let text = format!("edited {}", self.number);
                self.relay.discord.edit(channel, id, &text);
                happened.push((id, Some(text)));
            }
            if self.dice.one_in(8) {
                self.relay.discord.delete(channel, &[id]);
                self.standing.remove(&id);
                happened.push((id, None));
            }
        }
        happened
    }

    /// Waits until so many of them have seen all of it.
    async fn settle(&self, happened: &[Truth], seen_by: i64) {
        let seen = async || {
            let kept = self.relay.kept().await;
            let there: BTreeSet<Truth> =
                kept.iter().filter(|kept| kept.sightings >= seen_by).map(truth).collect();
            happened.iter().all(|truth| there.contains(truth))
        };
        let waited = tokio::time::timeout(PATIENCE, eventually("all of it is there", seen)).await;
        assert!(waited.is_ok(), "{}\n{}", self.listening[0].log(), self.listening[1].log());
    }

    async fn account(&self) -> Account {
        let kept = self.relay.kept().await;
        let got: BTreeSet<Truth> = kept.iter().map(truth).collect();
        let all: BTreeSet<Truth> = self.one.union(&self.both).cloned().collect();
        let mut account = Account { revisions: all.len(), ..Account::default() };
        account.damage.lost = all.difference(&got).count();
        let revisions: BTreeSet<_> = kept.iter().map(truth_of_revision).collect();
        account.damage.doubled = got.difference(&all).count() + kept.len().abs_diff(revisions.len());
        account.damage.inversions = inversions(&kept).len();
        let wrong = kept.iter().filter(|kept| {
            let least = if self.both.contains(&truth(kept)) { 2 } else { 1 };
            !(least..=2).contains(&kept.sightings)
        });
        account.damage.sightings_wrong = wrong.count();
        for name in NAMES {
            eventually("all gaps are told", async || self.relay.untold_gaps(name).await == 0).await;
        }
        compare_gaps(self.relay, &self.absences, &mut account.damage).await;
        account
    }
}
