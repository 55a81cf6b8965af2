//! A made-up export of any length: mostly chat, some signals, some follow-ups, as in an active community.

use std::io::Write;
use std::path::Path;

use support::posts::START;
use time::Duration;
use time::format_description::well_known::Rfc3339;

const CHAT: [&str; 6] = [
    "good morning everyone, coffee first",
    "anyone else watching this range? looks tired to me",
    "what a candle, did not expect that at all",
    "thanks, learned a lot from yesterday's session",
    "remember: size small when volume is thin, the market will be there tomorrow",
    "is the stream on tonight?",
];
const TICKERS: [&str; 5] = ["SOL", "LINK", "AVAX", "ADA", "XRP"];

/// Writes an export of this many messages: of each ten, one is a signal, one a reply to it, eight are chat.
pub(crate) fn write(path: &Path, messages: u32) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
    let exported = (START + Duration::days(300)).format(&Rfc3339)?;
    write!(
        out,
        r#"{{"guild":{{"id":"1","name":"Bench"}},"channel":{{"id":"500","type":"GuildTextChat","name":"bench"}},"exportedAt":"{exported}","messages":["#
    )?;
    for id in 1..=messages {
        let at = (START + Duration::seconds(i64::from(id) * 60)).format(&Rfc3339)?;
        let ticker = TICKERS[usize::try_from(id / 10)? % TICKERS.len()];
        let content = match id % 10 {
            0 => format!(
                "**{ticker}/USDT LONG**\\nEntry: 40.5\\nTP1: 42\\nTP2: 44.25\\nSL: 38.9\\nLeverage: 5x"
            ),
            1 => format!("{ticker} TP1 hit, moving stop to entry"),
            other => CHAT[usize::try_from(other)? % CHAT.len()].to_owned(),
        };
        let reply = if id % 10 == 1 && id > 1 {
            format!(
                r#","reference":{{"type":"Default","messageId":"{}","channelId":"500","guildId":"1"}}"#,
                1_000_000 + id - 1
            )
        } else {
            String::new()
        };
        let kind = if reply.is_empty() { "Default" } else { "Reply" };
        let comma = if id == 1 { "" } else { "," };
        write!(
            out,
            r#"{comma}{{"id":"{}","type":"{kind}","timestamp":"{at}","timestampEdited":null,"isPinned":false,"content":"{content}","author":{{"id":"7","name":"ana","isBot":false}},"attachments":[],"embeds":[],"reactions":[],"mentions":[]{reply}}}"#,
            1_000_000 + id
        )?;
    }
    write!(out, r#"],"messageCount":{messages}}}"#)?;
    out.flush()?;
    Ok(())
}
