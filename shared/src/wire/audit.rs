//! The audit log on the wire: who did what to what, when and from where.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::authority::named;

named! {
    /// What was done.
    Act, "act" {
        /// Somebody was invited. The subject is the account that the invite leads to.
        AccountInvited = "account_invited",
        /// An invite was used. The subject is the account.
        AccountRegistered = "account_registered",
        /// The host has made an account for a program. The subject is the account.
        AccountMade = "account_made",
        /// The role or the status of an account was changed.
        AccountChanged = "account_changed",
        /// An API key was made. The subject is the key.
        KeyMade = "key_made",
        /// An API key was revoked. The subject is the key.
        KeyRevoked = "key_revoked",
        /// Somebody has signed in. The subject is the session.
        SignedIn = "signed_in",
        /// Somebody could not sign in. The subject is the account that was tried, if there is one.
        SignInRefused = "sign_in_refused",
        /// Somebody has signed out. The subject is the session.
        SignedOut = "signed_out",
        /// A refresh token came a second time, and its session was ended. The subject is the session.
        TokenReused = "token_reused",
        /// Somebody has changed their password: their other sessions have ended. The subject is the account.
        PasswordChanged = "password_changed",
        /// A channel was proposed.
        ChannelProposed = "channel_proposed",
        /// The status, the name or the profile of a channel was changed.
        ChannelChanged = "channel_changed",
        /// A contributor may post for a channel from now on. The subject is the channel.
        ContributorEnrolled = "contributor_enrolled",
        /// A contributor may not post for a channel any more. The subject is the channel.
        ContributorRemoved = "contributor_removed",
        /// A signal was withdrawn.
        SignalWithdrawn = "signal_withdrawn",
    }
}

/// One line of the audit log. It never holds a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Its id; ids sort by time.
    pub id: Uuid,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Which account did it; absent for the host at the server's own command line, and for somebody who is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Uuid>,
    /// What was done.
    pub what: Act,
    /// The id of what it was done to; see the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// What stood there before, as far as it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// What stands there now, as far as it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
    /// The id of the request; absent for the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The address that the request came from; absent for the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// `GET /v1/audit`: a page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The lines.
    pub audit: Vec<AuditRecord>,
    /// Where to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
