//! Credentials and who may call what. Who may call a handler stands in its signature: [`Anyone`], [`Member`],
//! [`Contributor`], [`Admin`], [`Proposer`] for either, and [`Known`] and [`Person`] for one's own affairs.
//!
//! Entry points: the extractors. Read [`token`] and [`session_key`] for the secrets, then [`authority`] for how one becomes a
//! caller; [`passwords`] and [`attempts`] are for signing in.
//! Invariants: whoever is not known, or whose account is not active, is answered 401 by all of them; whoever is known but
//! has not the role or the scope, 403. Role and status come from the database, never from the credential.

pub mod attempts;
pub mod authority;
pub mod origin;
pub mod passwords;
pub mod session_key;
pub mod token;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shared::wire::{AccountStatus, CredentialKind, ProblemKind, Scope};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::App;
use crate::audit::By;
use crate::edge::rates::Rate;
use crate::http::ApiError;
use crate::store::StoreError;
use crate::store::channels::Viewer;
use crate::store::keys::Standing;
use authority::Credential;
use origin::Origin;
use session_key::BadToken;
use token::Kind;

pub use shared::wire::Role;

/// Somebody whose credential is good and whose account is active.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What they have shown.
    pub credential: Credential,
    /// Where they call from.
    pub origin: Origin,
    standing: Arc<Standing>,
}

impl Deref for Caller {
    type Target = Standing;

    fn deref(&self) -> &Standing {
        &self.standing
    }
}

/// Anybody, known or not.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

/// An active account, whatever its role and its credential's scopes.
#[derive(Debug, Clone)]
pub struct Known(pub Caller);

/// An active account whose owner has signed in: no program with a key.
#[derive(Debug, Clone)]
pub struct Person(pub Caller);

/// An active account that may read, whatever its role.
#[derive(Debug, Clone)]
pub struct Member(pub Caller);

/// An active account that may relay posts.
#[derive(Debug, Clone)]
pub struct Contributor(pub Caller);

/// An active account that may curate.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

/// An active account that may propose a channel: one that may relay posts, or curate.
#[derive(Debug, Clone)]
pub struct Proposer(pub Caller);

impl FromRequestParts<App> for Anyone {
    type Rejection = ApiError;
    async fn from_request_parts(_parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

impl FromRequestParts<App> for Known {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        identify(parts, app, &app.edge.rates.reads).await.map(Self)
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app, &app.edge.rates.reads).await?;
        if caller.credential.kind() != CredentialKind::Session {
            let detail = "only a person who has signed in may do this, not a program with an API key: POST /v1/sessions";
            return Err(ApiError::new(ProblemKind::Forbidden, detail));
        }
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app, &app.edge.rates.reads).await?;
        check_scope(&caller, Scope::FeedRead)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Contributor {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app, &app.edge.rates.posts).await?;
        check_role(&caller, Role::Contributor)?;
        check_scope(&caller, Scope::MessagesWrite)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app, &app.edge.rates.reads).await?;
        check_role(&caller, Role::Admin)?;
        check_scope(&caller, Scope::Admin)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Proposer {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app, &app.edge.rates.reads).await?;
        match caller.role {
            Role::Admin => check_scope(&caller, Scope::Admin)?,
            Role::Contributor => check_scope(&caller, Scope::MessagesWrite)?,
            Role::Member => check_role(&caller, Role::Contributor)?,
        }
        Ok(Self(caller))
    }
}

impl Caller {
    /// This caller, now, for the audit log.
    pub fn by(&self) -> By {
        self.origin.by(Some(self.account_id))
    }

    /// What of the channels this caller sees.
    pub fn viewer(&self) -> Viewer {
        if has_scope(self, Scope::Admin) { Viewer::Admin } else { Viewer::Account(self.account_id) }
    }
}

impl Member {
    /// Whether this caller, who was let in a while ago, would be let in again.
    pub async fn may_still_read(&self, app: &App, now: OffsetDateTime) -> Result<bool, StoreError> {
        let standing = app.authority.standing(self.0.credential).await?;
        Ok(standing.is_some_and(|standing| {
            check_standing(&standing, now).is_ok() && has_scope(&standing, Scope::FeedRead)
        }))
    }
}

fn check_role(caller: &Caller, wanted: Role) -> Result<(), ApiError> {
    if caller.role == wanted {
        return Ok(());
    }
    let detail = format!("this needs an account of role {wanted}; yours is of role {}", caller.role);
    Err(ApiError::new(ProblemKind::Forbidden, detail))
}

/// A key keeps its scopes when its account gets another role: only what both allow counts.
fn has_scope(standing: &Standing, wanted: Scope) -> bool {
    standing.scopes.contains(&wanted) && standing.role.scopes().contains(&wanted)
}

fn check_scope(caller: &Caller, wanted: Scope) -> Result<(), ApiError> {
    if has_scope(caller, wanted) {
        return Ok(());
    }
    let scopes = caller.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    let detail = format!("this needs a credential with the scope {wanted}; yours has {scopes}");
    Err(ApiError::new(ProblemKind::Forbidden, detail))
}

/// Who is calling, within the rate that an account has for calls of this kind.
async fn identify(parts: &Parts, app: &App, rate: &Rate<Uuid>) -> Result<Caller, ApiError> {
    let now = launch::clock::now();
    let credential = credential(parts, app, now)?;
    let standing = app.authority.standing(credential).await?;
    let standing = standing.ok_or_else(|| unauthorized("this credential is not known here"))?;
    check_standing(&standing, now).map_err(unauthorized)?;
    rate.take(&standing.account_id)?;
    if let Credential::Key(_) = credential {
        app.authority.note_use(standing.credential_id, now);
    }
    Ok(Caller { credential, origin: Origin::of(parts), standing })
}

fn check_standing(standing: &Standing, now: OffsetDateTime) -> Result<(), &'static str> {
    if standing.is_revoked {
        return Err("this credential was revoked");
    }
    if standing.expires_at.is_some_and(|at| at <= now) {
        return Err("this credential has expired");
    }
    match standing.status {
        AccountStatus::Active => Ok(()),
        AccountStatus::Invited => Err("this account's invite was not used yet"),
        AccountStatus::Suspended => Err("this account is suspended: ask an admin"),
        AccountStatus::Revoked => Err("this account was closed"),
    }
}

fn credential(parts: &Parts, app: &App, now: OffsetDateTime) -> Result<Credential, ApiError> {
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .ok_or_else(|| unauthorized("send `Authorization: Bearer` and an API key or an access token"))?;
    let text = header.to_str().unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) = token.ok_or_else(|| {
        unauthorized("the Authorization header must be `Bearer` and an API key or an access token")
    })?;
    let token = token.trim();
    // Only an access token has dots.
    if !token.contains('.') {
        let hash = Kind::ApiKey.hash_of(token);
        let mistyped = || unauthorized("this is not a Callboard API key, or it was mistyped");
        return hash.map(Credential::Key).ok_or_else(mistyped);
    }
    app.sign_ins.key.session_of(token, now).map(Credential::Session).map_err(|bad| match bad {
        BadToken::Foreign => unauthorized("this access token is not one of this server"),
        BadToken::Expired => unauthorized("this access token has expired: POST /v1/sessions/refresh"),
    })
}

fn unauthorized(detail: &str) -> ApiError {
    ApiError::new(ProblemKind::Unauthorized, detail)
}
