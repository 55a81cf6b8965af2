//! Which channels and threads are listened to, and what is known of each. Pure.
//!
//! Entry points: [`Places`], [`Place`]. A wanted channel is a root; a thread belongs to its root and needs no wish of its own.
//! Invariant: whatever is neither is a stranger, and nothing of a stranger is ever kept.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use shared::post::{ChannelRef, Source};
use shared::wire::ChannelStatus;
use time::OffsetDateTime;

use super::dispatch::RawPlace;
use super::ledger::KeptPlace;
use super::snowflake::Snowflake;
use super::words;

/// Strangers are remembered so that Discord is asked only once; a bot in many servers may meet many.
const MAX_STRANGERS: usize = 50_000;

/// A channel or thread that is listened to.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) kept: KeptPlace,
    pub(super) guild: Option<Snowflake>,
    /// When it was last known to be open: its history was read, or something was told of it.
    pub(super) good_at: Option<OffsetDateTime>,
    /// Whether it was listened to before this run.
    pub(super) is_old: bool,
}

impl Place {
    /// The place as posts name it.
    pub(super) fn channel(&self) -> ChannelRef {
        ChannelRef {
            source: Source::Discord,
            external_id: self.kept.id.to_string(),
            name: self.kept.name.clone(),
        }
    }

    /// The wanted channel that it belongs to.
    pub(super) fn root(&self) -> Snowflake {
        self.kept.parent.unwrap_or(self.kept.id)
    }
}

/// Who a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its messages are wanted.
    Wanted,
    /// It is listened to in principle, but not now: the server does not know it, or blocks it.
    Silent,
    /// Its messages are nobody's business.
    Stranger,
    /// Discord must be asked.
    Unknown,
}

/// Everything that is known of places.
#[derive(Debug, Default)]
pub(super) struct Places {
    wanted: HashSet<Snowflake>,
    /// What the server says of channels, by their ids.
    statuses: HashMap<String, ChannelStatus>,
    /// Whether it has said anything yet.
    is_told: bool,
    places: BTreeMap<Snowflake, Place>,
    strangers: HashSet<Snowflake>,
}

impl Places {
    /// Begins with what is wanted and what the last run knew: a session that goes on tells what was missed at once, and
    /// nothing of channels.
    pub(super) fn new(wanted: &[Snowflake], kept: Vec<KeptPlace>) -> Self {
        let wanted: HashSet<Snowflake> = wanted.iter().copied().collect();
        let is_wanted = |kept: &KeptPlace| wanted.contains(&kept.parent.unwrap_or(kept.id));
        let place = |kept: KeptPlace| (kept.id, Place { kept, guild: None, good_at: None, is_old: true });
        let places = kept.into_iter().filter(is_wanted).map(place).collect();
        Self { wanted, places, ..Self::default() }
    }

    /// What the server says now.
    pub(super) fn set_statuses(&mut self, statuses: HashMap<String, ChannelStatus>) {
        self.statuses = statuses;
        self.is_told = true;
    }

    /// The server cannot be asked: the channels that were heard when the last run ended count as approved for now. False when
    /// there are none.
    pub(super) fn trust_the_last_run(&mut self) -> bool {
        let is_heard = |place: &&Place| place.kept.parent.is_none() && place.kept.trouble.is_none();
        let roots = self.places.values().filter(is_heard);
        self.statuses = roots.map(|root| (root.kept.id.to_string(), ChannelStatus::Approved)).collect();
        !self.statuses.is_empty()
    }

    /// What stands in the way of posting from a wanted channel: it must be known and not blocked. What is posted from one that is
    /// only proposed, or paused, the server keeps.
    pub(super) fn objection(&self, id: &str) -> Option<&'static str> {
        match self.statuses.get(id) {
            Some(ChannelStatus::Approved | ChannelStatus::Proposed | ChannelStatus::Paused) => None,
            Some(ChannelStatus::Blocked) => Some("blocked"),
            None if self.is_told => Some("not known"),
            None => Some("not yet asked about"),
        }
    }

    /// The server's word on a channel.
    pub(super) fn standing(&self, id: &str) -> &'static str {
        self.statuses.get(id).map_or("not known", |status| status.as_str())
    }

    /// Whether posts of this channel may be sent: a root must be known; a thread, or the original of a copy, must not have been
    /// refused.
    pub(super) fn may_post(&self, root: Snowflake, channel: &str) -> bool {
        let root = root.to_string();
        self.objection(&root).is_none() && self.statuses.get(channel) != Some(&ChannelStatus::Blocked)
    }

    /// Who this is.
    pub(super) fn known(&self, id: Snowflake) -> Known {
        match self.places.get(&id) {
            Some(place) if self.may_post(place.root(), &id.to_string()) => Known::Wanted,
            Some(_) => Known::Silent,
            None if self.strangers.contains(&id) => Known::Stranger,
            None if self.wanted.contains(&id) => Known::Silent,
            None => Known::Unknown,
        }
    }

    /// The place of this id.
    pub(super) fn get(&self, id: Snowflake) -> Option<&Place> {
        self.places.get(&id)
    }

    /// The place of this id, to be changed.
    pub(super) fn get_mut(&mut self, id: Snowflake) -> Option<&mut Place> {
        self.places.get_mut(&id)
    }

    /// How many channels and threads there are.
    pub(super) fn count(&self) -> u64 {
        self.places.len() as u64
    }

    /// The wanted ids in order.
    pub(super) fn wanted(&self) -> Vec<Snowflake> {
        let mut wanted: Vec<_> = self.wanted.iter().copied().collect();
        wanted.sort_unstable();
        wanted
    }

    /// The wanted channels of which the server takes posts.
    pub(super) fn heard(&self) -> BTreeSet<Snowflake> {
        self.wanted.iter().copied().filter(|id| self.objection(&id.to_string()).is_none()).collect()
    }

    /// Ids of the roots that are there, in order.
    pub(super) fn roots(&self) -> Vec<Snowflake> {
        self.places.values().filter(|place| place.kept.parent.is_none()).map(|place| place.kept.id).collect()
    }

    /// Ids of the roots in this server, in order.
    pub(super) fn roots_in(&self, guild: Snowflake) -> Vec<Snowflake> {
        let is_there = |root: &Snowflake| self.get(*root).is_some_and(|place| place.guild == Some(guild));
        self.roots().into_iter().filter(is_there).collect()
    }

    /// Whether no wanted channel can be in this server: all of them are known to be in others.
    pub(super) fn is_foreign(&self, guild: Snowflake) -> bool {
        let elsewhere = |id| self.get(id).and_then(|place| place.guild).is_some_and(|known| known != guild);
        self.wanted.iter().copied().all(elsewhere)
    }

    /// From now on every place is one that is listened to.
    pub(super) fn grow_old(&mut self) {
        self.places.values_mut().for_each(|place| place.is_old = true);
    }

    /// Takes note of a place as Discord describes it. Returns what must be kept of it, if it is new or has another name.
    pub(super) fn notice(&mut self, raw: &RawPlace) -> Option<KeptPlace> {
        let parent = raw.thread_of();
        let root = parent.unwrap_or(raw.id);
        if !self.wanted.contains(&root) {
            self.remember_stranger(raw.id);
            return None;
        }
        // A thread whose root is not there yet cannot know since when it is wanted.
        let begin = match parent.map(|parent| self.places.get(&parent)) {
            None => raw.last_message_id.unwrap_or(raw.id),
            // What was said before its channel was first listened to is left alone.
            Some(Some(root)) if !root.is_old => root.kept.since.max(raw.last_message_id.unwrap_or_default()),
            Some(Some(root)) => root.kept.since,
            Some(None) => return None,
        };
        if let Some(place) = self.places.get_mut(&raw.id) {
            place.guild = raw.guild_id.or(place.guild);
            let name = raw.name();
            let is_new_name = place.kept.name != name;
            place.kept.name = name;
            return is_new_name.then(|| place.kept.clone());
        }
        let kept = KeptPlace {
            id: raw.id,
            parent,
            name: raw.name(),
            since: begin,
            read_to: begin,
            trouble: None,
            heard_at: None,
            threads_to: None,
            lag_ms: None,
        };
        self.strangers.remove(&raw.id);
        let place = Place { kept: kept.clone(), guild: raw.guild_id, good_at: None, is_old: false };
        self.places.insert(raw.id, place);
        Some(kept)
    }

    /// A channel or thread is no more.
    pub(super) fn forget(&mut self, id: Snowflake) -> Option<Place> {
        self.strangers.remove(&id);
        self.places.remove(&id)
    }

    /// This one is nobody's business.
    pub(super) fn remember_stranger(&mut self, id: Snowflake) {
        if self.strangers.len() >= MAX_STRANGERS {
            self.strangers.clear();
        }
        self.strangers.insert(id);
    }

    /// The server has not said yet of which channels it takes posts: those that were never listened to are waited for from now
    /// on, so that what is posted meanwhile is read back. Returns what must be kept of them.
    pub(super) fn wait_for_the_server(&mut self, now: OffsetDateTime) -> Vec<KeptPlace> {
        let new: Vec<_> = self.wanted().into_iter().filter(|id| !self.places.contains_key(id)).collect();
        new.into_iter().map(|id| self.trouble(id, words::SERVER_SILENT, now)).collect()
    }

    /// A wanted channel is in trouble. Returns what must be kept of it; a trouble that lasts keeps its beginning.
    pub(super) fn trouble(&mut self, id: Snowflake, words: &str, now: OffsetDateTime) -> KeptPlace {
        let place = self.places.entry(id).or_insert_with(|| {
            let begin = Snowflake::at(now);
            let kept = KeptPlace {
                id,
                parent: None,
                name: id.to_string(),
                since: begin,
                read_to: begin,
                trouble: None,
                heard_at: None,
                threads_to: None,
                lag_ms: None,
            };
            Place { kept, guild: None, good_at: None, is_old: false }
        });
        let since = place.kept.trouble.as_ref().map_or(now, |(_, since)| *since);
        place.kept.trouble = Some((words.to_owned(), since));
        place.kept.clone()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

    fn raw(json: &str) -> RawPlace {
        serde_json::from_str(json).unwrap()
    }

    fn places(status: Option<ChannelStatus>) -> Places {
        let mut places = Places::new(&[Snowflake(5)], Vec::new());
        places.set_statuses(status.map(|status| ("5".to_owned(), status)).into_iter().collect());
        places
    }

    #[test]
    fn only_what_is_wanted_here_and_known_there_is_listened_to() {
        for (status, known) in [
            (Some(ChannelStatus::Approved), Known::Wanted),
            (Some(ChannelStatus::Proposed), Known::Wanted),
            (Some(ChannelStatus::Paused), Known::Wanted),
            (Some(ChannelStatus::Blocked), Known::Silent),
            (None, Known::Silent),
        ] {
            let mut places = places(status);
            assert!(places.notice(&raw(r#"{"id":"5","type":0,"name":"vip"}"#)).is_some());
            assert_eq!(places.known(Snowflake(5)), known, "{status:?}");
            assert_eq!(places.notice(&raw(r#"{"id":"6","type":0,"name":"chat"}"#)), None);
            assert_eq!(
                [places.known(Snowflake(6)), places.known(Snowflake(7))],
                [Known::Stranger, Known::Unknown]
            );
        }
    }

    #[test]
    fn a_thread_belongs_to_its_channel_and_begins_where_that_began() {
        let mut places = places(Some(ChannelStatus::Approved));
        let thread = raw(r#"{"id":"9","type":11,"parent_id":"5","name":"btc","last_message_id":"99"}"#);
        assert_eq!(places.notice(&thread), None, "its channel is not there yet");
        places.notice(&raw(r#"{"id":"5","type":0,"name":"vip","last_message_id":"44","guild_id":"1"}"#));
        let kept = places.notice(&thread).unwrap();
        assert_eq!((kept.parent, kept.read_to), (Some(Snowflake(5)), Snowflake(99)), "that was before");
        places.grow_old();
        let young = raw(r#"{"id":"10","type":11,"parent_id":"5","name":"sol","last_message_id":"120"}"#);
        assert_eq!(places.notice(&young).unwrap().read_to, Snowflake(44));
        assert_eq!((places.known(Snowflake(9)), places.roots()), (Known::Wanted, vec![Snowflake(5)]));
        let category = raw(r#"{"id":"8","type":0,"parent_id":"5","name":"in a category"}"#);
        assert_eq!(places.notice(&category), None, "a channel's parent is a category, and no channel");
        assert_eq!(places.notice(&thread), None, "nothing new");
        assert!(places.notice(&raw(r#"{"id":"9","type":11,"parent_id":"5","name":"eth"}"#)).is_some());
    }

    #[test]
    fn a_thread_or_an_original_that_the_server_refuses_is_not_posted() {
        let mut places = places(Some(ChannelStatus::Approved));
        assert!(places.may_post(Snowflake(5), "500"));
        let statuses = [("5", ChannelStatus::Approved), ("500", ChannelStatus::Blocked)];
        places.set_statuses(statuses.into_iter().map(|(id, status)| (id.to_owned(), status)).collect());
        assert!(!places.may_post(Snowflake(5), "500"));
    }

    #[test]
    fn the_last_run_is_remembered_and_trouble_keeps_its_beginning() {
        let kept = KeptPlace {
            id: Snowflake(5),
            parent: None,
            name: "old".into(),
            since: Snowflake(1),
            read_to: Snowflake(40),
            trouble: None,
            heard_at: Some(NOW),
            threads_to: None,
            lag_ms: None,
        };
        let mut places = Places::new(&[Snowflake(5)], vec![kept]);
        let first = places.trouble(Snowflake(5), "closed", NOW);
        let again = places.trouble(Snowflake(5), "still closed", NOW + time::Duration::HOUR);
        assert_eq!((first.read_to, again.trouble), (Snowflake(40), Some(("still closed".into(), NOW))));
        let statuses = [("5".to_owned(), ChannelStatus::Approved)];
        places.set_statuses(statuses.into_iter().collect());
        assert_eq!(places.known(Snowflake(5)), Known::Wanted, "what is told of it in spite of all counts");
    }

    #[test]
    fn a_server_without_a_wanted_channel_is_foreign_once_all_are_placed() {
        let mut places = places(Some(ChannelStatus::Approved));
        assert!(!places.is_foreign(Snowflake(2)), "the channel may be in it");
        places.notice(&raw(r#"{"id":"5","type":0,"name":"vip","guild_id":"1"}"#));
        assert_eq!([1, 2].map(|guild| places.is_foreign(Snowflake(guild))), [false, true]);
        assert_eq!(places.roots_in(Snowflake(1)), [Snowflake(5)]);
    }

    #[test]
    fn without_the_server_what_was_listened_to_before_is_listened_to() {
        let mut raw_places = places(Some(ChannelStatus::Approved));
        raw_places.notice(&raw(r#"{"id":"5","type":0,"name":"vip"}"#));
        let kept = raw_places.get(Snowflake(5)).unwrap().kept.clone();
        let mut next = Places::new(&[Snowflake(5), Snowflake(6)], vec![kept]);
        assert_eq!(next.known(Snowflake(5)), Known::Silent);
        assert!(next.trust_the_last_run());
        assert_eq!([next.known(Snowflake(5)), next.known(Snowflake(6))], [Known::Wanted, Known::Silent]);
        assert!(!places(None).trust_the_last_run());
    }

    #[test]
    fn strangers_are_bounded() {
        let mut places = places(None);
        for id in 100..u64::try_from(MAX_STRANGERS).unwrap() + 200 {
            places.remember_stranger(Snowflake(id));
        }
        assert!(places.strangers.len() <= MAX_STRANGERS);
    }
}
