//! How the program can end, and the exit code of each end. Entry point: [`Failure`].

use std::process::ExitCode;

use crate::outbox::OutboxError;

/// A reason not to end with exit code 0.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A setting or a credential that must be changed before this can work.
    #[error("{0}")]
    Configuration(String),
    /// An input that is not what it should be. Its valid part was kept.
    #[error("{0}")]
    Input(String),
    /// Somebody who had to be asked is away: the same may work later.
    #[error("{0}")]
    Away(String),
    /// The user stopped it before it was done.
    #[error("interrupted: {0}")]
    Interrupted(String),
    /// Anything else, such as a full disk.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Failure {
    /// 78 configuration or credential (`EX_CONFIG` of sysexits.h), 75 away for now (`EX_TEMPFAIL`), 2 input, 130 interrupted,
    /// 1 anything else.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Configuration(_) => 78,
            Failure::Away(_) => 75,
            Failure::Input(_) => 2,
            Failure::Interrupted(_) => 130,
            Failure::Other(_) => 1,
        }
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        ExitCode::from(failure.code())
    }
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::OtherServer { .. } => Failure::Configuration(error.to_string()),
            other => Failure::Other(other.into()),
        }
    }
}
