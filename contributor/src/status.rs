//! `status`: what waits in the outbox, what was refused and why, what has been sent and heard. For people, or as JSON.
//!
//! Entry point: [`show`]. It reads only, so it works while another process sends.

use std::fmt::Write as _;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::Failure;
use crate::outbox::{Held, Report};
use crate::source::discord::Listened;

/// The state of the outbox in `folder` as text; as one JSON object if `json` (`null` if there is no outbox yet).
pub async fn show(folder: &Path, json: bool) -> Result<String, Failure> {
    let report = Report::read(folder).await?;
    let listened = Listened::read(folder).await?;
    if json {
        let status = report.as_ref().map(|outbox| Status { outbox, discord: listened.as_ref() });
        let text = serde_json::to_string_pretty(&status).map_err(|error| Failure::Other(error.into()))?;
        return Ok(text + "\n");
    }
    match report {
        Some(report) => {
            let mut text = in_words(folder, &report).map_err(|error| Failure::Other(error.into()))?;
            let told = listened.map_or(Ok(()), |listened| listened.in_words(&mut text));
            told.map(|()| text).map_err(|error| Failure::Other(error.into()))
        }
        None => Ok(format!("no outbox yet in {}: `contributor import FILE` makes one\n", folder.display())),
    }
}

/// All of it, as JSON.
#[derive(serde::Serialize)]
struct Status<'s> {
    #[serde(flatten)]
    outbox: &'s Report,
    /// Absent if nobody has listened to Discord here.
    #[serde(skip_serializing_if = "Option::is_none")]
    discord: Option<&'s Listened>,
}

fn in_words(folder: &Path, report: &Report) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "outbox   {}\nserver   {}", folder.display(), report.server)?;
    let oldest = report.oldest_waiting_since.map(|at| format!(", the oldest since {}", time_text(at)));
    writeln!(text, "waiting  {}{}", report.waiting, oldest.unwrap_or_default())?;
    for channel in &report.waiting_by_channel {
        writeln!(text, "         {:>8}  {} ({})", channel.waiting, channel.name, channel.channel)?;
    }
    for held in &report.held {
        let Held { channel, waiting, reason } = held;
        writeln!(text, "held     {waiting:>8}  {} ({}): {reason}", channel.name, channel.external_id)?;
    }
    let sent = report.sent;
    writeln!(
        text,
        "sent     {}: {} stored, {} revisions, {} duplicates, {} refused",
        sent.total(),
        sent.stored,
        sent.revisions,
        sent.duplicates,
        sent.rejected
    )?;
    writeln!(text, "refused  {}", report.refused)?;
    for refusal in &report.latest_refused {
        let post = refusal.external_id.as_deref().unwrap_or("an undecodable message");
        let at = refusal.refused_at.map(time_text).unwrap_or_default();
        writeln!(text, "         {at}  channel {}, post {post}: {}", refusal.channel, refusal.reason)?;
    }
    let listed = report.latest_refused.len() as u64;
    if report.refused > listed {
        writeln!(text, "         and {} older ones", report.refused - listed)?;
    }
    if report.latest_refused.iter().any(|refusal| refusal.can_be_retried) {
        writeln!(text, "         `contributor send --retry-refused` tries them again")?;
    }
    Ok(text)
}

fn time_text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}
