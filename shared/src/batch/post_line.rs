//! A line of a batch as a post.
//!
//! Entry points: [`post_of_line`], [`post_of_text`]. Unknown keys are left out, so labels cannot leak into a reading.
//! Invariant: what no line says (channel, author, ids, times) is the same for every post.

use serde::Deserialize;
use time::OffsetDateTime;
use time::macros::datetime;

use super::object::Object;
use crate::post::{Attachment, Author, ChannelRef, Embed, EmbedField, MAX_PARTS, Post, Problem, Source};

/// The longest complaint about a line, in characters: a value of the wrong type is quoted, and it may be long.
const MAX_PROBLEM_CHARS: usize = 200;
/// When every post of a batch was posted.
const POSTED_AT: OffsetDateTime = datetime!(2020-01-01 0:00 UTC);
/// When those were edited that were.
const EDITED_AT: OffsetDateTime = datetime!(2020-01-01 0:01 UTC);

/// Why a line is no post.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// The line is not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// A key is missing or holds something else than it should, or the whole is no object.
    #[error("not a post: {0}")]
    NotAPost(String),
}

/// A post as it stands in a line.
#[derive(Deserialize)]
struct PostLine {
    id: String,
    content: Option<String>,
    embeds: Option<Vec<Object<EmbedLine>>>,
    attachments: Option<Vec<Object<AttachmentLine>>>,
    reply_to: Option<bool>,
    edited: Option<bool>,
    author_is_bot: Option<bool>,
}

#[derive(Deserialize)]
struct EmbedLine {
    title: Option<String>,
    description: Option<String>,
    author: Option<Object<AuthorLine>>,
    fields: Option<Vec<Object<FieldLine>>>,
    footer: Option<Object<FooterLine>>,
}

#[derive(Deserialize)]
struct AuthorLine {
    name: Option<String>,
}

#[derive(Deserialize)]
struct FieldLine {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct FooterLine {
    text: Option<String>,
}

#[derive(Deserialize)]
struct AttachmentLine {
    filename: Option<String>,
}

/// The id and the post of a JSON object; the error names the key at fault.
///
/// The id is handed back for the reading's line and is no part of the post. `referenced` and `prev_content` are allowed
/// like every unknown key: a reading does not depend on posts beside the one that is read.
pub fn post_of_line(line: &str) -> Result<(String, Post), BadLine> {
    let mut json = serde_json::Deserializer::from_str(line);
    let parsed: Result<Object<PostLine>, _> = serde_path_to_error::deserialize(&mut json);
    let Object(line) = parsed.map_err(|error| bad_line(&error))?;
    json.end().map_err(|error| BadLine::NotJson(shortened(&error.to_string())))?;
    let (id, post) = (line.id.clone(), Post::from(line));
    check_counts(&post)?;
    Ok((id, post))
}

/// Refuses lists that no post may have: places in a post are counted in small numbers.
fn check_counts(post: &Post) -> Result<(), BadLine> {
    let fields = post
        .embeds
        .iter()
        .enumerate()
        .map(|(at, embed)| (format!("embeds[{at}].fields"), embed.fields.len()));
    let lists = [("embeds", post.embeds.len()), ("attachments", post.attachments.len())];
    let mut lists = lists.map(|(key, count)| (key.to_owned(), count)).into_iter().chain(fields);
    match lists.find(|(_, count)| *count > MAX_PARTS) {
        Some((key, count)) => Err(BadLine::NotAPost(format!("{key}: {}", Problem::TooMany { count }))),
        None => Ok(()),
    }
}

/// A post that is nothing but this text.
pub fn post_of_text(text: String) -> Post {
    Post {
        channel: ChannelRef {
            source: Source::Discord,
            external_id: "1".to_owned(),
            name: "batch".to_owned(),
        },
        external_id: "2".to_owned(),
        author: Author { external_id: "3".to_owned(), name: "author".to_owned(), is_bot: false },
        posted_at: POSTED_AT,
        edited_at: None,
        deleted_at: None,
        content: text,
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    }
}

impl From<PostLine> for Post {
    fn from(line: PostLine) -> Post {
        let mut post = post_of_text(line.content.unwrap_or_default());
        post.author.is_bot = line.author_is_bot == Some(true);
        post.edited_at = (line.edited == Some(true)).then_some(EDITED_AT);
        post.reply_to = (line.reply_to == Some(true)).then(|| "1".to_owned());
        post.embeds = line.embeds.unwrap_or_default().into_iter().map(|Object(line)| line.into()).collect();
        post.attachments =
            line.attachments.unwrap_or_default().into_iter().map(|Object(line)| line.into()).collect();
        post
    }
}

impl From<EmbedLine> for Embed {
    fn from(line: EmbedLine) -> Embed {
        let field = |Object(field): Object<FieldLine>| EmbedField {
            name: field.name.unwrap_or_default(),
            value: field.value.unwrap_or_default(),
        };
        Embed {
            title: line.title,
            author: line.author.and_then(|Object(author)| author.name),
            description: line.description,
            fields: line.fields.unwrap_or_default().into_iter().map(field).collect(),
            footer: line.footer.and_then(|Object(footer)| footer.text),
        }
    }
}

impl From<AttachmentLine> for Attachment {
    fn from(line: AttachmentLine) -> Attachment {
        Attachment {
            external_id: "4".to_owned(),
            file_name: line.filename.unwrap_or_default(),
            size_bytes: 0,
        }
    }
}

fn bad_line(error: &serde_path_to_error::Error<serde_json::Error>) -> BadLine {
    let problem = shortened(&error.inner().to_string());
    if !error.inner().is_data() {
        return BadLine::NotJson(problem);
    }
    match error.path().to_string() {
        path if path == "." => BadLine::NotAPost(problem),
        path => BadLine::NotAPost(format!("{path}: {problem}")),
    }
}

/// Without the line number, which is always 1 here, and without most of a long value.
fn shortened(problem: &str) -> String {
    let problem = problem.replace(" at line 1 column ", " at byte ");
    match problem.char_indices().nth(MAX_PROBLEM_CHARS) {
        Some((cut, _)) => format!("{}…", &problem[..cut]),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(line: &str) -> String {
        post_of_line(line).unwrap_err().to_string()
    }

    #[test]
    fn every_key_of_a_line_finds_its_place_in_the_post() {
        let line = r#"{"id":"a-1","content":"see card","reply_to":true,"referenced":"old","edited":true,
            "prev_content":"x","author_is_bot":true,"attachments":[{"filename":"chart.png","content_type":"image/png"}],
            "embeds":[{"title":"T","description":"D","url":"u","color":3066993,"type":"rich","author":{"name":"A"},
            "fields":[{"name":"N","value":"V","inline":true}],"footer":{"text":"F"},"image":{"url":"i"}}]}"#;
        let (id, post) = post_of_line(line).unwrap();
        assert_eq!((id.as_str(), post.content.as_str()), ("a-1", "see card"));
        assert!(post.reply_to.is_some() && post.edited_at > Some(post.posted_at) && post.author.is_bot);
        assert_eq!(post.attachments[0].file_name, "chart.png");
        let texts: Vec<_> = post.embeds[0].texts().collect();
        let expected = [
            ("author", "A"),
            ("title", "T"),
            ("description", "D"),
            ("name", "N"),
            ("value", "V"),
            ("footer", "F"),
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn labels_unknown_keys_and_the_id_leave_no_trace_in_the_post() {
        let bare = post_of_line(r#"{"id":"1","content":"x"}"#).unwrap().1;
        let labelled =
            r#"{"id":"2","content":"x","tags":3,"expect":{"kind":[]},"mood":{"a":null},"embeds":null}"#;
        assert_eq!(post_of_line(labelled).unwrap().1, bare);
        assert_eq!(bare, post_of_text("x".into()));
    }

    #[test]
    fn a_line_that_is_no_post_is_told_with_the_key_at_fault() {
        assert!(
            complaint("{\"id\":").starts_with("not JSON: EOF while parsing"),
            "{}",
            complaint("{\"id\":")
        );
        assert!(complaint(r#"{"id":"1"} x"#).starts_with("not JSON: trailing characters at byte "));
        assert!(
            complaint("[1]").starts_with("not a post: invalid type: sequence, expected an object"),
            "{}",
            complaint("[1]")
        );
        assert!(complaint(r#"{"content":"x"}"#).starts_with("not a post: missing field `id`"));
        for (line, start) in [
            (r#"{"id":7}"#, "not a post: id: invalid type: integer `7`, expected a string"),
            (r#"{"id":"1","content":["x"]}"#, "not a post: content: invalid type: sequence"),
            (r#"{"id":"1","reply_to":"yes"}"#, "not a post: reply_to: invalid type: string \"yes\""),
            (
                r#"{"id":"1","embeds":[{"fields":[{"name":1}]}]}"#,
                "not a post: embeds[0].fields[0].name: invalid",
            ),
            (
                r#"{"id":"1","embeds":[{"author":["x"]}]}"#,
                "not a post: embeds[0].author: invalid type: sequence",
            ),
            (r#"{"id":"1","embeds":[{"footer":"x"}]}"#, "not a post: embeds[0].footer: invalid type: string"),
        ] {
            assert!(complaint(line).starts_with(start), "{}", complaint(line));
        }
        let many = |list: &str| format!(r#"{{"id":"1",{list}}}"#).replace("51 times", &["{}"; 51].join(","));
        assert_eq!(
            complaint(&many(r#""embeds":[{},{"fields":[51 times]}]"#)),
            "not a post: embeds[1].fields: has 51 entries, more than the limit of 50"
        );
        assert!(complaint(&many(r#""embeds":[51 times]"#)).starts_with("not a post: embeds: has 51 entries"));
        let long = format!(r#"{{"id":"1","edited":"{}"}}"#, "é".repeat(9_000));
        assert!(complaint(&long).chars().count() < 250);
    }
}
