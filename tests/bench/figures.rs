//! Medians, percentiles, and how they are printed.

/// The figures of a run, in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Figures(Vec<(String, f64)>);

impl Figures {
    /// Adds a figure; its key carries the unit.
    pub(crate) fn add(&mut self, key: &str, value: f64) {
        self.0.push((key.to_owned(), value));
    }

    /// Prints the table and the last line.
    pub(crate) fn print(&self) {
        println!();
        for (key, value) in &self.0 {
            println!("{key:<28} {:>12}", shown(*value));
        }
        println!();
        let pairs: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{key}={}", shown(*value))).collect();
        println!("{}", pairs.join(" "));
    }
}

/// Three significant digits or more.
fn shown(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The middle value.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    percentile(values, 50)
}

/// The value below which this many per cent of the values lie.
pub(crate) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}
