//! Grades readings of posts against labels: kinds, fields, updates, and above all what would cost money.
//!
//! Entry points: [`Grade::case`] for each post, then the figures, such as [`Grade::table`]. Labels and readings have the form of
//! the batch contract (`shared::batch`), and are compared as JSON.

mod checks;
mod figures;
mod signals;
mod updates;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use signals::CORE;
use values::{is_empty, items};

/// The counters of one run.
#[derive(Default)]
pub(crate) struct Grade {
    /// How often each expected kind was answered by each kind.
    confusion: BTreeMap<(String, String), u32>,
    /// How often each field was right, of how often it was scored.
    fields: BTreeMap<&'static str, (u32, u32)>,
    dangers: BTreeMap<&'static str, u32>,
    /// Posts with at least one danger.
    pub(crate) dangerous: BTreeSet<String>,
    /// Posts from which a signal was accepted although they hold none.
    pub(crate) false_accepts: BTreeSet<String>,
    posts: u32,
    labelled: u32,
    answered: u32,
    core: u32,
    updates: Updates,
    /// What is wrong, post by post.
    pub(crate) wrong: Vec<(String, String)>,
}

#[derive(Default)]
struct Updates {
    labelled: u32,
    same_actions: u32,
    right: u32,
}

/// A post that is being graded: its id, label, and what was read.
struct Case<'c> {
    id: &'c str,
    expect: &'c Value,
    signals: &'c [Value],
    update: &'c Value,
}

impl Grade {
    /// Adds a labelled post and its reading.
    pub(crate) fn case(&mut self, labelled: &Value, reading: &Value) {
        let expect = &labelled["expect"];
        let kind = kind(reading);
        let (signals, update) = match kind {
            "signal" => (items(&reading["signals"]), &reading["update"]),
            "update" => (&[][..], &reading["update"]),
            _ => (&[][..], &Value::Null),
        };
        let case = Case { id: labelled["id"].as_str().unwrap_or_default(), expect, signals, update };
        self.posts += 1;
        if !is_empty(&expect["reject"]) {
            return self.reject(&case);
        }
        let wanted = expect["kind"].as_str().unwrap_or_default();
        if wanted == "signal" && expect["abstain_ok"] == true && kind == "abstain" {
            return;
        }
        *self.confusion.entry((wanted.to_owned(), kind.to_owned())).or_default() += 1;
        match wanted {
            "signal" => self.signal(&case),
            "update" => self.update(&case),
            _ => self.noise(&case),
        }
        if as_class(kind) != wanted {
            self.fault(&case, format!("expected {wanted}, got {kind}"));
        }
    }

    fn fault(&mut self, case: &Case<'_>, problem: String) {
        self.wrong.push((case.id.to_owned(), problem));
    }

    fn danger(&mut self, case: &Case<'_>, name: &'static str) {
        *self.dangers.entry(name).or_default() += 1;
        self.dangerous.insert(case.id.to_owned());
        self.fault(case, format!("DANGER {name}"));
    }

    fn reject(&mut self, case: &Case<'_>) {
        for _ in case.signals {
            self.danger(case, "accepted_inconsistent");
            self.false_accepts.insert(case.id.to_owned());
        }
        if case.signals.is_empty() && !is_empty(case.update) {
            self.danger(case, "false_update_on_reject");
        }
    }

    fn signal(&mut self, case: &Case<'_>) {
        let mut free: Vec<&Value> = case.signals.iter().collect();
        for label in items(&case.expect["signals"]) {
            self.labelled += 1;
            let Some(nearest) = nearest(label, &free) else { continue };
            self.one_signal(case, label, free.remove(nearest));
        }
        for _ in free {
            self.danger(case, "extra_signal");
        }
        if !is_empty(case.update) {
            for name in updates::dangers(&case.expect["update"], case.update) {
                self.danger(case, name);
            }
        }
    }

    fn one_signal(&mut self, case: &Case<'_>, label: &Value, got: &Value) {
        self.answered += 1;
        let result = signals::compare(label, got);
        for (field, right) in &result {
            let (rights, all) = self.fields.entry(field).or_default();
            *rights += u32::from(*right);
            *all += 1;
        }
        let faults: Vec<_> = result.iter().filter(|(_, right)| !right).map(|(field, _)| *field).collect();
        self.core += u32::from(!faults.iter().any(|field| CORE.contains(field)));
        for field in faults {
            let of = |signal: &Value| match field {
                "entry_detail" => signal["entry"].to_string(),
                "tp_alloc" => signal["tps"].to_string(),
                _ => signal[field].to_string(),
            };
            self.fault(case, format!("{field}: expected {}, got {}", of(label), of(got)));
        }
        for name in signals::dangers(label, got) {
            self.danger(case, name);
        }
    }

    fn update(&mut self, case: &Case<'_>) {
        let label = &case.expect["update"];
        for _ in case.signals {
            self.danger(case, "false_signal_on_update");
            self.false_accepts.insert(case.id.to_owned());
        }
        let answered = !is_empty(case.update);
        let scored = answered && case.signals.is_empty();
        let (same_actions, right) =
            if scored { updates::compare(label, case.update) } else { (false, false) };
        self.updates.labelled += 1;
        self.updates.same_actions += u32::from(same_actions);
        self.updates.right += u32::from(right);
        if answered && !right {
            self.fault(case, format!("update: expected {label}, got {}", case.update));
        }
        if answered {
            for name in updates::dangers(label, case.update) {
                self.danger(case, name);
            }
        }
    }

    fn noise(&mut self, case: &Case<'_>) {
        for _ in case.signals {
            self.danger(case, "false_signal_on_noise");
            self.false_accepts.insert(case.id.to_owned());
        }
        if case.signals.is_empty() && !is_empty(case.update) {
            self.danger(case, "false_update_on_noise");
        }
    }
}

/// The kind of a reading; `missing` where its content is.
fn kind(reading: &Value) -> &str {
    match reading["kind"].as_str() {
        Some("signal") if !items(&reading["signals"]).is_empty() => "signal",
        Some("update") if !is_empty(&reading["update"]) => "update",
        Some(kind @ ("noise" | "abstain")) => kind,
        _ => "missing",
    }
}

fn as_class(kind: &str) -> &str {
    if kind == "abstain" { "noise" } else { kind }
}

/// Which of the signals is most like the label; the first of equals.
fn nearest(label: &Value, free: &[&Value]) -> Option<usize> {
    let wanted: BTreeSet<_> = signals::prices(label).into_iter().collect();
    let likeness = |got: &Value| {
        let named = 2 * u32::from(got["base"] == label["base"]) + u32::from(got["side"] == label["side"]);
        let prices: BTreeSet<_> = signals::prices(got).into_iter().collect();
        (named, prices.intersection(&wanted).count())
    };
    (0..free.len()).rev().max_by_key(|at| likeness(free[*at]))
}

/// The reading that a perfect reader would give.
pub(crate) fn reading_of_label(labelled: &Value) -> Value {
    let expect = &labelled["expect"];
    if !is_empty(&expect["reject"]) {
        return json!({"kind": "abstain", "reason": expect["reject"]});
    }
    json!({"kind": expect["kind"], "signals": expect["signals"], "update": expect["update"], "reason": "label"})
}
