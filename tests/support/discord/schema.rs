//! Discord's own description of what its REST interface answers, and whether the fake's answers fit it.
//!
//! Entry point: [`misfits`]. The description is an excerpt of Discord's OpenAPI document: `schema/discord.json`, see there.
//! The gateway has no such document: what it tells are the same objects with a few more fields, which are taken away first.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("schema/discord.json")).expect("it is JSON"));
/// Made once each: that takes longer than all checks.
static VALIDATORS: LazyLock<Mutex<HashMap<&'static str, &'static jsonschema::Validator>>> =
    LazyLock::new(Mutex::default);

fn validator(name: &'static str) -> &'static jsonschema::Validator {
    VALIDATORS.lock().expect("no panic").entry(name).or_insert_with(|| {
        assert!(DESCRIPTION["$defs"][name].is_object(), "{name} is not described");
        let schema = json!({ "$ref": format!("#/$defs/{name}"), "$defs": DESCRIPTION["$defs"] });
        let options = jsonschema::options().should_validate_formats(true);
        Box::leak(Box::new(options.build(&schema).expect("it is a schema")))
    })
}

/// What does not fit Discord's description of an object of this name.
pub fn misfits(name: &'static str, object: &Value) -> Vec<String> {
    validator(name)
        .iter_errors(object)
        .map(|error| format!("{name}{}: {error}", error.instance_path()))
        .collect()
}

/// The same for the answer to a GET of this path with this status.
pub fn answer_misfits(path: &str, status: u16, body: &Value) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches("/api/v10/").split('/').collect();
    let each = |name| body.as_array().into_iter().flatten().flat_map(move |one| misfits(name, one)).collect();
    let place = |body: &Value| misfits(place_of(body), body);
    match (status, parts.as_slice()) {
        (429, _) => misfits("RatelimitedResponse", body),
        (400.., _) => misfits("ErrorResponse", body),
        (_, ["users", "@me"]) => misfits("UserPIIResponse", body),
        (_, ["users", "@me", "guilds"]) => each("MyGuildResponse"),
        (_, ["applications", "@me"] | ["oauth2", "applications", "@me"]) => {
            misfits("PrivateApplicationResponse", body)
        }
        (_, ["gateway"]) => misfits("GatewayResponse", body),
        (_, ["gateway", "bot"]) => misfits("GatewayBotResponse", body),
        (_, ["guilds", _, "channels"]) => each("GuildChannelResponse"),
        (_, ["guilds", _, "threads", "active"] | ["channels", _, "threads", "archived", "public"]) => {
            misfits("ThreadsResponse", body)
        }
        (_, ["channels", _]) => place(body),
        (_, ["channels", _, "messages"]) => each("MessageResponse"),
        (_, ["channels", _, "messages", _]) => misfits("MessageResponse", body),
        _ => vec![format!("{path}: the description of its answer is not known here")],
    }
}

/// The same for what the gateway tells: `line` as it was sent.
pub fn event_misfits(line: &str) -> Vec<String> {
    let line: Value = serde_json::from_str(line).expect("the fake sends JSON");
    let mut told = line["d"].clone();
    match line["t"].as_str().unwrap_or_default() {
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" => {
            without(&mut told, &["guild_id", "member"]);
            misfits("MessageResponse", &told)
        }
        "THREAD_CREATE" | "CHANNEL_CREATE" | "CHANNEL_UPDATE" => {
            without(&mut told, &["newly_created"]);
            misfits(place_of(&told), &told)
        }
        "GUILD_CREATE" => {
            let lists =
                ["channels", "threads"].map(|list| told[list].as_array().cloned().unwrap_or_default());
            lists.concat().iter().flat_map(|place| misfits(place_of(place), place)).collect()
        }
        "READY" => misfits("UserPIIResponse", &told["user"]),
        _ => Vec::new(),
    }
}

/// Takes away what only the gateway tells.
fn without(told: &mut Value, fields: &[&str]) {
    let object = told.as_object_mut().expect("an object");
    fields.iter().for_each(|field| drop(object.remove(*field)));
}

/// Threads have a description of their own.
fn place_of(place: &Value) -> &'static str {
    if matches!(place["type"].as_u64(), Some(10..=12)) { "ThreadResponse" } else { "GuildChannelResponse" }
}
