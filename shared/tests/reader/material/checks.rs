//! What must hold for every text and every written number, for the tests and the fuzz targets.
//!
//! Entry points: [`check_text`], [`check_number`]. An error says what does not hold.

use shared::post::{Author, ChannelRef, Embed, EmbedField, Post, Source};
use shared::reading::{ChannelProfile, Reading, number_values, read};
use time::OffsetDateTime;

/// Reads a text as the content of a post, as a reply, and spread over an embed.
pub(crate) fn check_text(text: &str) -> Result<(), String> {
    let middle = (text.len() / 2..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (name, value) = text.split_at(middle);
    let field = EmbedField { name: name.to_owned(), value: value.to_owned() };
    let embed = Embed { title: Some(name.to_owned()), fields: vec![field], ..Embed::default() };
    let plain = post(text);
    check_post(&Post { reply_to: Some("1".to_owned()), embeds: vec![embed], ..post(value) })?;
    check_post(&Post { reply_to: Some("1".to_owned()), ..plain.clone() })?;
    check_post(&plain)
}

fn check_post(post: &Post) -> Result<(), String> {
    let profile = ChannelProfile::default();
    let reading = read(post, &profile);
    let wire = serde_json::to_string(&reading).map_err(|error| error.to_string())?;
    let back: Reading = serde_json::from_str(&wire).map_err(|error| format!("unsound: {error}: {wire}"))?;
    if back != reading {
        return Err(format!("the wire changed it: {wire}"));
    }
    if read(post, &profile) != reading {
        return Err("the same post was read in two ways".to_owned());
    }
    match reading.evidence.iter().find(|evidence| evidence.text(post).is_none()) {
        Some(evidence) => Err(format!("{evidence:?} lies outside the post")),
        None => Ok(()),
    }
}

/// Reads a text as one number: completely, or not at all.
pub(crate) fn check_number(text: &str) -> Result<(), String> {
    let significant = |digits: String| digits.trim_matches('0').to_owned();
    let written = significant(text.chars().filter(char::is_ascii_digit).collect());
    let scientific = text.contains(['e', 'E']);
    for value in number_values(text) {
        let read = significant(value.to_string().chars().filter(char::is_ascii_digit).collect());
        if read != written && !scientific {
            return Err(format!("`{text}` was read as {value}"));
        }
    }
    Ok(())
}

fn post(text: &str) -> Post {
    Post {
        channel: ChannelRef { source: Source::Discord, external_id: "1".to_owned(), name: String::new() },
        external_id: "2".to_owned(),
        author: Author { external_id: "3".to_owned(), name: String::new(), is_bot: false },
        posted_at: OffsetDateTime::UNIX_EPOCH,
        edited_at: None,
        deleted_at: None,
        content: text.to_owned(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    }
}
