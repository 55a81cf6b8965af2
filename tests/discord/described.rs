//! The fake Discord against Discord's own description of its objects.

use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use support::discord::{
    CALLS, FORUM, FakeDiscord, GUILD, NEWS, TOKEN, answer_misfits, event_misfits, misfits,
};
use support::foreign::every_kind;

/// Asks the fake, and returns what does not fit in its answer.
async fn asked(discord: &FakeDiscord, path: &str, token: &str) -> (u16, Vec<String>) {
    let url = format!("{}/{path}", discord.api);
    let answer =
        reqwest::Client::new().get(url).header(AUTHORIZATION, format!("Bot {token}")).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let misfits = answer_misfits(path, status, &body);
    (status, misfits.into_iter().map(|misfit| format!("{path}: {misfit}")).collect())
}

#[tokio::test]
async fn every_answer_and_event_of_the_fake_fits_discords_description() {
    let discord = FakeDiscord::start().await;
    discord.hear();
    let posted: Vec<u64> =
        every_kind().into_iter().map(|(_, changes)| discord.post_as(CALLS, changes)).collect();
    discord.edit(CALLS, posted[0], "edited");
    discord.touch(CALLS, posted[1], json!({ "pinned": true }));
    let thread = discord.open_thread(FORUM, "an idea");
    discord.post(thread, "in a forum");
    let archived = discord.open_thread(CALLS, "old");
    discord.with(|world| {
        world.channels.get_mut(&archived).unwrap().archived_at = Some(launch::clock::now());
        world.channels.get_mut(&NEWS).unwrap().is_closed = true;
        world.enter_guild();
    });
    let mut wrong = Vec::new();
    for (path, wanted) in [
        ("users/@me".to_owned(), 200),
        ("users/@me/guilds".to_owned(), 200),
        ("applications/@me".to_owned(), 200),
        ("oauth2/applications/@me".to_owned(), 200),
        ("gateway".to_owned(), 200),
        ("gateway/bot".to_owned(), 200),
        (format!("guilds/{GUILD}/channels"), 200),
        (format!("guilds/{GUILD}/threads/active"), 200),
        (format!("channels/{CALLS}"), 200),
        (format!("channels/{thread}"), 200),
        (format!("channels/{CALLS}/messages?limit=100"), 200),
        (format!("channels/{CALLS}/messages?limit=101"), 400),
        (format!("channels/{CALLS}/messages/{}", posted[0]), 200),
        (format!("channels/{CALLS}/messages/5"), 404),
        (format!("channels/{CALLS}/threads/archived/public"), 200),
        (format!("channels/{NEWS}"), 403),
        ("channels/5".to_owned(), 404),
    ] {
        let (status, misfits) = asked(&discord, &path, TOKEN).await;
        assert_eq!(status, wanted, "{path}");
        wrong.extend(misfits);
    }
    wrong.extend(asked(&discord, "users/@me", "another").await.1);
    discord.with(|world| world.bucket = (0, std::time::Duration::from_secs(1)));
    let (status, misfits) = asked(&discord, "gateway/bot", TOKEN).await;
    assert_eq!(status, 429);
    wrong.extend(misfits);
    let told = discord.with(|world| world.told());
    assert!(told.len() > 10, "{told:?}");
    wrong.extend(told.iter().flat_map(|line| event_misfits(line)));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_description_finds_what_is_missing_or_of_another_type() {
    let error = json!({ "code": 10_003, "message": "Unknown Channel" });
    assert_eq!(misfits("ErrorResponse", &error), Vec::<String>::new());
    assert_eq!(misfits("ErrorResponse", &json!({ "code": "10003", "message": "Unknown Channel" })).len(), 1);
    assert!(!misfits("MessageResponse", &json!({ "id": "5", "content": "hi" })).is_empty());
}
