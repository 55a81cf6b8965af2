//! Credentials and who may call what. Who may call a handler stands in its signature: [`Anyone`], [`Member`],
//! [`Contributor`], [`Admin`].
//!
//! Entry points: the extractors. Read [`token`] for the secrets, then [`authority`] for how one becomes a caller.
//! Invariants: whoever is not known, or whose account is not active, is answered 401 by all of them; whoever is known but
//! has not the role or the scope, 403. Role and status come from the database, never from the credential.

pub mod authority;
pub mod token;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shared::wire::{AccountStatus, ProblemKind, Scope};
use time::OffsetDateTime;

use crate::App;
use crate::http::ApiError;
use crate::store::StoreError;
use crate::store::keys::Standing;
use authority::Credential;
use token::Kind;

pub use shared::wire::Role;

/// Somebody whose credential is good and whose account is active.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What they have shown.
    pub credential: Credential,
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

/// An active account that may read, whatever its role.
#[derive(Debug, Clone)]
pub struct Member(pub Caller);

/// An active account that may relay posts.
#[derive(Debug, Clone)]
pub struct Contributor(pub Caller);

/// An active account that may curate.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

impl FromRequestParts<App> for Anyone {
    type Rejection = ApiError;
    async fn from_request_parts(_parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        check_scope(&caller, Scope::FeedRead)?;
        app.edge.rates.reads.take(&caller.account_id)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Contributor {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        check_role(&caller, Role::Contributor)?;
        check_scope(&caller, Scope::MessagesWrite)?;
        app.edge.rates.posts.take(&caller.account_id)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        check_role(&caller, Role::Admin)?;
        check_scope(&caller, Scope::Admin)?;
        app.edge.rates.reads.take(&caller.account_id)?;
        Ok(Self(caller))
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

async fn identify(parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    let credential = credential(parts)?;
    let now = launch::clock::now();
    let standing = app.authority.standing(credential).await?;
    let standing = standing.ok_or_else(|| unauthorized("this API key is not known here"))?;
    check_standing(&standing, now).map_err(unauthorized)?;
    app.authority.note_use(standing.credential_id, now);
    Ok(Caller { credential, standing })
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

fn credential(parts: &Parts) -> Result<Credential, ApiError> {
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .ok_or_else(|| unauthorized("send `Authorization: Bearer <API key>`"))?;
    let text = header.to_str().unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, token) =
        token.ok_or_else(|| unauthorized("the Authorization header must be `Bearer <API key>`"))?;
    let hash = Kind::ApiKey.hash_of(token.trim());
    hash.map(Credential::Key)
        .ok_or_else(|| unauthorized("this is not a Callboard API key, or it was mistyped"))
}

fn unauthorized(detail: &str) -> ApiError {
    ApiError::new(ProblemKind::Unauthorized, detail)
}
