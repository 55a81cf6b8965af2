//! Channel profiles at the host's hand: which channel is meant, its profile as TOML, and what is wrong with one.
//!
//! Entry points: [`find`], [`shown`], [`parse`], [`silence`]. Setting a profile changes how later posts are read; what is stored is
//! left to [`crate::reread`].

use anyhow::Context;
use shared::reading::{ChannelProfile, ProfileDraft};
use sqlx::PgPool;

use crate::store::channels::{self, Named};
use crate::store::posts;

/// The most channels named when a name is not enough.
const MOST_NAMED: i64 = 10;
/// The most authors named when the callers are others.
const MOST_AUTHORS: i64 = 5;

/// The channel that the host means: an id, `source:external id`, or a name that only one channel has.
pub async fn find(pool: &PgPool, text: &str) -> anyhow::Result<Named> {
    let mut found = channels::named(pool, text, MOST_NAMED).await.context("looking for the channel")?;
    match found.len() {
        0 => anyhow::bail!(
            "there is no channel `{text}`: give its id, its source and id there (`discord:1237400000000000001`), or its \
             name; a channel is known once a post of it has come"
        ),
        1 => Ok(found.remove(0)),
        _ => {
            let list: Vec<String> = found.iter().map(described).collect();
            anyhow::bail!("several channels are named `{text}`: say which one\n  {}", list.join("\n  "))
        }
    }
}

fn described(channel: &Named) -> String {
    format!("{}:{}  {}  ({})", channel.source, channel.external_id, channel.name, channel.id)
}

/// A profile as TOML that [`parse`] takes, with the channel's name above it.
pub fn shown(channel: &Named, profile: &ChannelProfile) -> anyhow::Result<String> {
    let text = toml::to_string(profile).context("writing the profile as TOML")?;
    let text = if text.is_empty() { "# empty: nothing is known of its habits\n".to_owned() } else { text };
    Ok(format!("# {}\n{text}", described(channel)).trim_end().to_owned())
}

/// What is to be said of a profile that silences the channel as far as is known: none of the callers that it names has
/// ever posted there.
pub async fn silence(
    pool: &PgPool,
    channel: &Named,
    profile: &ChannelProfile,
) -> anyhow::Result<Option<String>> {
    let callers = &profile.fields().callers;
    if callers.is_empty() || posts::has_author(pool, channel.id, callers).await? {
        return Ok(None);
    }
    let authors = posts::authors(pool, channel.id, MOST_AUTHORS).await.context("looking for the authors")?;
    let known = if authors.is_empty() {
        "no post of it has come yet".to_owned()
    } else {
        format!("authors who have: {}", authors.join(", "))
    };
    Ok(Some(format!(
        "none of the callers has ever posted in {}, and nobody else's posts are read as signals; {known}",
        channel.name
    )))
}

/// A profile from TOML; `origin` names the text in errors. An unknown field, a wrong value and a phrase that cannot be a
/// keyword are errors with the place or the field in words.
pub fn parse(text: &str, origin: &str) -> anyhow::Result<ChannelProfile> {
    let draft: ProfileDraft = toml::from_str(text).map_err(|error| {
        let line =
            error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        anyhow::anyhow!("{origin}, line {line}: {}", error.message())
    })?;
    ChannelProfile::new(draft).with_context(|| format!("{origin} is no profile"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_survives_being_shown_and_read() {
        let channel = Named {
            id: uuid::Uuid::nil(),
            source: "discord".into(),
            external_id: "500".into(),
            name: "vip-calls".into(),
        };
        let text = "quote = \"USDC\"\nmarket = \"perp\"\nthousands = true\ncallers = [\"7\"]\n";
        let profile = parse(text, "a file").unwrap();
        let shown = shown(&channel, &profile).unwrap();
        assert!(shown.starts_with("# discord:500  vip-calls"), "{shown}");
        assert_eq!(parse(&shown, "what was shown").unwrap(), profile);
        let empty = super::shown(&channel, &ChannelProfile::default()).unwrap();
        assert_eq!(parse(&empty, "what was shown").unwrap(), ChannelProfile::default());
    }

    #[test]
    fn what_is_wrong_with_a_profile_is_said_with_its_place() {
        for (text, words) in [
            ("callers = [\"7\"]\ncolour = \"red\"", "f.toml, line 2: unknown field `colour`"),
            ("thousands = 1", "f.toml, line 1: invalid type: integer `1`, expected a boolean"),
            ("quote = \"US DT\"", "f.toml, line 1: "),
            ("callers = [", "f.toml, line 1: "),
        ] {
            let error = format!("{:#}", parse(text, "f.toml").unwrap_err());
            assert!(error.starts_with(words), "{error}");
        }
        let many: Vec<String> = (0..300).map(|id| format!("\"{id}\"")).collect();
        let error = parse(&format!("callers = [{}]", many.join(",")), "f.toml").unwrap_err();
        assert!(format!("{error:#}").contains("callers has 300 entries"), "{error:#}");
        let error = parse("[keywords]\nstop = [\"\"]", "f.toml").unwrap_err();
        assert!(!format!("{error:#}").is_empty());
    }
}
