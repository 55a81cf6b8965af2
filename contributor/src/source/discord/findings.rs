//! What `check` found: a line for each thing that was looked at, and what follows from all of it.
//!
//! Entry point: [`Findings`]. Invariant: what somebody must change and who is only away are told apart: only the latter may work
//! if it is tried again.

use super::rest::RestError;
use crate::api::NoAnswer;
use crate::failure::Failure;
use crate::report::counted;

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings {
    text: String,
    problems: u64,
    away: u64,
}

impl Findings {
    /// A line for each thing that was looked at.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Nothing if all is well; else what has to happen first.
    pub fn verdict(&self) -> Result<(), Failure> {
        match (self.problems, self.away) {
            (0, 0) => Ok(()),
            (0, away) => Err(Failure::Away(format!(
                "{} could not be asked, as said above; try again later",
                counted(away, "thing")
            ))),
            (problems, _) => Err(Failure::Configuration(format!(
                "{} must be changed, as said above",
                counted(problems, "thing")
            ))),
        }
    }

    /// This is as it should be.
    pub(super) fn good(&mut self, line: impl std::fmt::Display) {
        self.line("ok      ", line);
    }

    /// Somebody must change this.
    pub(super) fn bad(&mut self, line: impl std::fmt::Display) {
        self.problems += 1;
        self.line("PROBLEM ", line);
    }

    /// This could not be looked at.
    pub(super) fn away(&mut self, line: impl std::fmt::Display) {
        self.away += 1;
        self.line("AWAY    ", line);
    }

    /// The server did not say what it was asked.
    pub(super) fn server_said(&mut self, error: &NoAnswer) {
        match error {
            NoAnswer::Later(reason) => self.away(format!("server: {reason}")),
            NoAnswer::Never(reason) => self.bad(format!("server: {reason}")),
        }
    }

    /// Discord did not say what it was asked about this.
    pub(super) fn discord_said(&mut self, what: &str, error: &RestError) {
        match error {
            RestError::Later(_) => self.away(format!("{what}: {error}")),
            error => self.bad(format!("{what}: {error}")),
        }
    }

    fn line(&mut self, mark: &str, line: impl std::fmt::Display) {
        self.text += &format!("{mark}{line}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_away_may_be_tried_again() {
        let mut found = Findings::default();
        found.good("clock");
        assert!(found.verdict().is_ok());
        found.discord_said("token", &RestError::Later("no route".into()));
        found.server_said(&NoAnswer::Later("no route".into()));
        let away = found.verdict().unwrap_err();
        assert_eq!((away.code(), away.to_string().contains("2 things")), (75, true), "{away}");
        found.server_said(&NoAnswer::Never("a wrong key".into()));
        let problem = found.verdict().unwrap_err();
        assert_eq!((problem.code(), problem.to_string().contains("1 thing must")), (78, true), "{problem}");
    }
}
