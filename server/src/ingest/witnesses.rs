//! Who saw what: which stored revision a sighting is of, whether it agrees with those before it, and how many agree now.
//!
//! Entry point: [`Batch::record_sightings`]. Invariants: every form of a revision is kept; a witness is an account, however
//! many keys or forms it has; what differs from any form that was seen before is a disagreement and never a witness. Who
//! may not act cannot send anything, so whoever saw something was an active contributor then, and goes on counting.

use std::collections::HashMap;

use shared::post::Post;
use uuid::Uuid;

use super::publish::Witnessed;
use super::{Batch, Kept, Stored};
use crate::store::StoreError;
use crate::store::posts::{self, KnownPost, MessageKey, NewSighting, SeenBy};

/// What became of the sightings of a batch.
pub(super) struct Recorded {
    /// What each of them shows, in their order.
    pub(super) shown: Vec<Option<Shown>>,
    /// The messages about which somebody disagrees anew.
    pub(super) disputes: Vec<MessageKey>,
    /// The stored revisions that one more contributor has seen.
    pub(super) witnessed: Vec<Witnessed>,
}

/// What a sighting shows.
pub(super) struct Shown {
    pub(super) post_id: Uuid,
    pub(super) agreement: Agreement,
}

/// How a sighting goes with the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// It is the same, author and all.
    Same,
    /// A copy and an original with the same words.
    SameWords,
    /// It says something else.
    Differs,
}

impl Batch<'_> {
    /// Records who saw what.
    pub(super) async fn record_sightings(
        &mut self,
        kept: &[Kept<'_>],
        stored: &Stored,
    ) -> Result<Recorded, StoreError> {
        let mut forms = self.forms(kept, stored).await?;
        let shown: Vec<Option<Shown>> = kept.iter().map(|item| forms.place(item, stored)).collect();
        let rows: Vec<NewSighting> = kept.iter().zip(&shown).filter_map(row).collect();
        let mut new = posts::insert_sightings(self.connection, self.account_id, &rows, self.now).await?;
        let mut seen: HashMap<Uuid, (MessageKey, i64)> = HashMap::new();
        let mut disputes = Vec::new();
        for (item, shown) in kept.iter().zip(&shown) {
            let Some(shown) = shown else { continue };
            if !new.remove(&(shown.post_id, item.post.content_hash.to_vec())) {
                continue;
            }
            if shown.agreement == Agreement::Differs {
                disputes.push(item.post.key.clone());
            } else if !stored.inserted.contains(&shown.post_id) {
                seen.entry(shown.post_id).or_insert_with(|| (item.post.key.clone(), 0)).1 += 1;
            }
        }
        let witnessed = self.count_witnesses(seen).await?;
        Ok(Recorded { shown, disputes, witnessed })
    }

    /// The forms of what this batch sees otherwise than it is stored; nothing is loaded for the rest.
    async fn forms(&mut self, kept: &[Kept<'_>], stored: &Stored) -> Result<Forms, StoreError> {
        let mut wanted: Vec<Uuid> = Vec::new();
        for item in kept.iter().filter(|item| stored.known(item).is_some_and(|known| differs(item, known))) {
            wanted.extend(stored.messages.get(&item.post.key).into_iter().flatten().map(|known| known.id));
        }
        let mut forms = Forms::default();
        if !wanted.is_empty() {
            for (id, post) in posts::forms(self.connection, &wanted).await? {
                forms.0.entry(id).or_default().push(post);
            }
        }
        Ok(forms)
    }

    /// Counts those who have seen these revisions, each of which this contributor has now seen in so many new forms. Whoever
    /// had seen one before in another form was a witness already.
    async fn count_witnesses(
        &mut self,
        mut seen: HashMap<Uuid, (MessageKey, i64)>,
    ) -> Result<Vec<Witnessed>, StoreError> {
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let posts: Vec<Uuid> = seen.keys().copied().collect();
        let mut counted = posts::seen_by(self.connection, self.account_id, &posts).await?;
        // In the order in which they came, so that equal batches tell equal things.
        counted.sort_unstable();
        let witnessed = |SeenBy { post_id, witnesses, own_forms }| {
            let (key, new_forms) = seen.remove(&post_id)?;
            (own_forms == new_forms).then_some(Witnessed { key, post_id, witnesses })
        };
        Ok(counted.into_iter().filter_map(witnessed).collect())
    }
}

/// The forms in which revisions were seen and that agree with each other.
#[derive(Default)]
struct Forms(HashMap<Uuid, Vec<Post>>);

impl Forms {
    /// Which stored revision a sighting is of, and how it goes with what was seen of it before.
    fn place(&mut self, item: &Kept<'_>, stored: &Stored) -> Option<Shown> {
        let known = stored.known(item)?;
        if !differs(item, known) {
            return Some(Shown { post_id: known.id, agreement: Agreement::Same });
        }
        let post = &item.prepared.sighting.post;
        let published = self.published(item, stored).filter(|_| post.is_copy());
        let post_id = published.unwrap_or(known.id);
        let forms = self.0.entry(post_id).or_default();
        if !forms.is_empty() && forms.iter().all(|form| form.agrees_with(post)) {
            forms.push(post.clone());
            Some(Shown { post_id, agreement: Agreement::SameWords })
        } else {
            Some(Shown { post_id: known.id, agreement: Agreement::Differs })
        }
    }

    /// A copy is the text as it was when it was published, and says nothing of an edit before that: it is of the newest
    /// revision with these words.
    fn published(&self, item: &Kept<'_>, stored: &Stored) -> Option<Uuid> {
        let post = &item.prepared.sighting.post;
        let is_shown = |known: &&KnownPost| {
            self.0.get(&known.id).is_some_and(|forms| forms.iter().any(|form| form.shows_the_words_of(post)))
        };
        let all = stored.messages.get(&item.post.key)?.iter();
        all.filter(is_shown).max_by_key(|known| known.revision).map(|known| known.id)
    }
}

fn differs(item: &Kept<'_>, known: &KnownPost) -> bool {
    known.content_hash != item.post.content_hash
}

fn row((item, shown): (&Kept<'_>, &Option<Shown>)) -> Option<NewSighting> {
    let Shown { post_id, agreement } = shown.as_ref()?;
    let sighting = &item.prepared.sighting;
    Some(NewSighting {
        post_id: *post_id,
        content_hash: item.post.content_hash,
        seen_at: sighting.seen_at,
        provenance: item.post.provenance,
        raw: sighting.raw.clone(),
        differing_body: (*agreement != Agreement::Same).then(|| item.post.body.clone()),
        same_words: *agreement == Agreement::SameWords,
    })
}
