//! Accounts, invites, sessions and API keys on the wire. Secrets are in answers that make them, and nowhere else.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AccountStatus, Role, Scope};

/// The most API keys of one account: more than anybody has machines.
pub const MAX_API_KEYS: i64 = 20;

/// `POST /v1/accounts`: makes an account out of an invite.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The invite, as an admin gave it: it works once.
    #[schema(example = "cbi_…")]
    pub invite: String,
    /// The name to sign in with, which others see: 1 to 64 letters from a to z, digits, `.`, `_`, `-`, `@`, `+`, spaces.
    #[schema(example = "ana")]
    pub name: String,
    /// 12 to 128 characters, not easy to guess.
    #[schema(example = "correct horse battery staple")]
    pub password: String,
}

/// `POST /v1/sessions`: signs in.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The name of the account, in large or small letters.
    #[schema(example = "ana")]
    pub name: String,
    /// Its password.
    #[schema(example = "correct horse battery staple")]
    pub password: String,
}

/// `POST /v1/sessions/refresh`: goes on with a session.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token from the last answer.
    #[schema(example = "cbr_…")]
    pub refresh_token: String,
}

/// `PUT /v1/me/password`: changes the caller's password.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password as it is.
    #[schema(example = "correct horse battery staple")]
    pub current_password: String,
    /// Another one: 12 to 128 characters, not easy to guess.
    #[schema(example = "four words that nobody guesses")]
    pub new_password: String,
}

/// The tokens of a session.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
pub struct SessionTokens {
    /// For `Authorization: Bearer`.
    #[schema(example = "eyJ…")]
    pub access_token: String,
    /// Until when that can be used: ten minutes.
    #[serde(with = "time::serde::rfc3339")]
    pub access_expires_at: OffsetDateTime,
    /// For `POST /v1/sessions/refresh`, once. Whoever uses one a second time ends the session; a lost answer may be asked for
    /// again within 30 s, as long as the token in it was not used.
    #[schema(example = "cbr_…")]
    pub refresh_token: String,
    /// Until when that can be used.
    #[serde(with = "time::serde::rfc3339")]
    pub refresh_expires_at: OffsetDateTime,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AccountRecord {
    /// Its id.
    pub id: Uuid,
    /// Its name; absent until the invite was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is there for.
    pub role: Role,
    /// Where it stands.
    pub status: AccountStatus,
    /// What the admin who invited it wrote down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Since when it exists.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// `GET /v1/me`: who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Me {
    /// The account's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// How the caller has identified themselves.
    pub credential: CredentialKind,
    /// What that is good for.
    pub scopes: Vec<Scope>,
    /// Until when it can be used; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// What a caller has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// The key of a program.
    ApiKey,
    /// The access token of somebody who has signed in.
    Session,
}

/// `POST /v1/api-keys`: makes a key for a program.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeApiKey {
    /// What it is called, for people: 1 to 64 characters.
    #[schema(example = "contributor on my server")]
    pub name: String,
    /// What it is good for: at least one, within the role of the account.
    #[schema(min_items = 1, example = json!(["feed:read"]))]
    pub scopes: Vec<Scope>,
    /// Until when it can be used; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// A key that was just made.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
pub struct NewApiKey {
    /// The key: it is shown this once.
    #[schema(example = "cb_…")]
    pub key: String,
    /// What there is to know about it.
    #[serde(flatten)]
    pub record: ApiKeyRecord,
}

/// A key of the calling account, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Until when it can be used; for ever if absent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to some ten seconds; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// `GET /v1/api-keys`: the keys of the calling account that were not revoked, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ApiKeys {
    /// All of them: there are never more than a page has.
    pub api_keys: Vec<ApiKeyRecord>,
}

/// `POST /v1/invites`: invites somebody.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeInvite {
    /// What the account will be there for.
    pub role: Role,
    /// Whom it is for; admins see it in the list of accounts: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ben from the trading chat")]
    pub note: Option<String>,
}

/// An invite that was just made.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
pub struct NewInvite {
    /// The invite: it is shown this once.
    #[schema(example = "cbi_…")]
    pub invite: String,
    /// The id of the account that it leads to. To take the invite back, revoke that account.
    pub account_id: Uuid,
    /// Until when it can be used.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// `PATCH /v1/accounts/{id}`: sets what is there, and leaves the rest.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccount {
    /// The new role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The new status. Between `active` and `suspended` both ways, and to `revoked`, from which nothing leads back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
}

/// A page of accounts, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AccountsPage {
    /// The accounts.
    pub accounts: Vec<AccountRecord>,
    /// Where to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A type that holds a secret prints without it.
macro_rules! prints_redacted {
    ($($type:ident),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "([redacted])"))
            }
        }
    )*};
}

prints_redacted!(Register, SignIn, Refresh, ChangePassword, SessionTokens, NewApiKey, NewInvite);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_secret_prints_without_it() {
        let canary = "canary".to_owned();
        let sign_in = SignIn { name: canary.clone(), password: canary.clone() };
        let register = Register { invite: canary.clone(), name: canary.clone(), password: canary.clone() };
        let change = ChangePassword { current_password: canary.clone(), new_password: canary.clone() };
        let printed = format!("{sign_in:?}{register:?}{change:?}{:?}", Refresh { refresh_token: canary });
        assert!(!printed.contains("canary"), "{printed}");
    }
}
