//! What signs people's sessions: access tokens (JWT), and the next refresh token of a session.
//!
//! Entry points: [`SessionKey::access_token`], [`SessionKey::session_of`], [`SessionKey::next_refresh_token`],
//! [`SessionKey::token_of`].
//! Invariants: one algorithm, HS256; every claim is required and checked; a token names an account and a session and
//! carries no role. The time is a parameter, so the crate's own clock is switched off.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::token::{Kind, NewToken};

/// How long an access token can be used.
pub const ACCESS_LIFE: Duration = Duration::minutes(10);
/// By how much the clocks of several servers of one host may differ.
const LEEWAY_S: i64 = 5;
/// Who issues the tokens, and for whom: a token of another program with the same key is none of ours.
const ISSUER: &str = "callboard";
/// See [`ISSUER`].
const AUDIENCE: &str = "callboard-api";
/// The type that RFC 9068 gives to access tokens, so that no other kind of token is taken for one.
const TYPE: &str = "at+jwt";
/// The longest access token: ours have some 350 bytes, and longer ones are not looked at.
const MAX_TOKEN_BYTES: usize = 1024;

/// How many bytes the key has: as many as HS256 puts out.
pub const KEY_BYTES: usize = 32;

/// The key of all sessions of an installation. Every server of one database has the same.
#[derive(Clone)]
pub struct SessionKey {
    signing: EncodingKey,
    checking: DecodingKey,
    refreshing: [u8; KEY_BYTES],
    once: [u8; KEY_BYTES],
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey([redacted])")
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    /// The account.
    sub: Uuid,
    /// The session.
    sid: Uuid,
    /// From when on, in seconds since 1970.
    nbf: i64,
    iat: i64,
    /// Until when.
    exp: i64,
}

/// A token that is not ours, or not of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadToken {
    /// It was not made by this key, or not by us.
    Foreign,
    /// It was good once.
    Expired,
}

impl SessionKey {
    /// Derives all that is needed from the installation's key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let signing = derive(key, b"callboard access token");
        Self {
            signing: EncodingKey::from_secret(&signing),
            checking: DecodingKey::from_secret(&signing),
            refreshing: derive(key, b"callboard refresh token"),
            once: derive(key, b"callboard idempotency key"),
        }
    }

    /// An access token for a session, and until when it can be used.
    pub fn access_token(
        &self,
        (account, session): (Uuid, Uuid),
        now: OffsetDateTime,
    ) -> Result<(String, OffsetDateTime), jsonwebtoken::errors::Error> {
        let (iat, until) = (now.unix_timestamp(), now + ACCESS_LIFE);
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: account,
            sid: session,
            nbf: iat,
            iat,
            exp: until.unix_timestamp(),
        };
        let header = Header { typ: Some(TYPE.into()), ..Header::new(Algorithm::HS256) };
        Ok((jsonwebtoken::encode(&header, &claims, &self.signing)?, until))
    }

    /// The session that an access token names.
    pub fn session_of(&self, token: &str, now: OffsetDateTime) -> Result<Uuid, BadToken> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(BadToken::Foreign);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Done below, with the time that we are given.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.checking, &validation);
        let decoded = decoded.map_err(|_| BadToken::Foreign)?;
        // The crate takes any type.
        if decoded.header.typ.as_deref() != Some(TYPE) {
            return Err(BadToken::Foreign);
        }
        let (claims, now) = (decoded.claims, now.unix_timestamp());
        let is_ours = claims.nbf <= now + LEEWAY_S
            && claims.iat <= now + LEEWAY_S
            && claims.exp.checked_sub(claims.iat) == Some(ACCESS_LIFE.whole_seconds());
        match is_ours {
            true if claims.exp + LEEWAY_S > now => Ok(claims.sid),
            true => Err(BadToken::Expired),
            false => Err(BadToken::Foreign),
        }
    }

    /// The refresh token that follows `token` in its session: always the same, so that a lost answer can be given again.
    /// Nobody can make it who has not the token, the session's seed and this key.
    pub fn next_refresh_token(&self, token: &str, seed: &[u8]) -> NewToken {
        NewToken::of(Kind::Refresh, &mac(&self.refreshing, &[seed, token.as_bytes()]))
    }

    /// A mark of these parts that nobody can make, or try texts against, who has not this key.
    pub fn mac_of(&self, parts: &[&[u8]]) -> [u8; KEY_BYTES] {
        // The length stands before each part, so that no two lists are written alike.
        let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
        let written: Vec<&[u8]> =
            lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part]).collect();
        mac(&self.once, &written)
    }

    /// The secret that a request with this idempotency key is answered with: always the same, so that a lost answer can be
    /// given again. Nobody can make it who has not the client's key, the seed and this key.
    pub fn token_of(&self, kind: Kind, client_key: &str, seed: &[u8]) -> NewToken {
        let bytes = self.mac_of(&[b"secret", kind.mark().as_bytes(), seed, client_key.as_bytes()]);
        NewToken::of(kind, &bytes[..kind.random_bytes()])
    }
}

fn derive(key: &[u8; KEY_BYTES], purpose: &[u8]) -> [u8; KEY_BYTES] {
    mac(key, &[purpose])
}

fn mac(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    // HMAC itself fills a key up with zeros to the 64 bytes of a block.
    let mut block = [0; 64];
    block[..KEY_BYTES].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
