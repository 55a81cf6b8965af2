//! Binding and standing, for what follow-ups may say: also what no text in the other tests says.

use shared::money::Price;
use shared::post::{Author, ChannelRef, Source};
use shared::signal::{Entry, Instrument, Side, SignalDraft, Stop, Target, TargetLevel};
use shared::update::{Action, Scope, SignalUpdate};
use time::Duration;
use time::macros::datetime;

use super::*;

const START: OffsetDateTime = datetime!(2026-06-01 08:00 UTC);
const CHANNEL: Uuid = Uuid::from_u128(1);

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

/// The `minute` is the message's id as well.
fn post(minute: i64) -> Post {
    Post {
        channel: ChannelRef { source: Source::Discord, external_id: "500".into(), name: "vip-calls".into() },
        external_id: minute.to_string(),
        author: Author { external_id: "7".into(), name: "Ana".into(), is_bot: false },
        posted_at: START + Duration::minutes(minute),
        edited_at: None,
        deleted_at: None,
        content: "as the reading says".into(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    }
}

/// A long on this ticker; the author's own id of the call is its reference, unless it is empty.
fn idea(base: &str, reference: &str) -> Idea {
    Idea::new(SignalDraft {
        targets: vec![Target { at: TargetLevel::Price(price("110")), share: None }],
        stop: Some(Stop::Price { price: price("95") }),
        reference: Some(reference.to_owned()).filter(|reference| !reference.is_empty()),
        ..SignalDraft::new(
            Instrument::of(base.parse().unwrap()),
            Side::Long,
            Entry::Limit { price: price("100") },
        )
    })
    .unwrap()
}

fn signals(ideas: &[Idea]) -> Verdict {
    Verdict::Signals { signals: ideas.to_vec(), updates: Vec::new() }
}

fn updates<const N: usize>(updates: [(Scope, Action); N]) -> Verdict {
    let updates = updates.map(|(scope, action)| SignalUpdate { scope, actions: vec![action] });
    Verdict::Updates { updates: updates.into() }
}

fn named(reference: &str) -> Scope {
    Scope::Reference { reference: reference.into(), base: None }
}

fn on(base: &str) -> Scope {
    Scope::Symbol { base: base.parse().unwrap(), side: None }
}

fn reenter() -> Action {
    Action::Reenter { entry: Entry::Limit { price: price("99") }, stop: None }
}

/// Tells a verdict about the post of this minute, and returns the events that follow from it.
fn tell(publisher: &mut Publisher, (minute, occasion): (i64, Occasion), verdict: Verdict) -> Vec<Event> {
    let (post, before) = (post(minute), publisher.events.len());
    let reading = Reading { reader_version: READER_VERSION, verdict, evidence: Vec::new() };
    let arrival = Arrival {
        key: &MessageKey { channel_id: CHANNEL, external_id: post.external_id.clone() },
        post_id: Uuid::from_u128(u128::try_from(1000 + minute).unwrap()),
        revision: 0,
        post: &post,
        provenance: Provenance::Live,
        seen_at: post.posted_at,
        received_at: post.posted_at,
        witnesses: 1,
        reading: Some(&reading),
        occasion,
    };
    publisher.publish(&arrival).unwrap();
    publisher.events[before..].iter().map(|event| serde_json::from_str(&event.payload).unwrap()).collect()
}

fn news(publisher: &mut Publisher, minute: i64, verdict: Verdict) -> Vec<Event> {
    tell(publisher, (minute, Occasion::News), verdict)
}

fn again(publisher: &mut Publisher, minute: i64, verdict: Verdict) -> Vec<Event> {
    tell(publisher, (minute, Occasion::Again { edits_a_signal: false, disputed: false }), verdict)
}

fn publisher() -> Publisher {
    Publisher::new(Book::default(), START + Duration::days(3))
}

/// The signal of a message, as it stands.
fn signal(publisher: &Publisher, minute: i64, ordinal: usize) -> Signal {
    let key = MessageKey { channel_id: CHANNEL, external_id: minute.to_string() };
    publisher.book.of_message(&key)[ordinal].clone()
}

/// The messages of the signals that these events are bound to; `-` for an unbound one.
fn bound(publisher: &Publisher, events: &[Event]) -> Vec<String> {
    let message = |id: Uuid| publisher.book.get(id).unwrap().record.external_id.clone();
    let of = |event: &Event| match event {
        Event::SignalUpdated { update } => update.signal_id.map(message),
        Event::UpdateUnbound { .. } => Some("-".to_owned()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn a_follow_up_that_names_the_authors_id_of_a_call_is_about_that_call() {
    let mut publisher = publisher();
    for (minute, reference) in [(1, "17"), (2, "18"), (3, ""), (4, "17")] {
        news(&mut publisher, minute, signals(&[idea("BTC", reference)]));
    }
    let told = news(&mut publisher, 10, updates([(named("18"), Action::Close)]));
    assert_eq!(bound(&publisher, &told), ["2"]);
    let told = news(&mut publisher, 11, updates([(named("17"), Action::Close)]));
    assert_eq!(bound(&publisher, &told), ["4"], "an id that was used again means the newest call");
    let told = news(&mut publisher, 12, updates([(named("17"), Action::Close)]));
    assert_eq!(bound(&publisher, &told), ["1"], "the newest one that is open");
    let other = Scope::Reference { reference: "18".into(), base: "ETH".parse().ok() };
    for scope in [named("19"), other] {
        let told = news(&mut publisher, 13, updates([(scope, Action::Close)]));
        assert_eq!(bound(&publisher, &told), ["-"]);
        let Some(Event::UpdateUnbound { reason, .. }) = told.first() else { panic!("{told:?}") };
        assert!(reason.contains("no signal with the id 1"), "{reason}");
    }
}

#[test]
fn the_updates_of_one_post_are_bound_each_on_its_own_and_said_once() {
    let mut publisher = publisher();
    news(&mut publisher, 1, signals(&[idea("BTC", "17")]));
    news(&mut publisher, 2, signals(&[idea("ETH", "18")]));
    let several = updates([
        (on("BTC"), Action::TargetHit { targets: vec![1] }),
        (named("18"), Action::Close),
        (on("SOL"), Action::Close),
        (named("17"), Action::Close),
    ]);
    let told = news(&mut publisher, 10, several.clone());
    assert_eq!(bound(&publisher, &told), ["1", "2", "-", "1"]);
    assert_eq!(signal(&publisher, 1, 0).status, SignalStatus::Ended);
    assert_eq!(signal(&publisher, 2, 0).status, SignalStatus::Ended);
    let told = again(&mut publisher, 10, several);
    assert!(told.is_empty(), "read again and said still: {told:?}");
}

#[test]
fn entering_again_opens_an_ended_signal_and_a_word_from_before_the_last_one_changes_nothing() {
    let mut publisher = publisher();
    let standing = |publisher: &Publisher| signal(publisher, 1, 0).status;
    news(&mut publisher, 1, signals(&[idea("BTC", "")]));
    news(&mut publisher, 10, updates([(on("BTC"), Action::StoppedOut)]));
    assert_eq!(standing(&publisher), SignalStatus::Ended);
    let told = news(&mut publisher, 20, updates([(on("BTC"), reenter())]));
    assert_eq!((bound(&publisher, &told).len(), standing(&publisher)), (1, SignalStatus::Open));
    news(&mut publisher, 30, updates([(on("BTC"), Action::Close)]));
    let told = news(&mut publisher, 25, updates([(on("BTC"), reenter())]));
    assert_eq!((bound(&publisher, &told).len(), standing(&publisher)), (1, SignalStatus::Ended));
    let both = SignalUpdate { scope: on("BTC"), actions: vec![Action::StoppedOut, reenter()] };
    news(&mut publisher, 40, Verdict::Updates { updates: vec![both] });
    assert_eq!(standing(&publisher), SignalStatus::Open, "the last action of a post counts");
}

#[test]
fn an_old_follow_up_is_bound_as_things_stood_when_it_was_posted() {
    let mut publisher = publisher();
    news(&mut publisher, 1, signals(&[idea("BTC", "")]));
    news(&mut publisher, 2, signals(&[idea("ETH", "")]));
    news(&mut publisher, 50, updates([(on("ETH"), Action::Close)]));
    let told = again(&mut publisher, 10, updates([(Scope::Last, Action::TargetHit { targets: vec![1] })]));
    assert_eq!(bound(&publisher, &told), ["2"], "that call was open then, and was the newest");
    let told = news(&mut publisher, 60, updates([(Scope::Last, Action::TargetHit { targets: vec![1] })]));
    assert_eq!(bound(&publisher, &told), ["1"]);
}

#[test]
fn a_follow_up_that_is_none_any_more_is_taken_back_and_its_signal_stands_as_the_others_say() {
    let mut publisher = publisher();
    news(&mut publisher, 1, signals(&[idea("BTC", "")]));
    news(&mut publisher, 10, updates([(on("BTC"), Action::Close)]));
    let told = again(&mut publisher, 10, updates([(on("BTC"), Action::TargetHit { targets: vec![1] })]));
    assert!(
        matches!(told.as_slice(), [Event::SignalUpdated { update }, Event::UpdateWithdrawn { .. }] if update.reread),
        "{told:?}"
    );
    assert_eq!(signal(&publisher, 1, 0).status, SignalStatus::Open);
    let told = again(&mut publisher, 10, Verdict::Noise { reason: "a joke".into() });
    assert!(matches!(told.as_slice(), [Event::UpdateWithdrawn { .. }]), "{told:?}");
}

#[test]
fn what_was_taken_for_a_signal_and_is_a_follow_up_is_withdrawn_and_bound() {
    let mut publisher = publisher();
    news(&mut publisher, 1, signals(&[idea("BTC", "")]));
    news(&mut publisher, 10, signals(&[idea("BTC", "")]));
    let told = again(&mut publisher, 10, updates([(on("BTC"), Action::Close)]));
    let [Event::SignalWithdrawn { reason, .. }, Event::SignalUpdated { .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(reason.starts_with("read again: "), "{reason}");
    assert_eq!(bound(&publisher, &told), ["1"]);
    let edit = Occasion::Again { edits_a_signal: true, disputed: false };
    news(&mut publisher, 20, signals(&[idea("ETH", "")]));
    let told = tell(&mut publisher, (20, edit), updates([(Scope::Last, Action::Close)]));
    assert_eq!(bound(&publisher, &told), ["20"], "an edit of a signal speaks of that signal");
}

#[test]
fn a_signal_that_reads_as_one_again_stands_as_its_follow_ups_say() {
    let mut publisher = publisher();
    news(&mut publisher, 1, signals(&[idea("BTC", "")]));
    news(&mut publisher, 10, updates([(on("BTC"), Action::Close)]));
    again(&mut publisher, 1, Verdict::Noise { reason: "not a caller".into() });
    assert_eq!(signal(&publisher, 1, 0).status, SignalStatus::Withdrawn);
    let before = signal(&publisher, 1, 0).record.id;
    let told = again(&mut publisher, 1, signals(&[idea("BTC", "")]));
    let [Event::SignalRevised { signal: record }] = told.as_slice() else { panic!("{told:?}") };
    assert!(record.reread && record.id == before && record.posted_at == post(1).posted_at);
    assert_eq!(signal(&publisher, 1, 0).status, SignalStatus::Ended);
}

#[test]
fn a_signal_found_in_disputed_words_is_disputed_from_the_start() {
    let mut publisher = publisher();
    let disputed = Occasion::Again { edits_a_signal: false, disputed: true };
    let told = tell(&mut publisher, (1, disputed), signals(&[idea("BTC", "")]));
    assert!(
        matches!(told.as_slice(), [Event::SignalPosted { .. }, Event::SignalDisputed { .. }]),
        "{told:?}"
    );
    assert!(signal(&publisher, 1, 0).disputed);
}
