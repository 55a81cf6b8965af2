//! Access tokens that are not ours, each wrong in one way: all are answered 401, and none with a fault of the server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use server::auth::Role;
use support::people::{Person, mac, signing_key};
use support::server::{Api, TestServer};

/// How wrong a token can be, at the least.
const LEAST: usize = 16;

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of these parts, signed as ours are.
fn signed(header: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac(&signing_key(), text.as_bytes())))
}

/// The header and the claims of a token that is ours.
fn parts_of(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || parts.next().unwrap();
    (serde_json::from_slice(&next()).unwrap(), serde_json::from_slice(&next()).unwrap())
}

/// The value with one field set, or gone.
fn with(value: &Value, field: &str, new: Value) -> Value {
    let mut value = value.clone();
    if new.is_null() {
        value.as_object_mut().unwrap().remove(field);
    } else {
        value[field] = new;
    }
    value
}

fn forgeries(token: &str) -> Vec<(String, String)> {
    let (header, claims) = parts_of(token);
    let (text, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = text.split_once('.').unwrap();
    let now = launch::clock::now().unix_timestamp();
    let resigned = |key: &[u8]| format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac(key, text.as_bytes())));
    let last = if signature.ends_with('A') { 'Q' } else { 'A' };
    let other = with(&claims, "sub", json!("00000000-0000-7000-8000-000000000000"));
    let none = with(&header, "alg", json!("none"));
    let mut forged = vec![
        ("no signature".to_owned(), format!("{text}.")),
        ("two parts".to_owned(), text.to_owned()),
        ("four parts".to_owned(), format!("{token}.{signature}")),
        ("alg none, unsigned".to_owned(), format!("{}.{}.", part(&none), part(&claims))),
        ("alg none, signed".to_owned(), signed(&none, &claims)),
        ("the key of another installation".to_owned(), resigned(b"another key, also of 32 bytes!!!")),
        ("an empty key".to_owned(), resigned(b"")),
        ("the installation's key itself".to_owned(), resigned(&support::server::KEY)),
        (
            "the last character changed".to_owned(),
            format!("{text}.{}{last}", &signature[..signature.len() - 1]),
        ),
        ("another payload".to_owned(), format!("{head}.{}.{signature}", part(&other))),
        ("ten kilobytes".to_owned(), signed(&header, &with(&claims, "iss", json!("x".repeat(8_000))))),
        ("no JSON".to_owned(), format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode("{"), part(&claims))),
        ("dots".to_owned(), "...".to_owned()),
    ];
    for alg in ["HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", ""] {
        forged.push((format!("alg {alg}"), signed(&with(&header, "alg", json!(alg)), &claims)));
    }
    for typ in [json!("JWT"), json!("rt+jwt"), json!("AT+JWT"), Value::Null] {
        forged.push((format!("typ {typ}"), signed(&with(&header, "typ", typ), &claims)));
    }
    for claim in ["iss", "aud", "sub", "sid", "exp", "nbf", "iat"] {
        forged.push((format!("no {claim}"), signed(&header, &with(&claims, claim, Value::Null))));
    }
    for (claim, value) in [
        ("exp", json!((now + 600).to_string())),
        ("nbf", json!(now.to_string())),
        ("exp", json!(1e300)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(now - 30)),
        ("nbf", json!(now + 60)),
        ("iat", json!(now + 60)),
        ("iss", json!("somebody")),
        ("aud", json!("somebody")),
        ("aud", json!(["callboard-api"])),
        ("sid", json!("00000000-0000-7000-8000-000000000000")),
        ("sid", json!("' OR 1=1 --")),
        ("role", json!("admin")),
    ] {
        forged.push((format!("{claim} {value}"), signed(&header, &with(&claims, claim, value))));
    }
    let old =
        with(&with(&with(&claims, "iat", json!(now - 630)), "nbf", json!(now - 630)), "exp", json!(now - 30));
    forged.push(("expired 30 s ago".to_owned(), signed(&header, &old)));
    forged
}

#[tokio::test]
async fn a_token_that_is_wrong_in_any_way_is_refused() {
    let server = TestServer::start().await;
    let person = Person::join(&server, Role::Admin).await;
    let token = &person.tokens.access_token;
    let (header, claims) = parts_of(token);
    let status = async |token: &str| {
        Api::new(&server.url, token).send(Method::GET, "/v1/me", None).await.status().as_u16()
    };
    assert_eq!(status(&signed(&header, &claims)).await, 200, "this test signs as the server does");
    // Fields of the header that name a key are not looked at.
    for (field, value) in
        [("kid", "../../../etc/passwd"), ("kid", "' OR 1=1"), ("jku", "http://127.0.0.1:1/keys")]
    {
        assert_eq!(status(&signed(&with(&header, field, json!(value)), &claims)).await, 200, "{field}");
    }
    let forged = forgeries(token);
    assert!(forged.len() >= LEAST);
    for (words, token) in forged {
        assert_eq!(status(&token).await, 401, "{words}");
    }
}

#[tokio::test]
async fn a_token_says_who_somebody_is_and_not_what_they_may() {
    let server = TestServer::start().await;
    let person = Person::join(&server, Role::Admin).await;
    let (header, claims) = parts_of(&person.tokens.access_token);
    assert_eq!(header, json!({"typ": "at+jwt", "alg": "HS256"}));
    let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "nbf", "sid", "sub"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
}
