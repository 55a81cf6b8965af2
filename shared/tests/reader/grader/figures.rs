//! The figures of a run: shares between 0 and 1, and a table for people.

use std::fmt::Write as _;

use super::{Grade, Updates, as_class};

impl Grade {
    /// Precision, recall and F1 of a kind. An abstention acts on nothing, so it counts as noise here.
    fn scores(&self, class: &str) -> [f64; 3] {
        let sum = |counted: &dyn Fn(&str, &str) -> bool| -> u32 {
            self.confusion
                .iter()
                .filter(|((want, got), _)| counted(want, as_class(got)))
                .map(|(_, n)| n)
                .sum()
        };
        let hits = sum(&|want, got| want == class && got == class);
        let precision = ratio(hits, sum(&|_, got| got == class));
        let recall = ratio(hits, sum(&|want, _| want == class));
        let both = precision + recall;
        [precision, recall, if both > 0.0 { 2.0 * precision * recall / both } else { 0.0 }]
    }

    /// The mean F1 of signal, update and noise.
    pub(crate) fn macro_f1(&self) -> f64 {
        ["signal", "update", "noise"].iter().map(|class| self.scores(class)[2]).sum::<f64>() / 3.0
    }

    /// The share of labelled signals that were answered.
    pub(crate) fn coverage(&self) -> f64 {
        ratio(self.answered, self.labelled)
    }

    /// The share of answered signals whose core fields are all right.
    pub(crate) fn core_exact(&self) -> f64 {
        ratio(self.core, self.answered)
    }

    /// The share of labelled updates that are right in everything.
    pub(crate) fn update_exact(&self) -> f64 {
        ratio(self.updates.right, self.updates.labelled)
    }

    /// The figures in one line.
    pub(crate) fn line(&self) -> String {
        format!(
            "macro_f1={:.3} coverage={:.3} core_exact={:.3} update_exact={:.3} dangerous={}/{} false_accepts={}",
            self.macro_f1(),
            self.coverage(),
            self.core_exact(),
            self.update_exact(),
            self.dangerous.len(),
            self.posts,
            self.false_accepts.len()
        )
    }

    /// All figures, for people.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("{:10} {:>9} {:>7} {:>6}\n", "kind", "precision", "recall", "F1");
        for class in ["signal", "update", "noise"] {
            let [precision, recall, f1] = self.scores(class);
            writeln!(table, "{class:10} {precision:9.3} {recall:7.3} {f1:6.3}").unwrap();
        }
        let listed = |pairs: Vec<String>| if pairs.is_empty() { "none".to_owned() } else { pairs.join(", ") };
        let confusion = self.confusion.iter().map(|((want, got), n)| format!("{want}->{got} {n}")).collect();
        let fields =
            self.fields.iter().map(|(field, (right, all))| format!("{field} {:.3}", ratio(*right, *all)));
        let dangers = self.dangers.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let Updates { labelled, same_actions, right } = self.updates;
        writeln!(table, "confusion  {}", listed(confusion)).unwrap();
        writeln!(
            table,
            "signals    labelled {}, answered {}, core exact {}",
            self.labelled, self.answered, self.core
        )
        .unwrap();
        writeln!(table, "fields     {}", listed(fields.collect())).unwrap();
        writeln!(table, "updates    labelled {labelled}, same actions {same_actions}, right {right}")
            .unwrap();
        writeln!(table, "dangers    {}", listed(dangers)).unwrap();
        table + &self.line() + "\n"
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}
