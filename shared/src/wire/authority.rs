//! Who may do what: the words for roles, the states of an account, and what a credential is good for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

// Also for `audit`. The text is a `tt`, because the description of the API would not see a `literal` here.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident, $what:literal { $($(#[$each:meta])* $name:ident = $text:tt,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        pub enum $type { $($(#[$each])* #[serde(rename = $text)] $name,)* }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name on the wire, in the database and on command lines.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    format!(concat!("`{}` is no ", $what, ": expected one of {}"), text, [$($text),*].join(", "))
                })
            }
        }
    };
}

pub(super) use named;

named! {
    /// What an account is there for.
    Role, "role" {
        /// Reads signals and the feed.
        Member = "member",
        /// Reads, and relays posts.
        Contributor = "contributor",
        /// Reads, and curates channels and people.
        Admin = "admin",
    }
}

named! {
    /// Where an account stands. Only an active one can do anything.
    AccountStatus, "status of an account" {
        /// Its invite was not used yet.
        Invited = "invited",
        /// In use.
        Active = "active",
        /// Stopped by an admin, who may let it go on.
        Suspended = "suspended",
        /// Ended for good.
        Revoked = "revoked",
    }
}

named! {
    /// What an API key is good for, within the role of its account.
    Scope, "scope" {
        /// Read signals, channels, events and the feed.
        FeedRead = "feed:read",
        /// Relay posts, and tell gaps.
        MessagesWrite = "messages:write",
        /// Whatever only admins may do.
        Admin = "admin",
    }
}

impl Role {
    /// What this role may do: the scopes of a session, and the most that a key can have.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Member => &[Scope::FeedRead],
            Self::Contributor => &[Scope::FeedRead, Scope::MessagesWrite],
            Self::Admin => &[Scope::FeedRead, Scope::Admin],
        }
    }
}
