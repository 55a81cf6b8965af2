//! `status`: what waits in the outbox, what was refused and why, what has been sent and heard. For people, or as JSON.
//!
//! Entry point: [`show`]. It reads only, so it works while another process sends.

use std::fmt::Write as _;
use std::path::Path;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::failure::Failure;
use crate::outbox::Report;
use crate::report::counted;
use crate::source::discord::Listened;

/// The state of the outbox in `folder` as text; as one JSON object if `json` (`null` if there is no outbox yet).
pub async fn show(folder: &Path, json: bool, now: OffsetDateTime) -> Result<String, Failure> {
    let report = Report::read(folder).await?;
    let listened = Listened::read(folder).await?;
    if json {
        let status = report.as_ref().map(|outbox| Status { outbox, discord: listened.as_ref() });
        let text = serde_json::to_string_pretty(&status).map_err(|error| Failure::Other(error.into()))?;
        return Ok(text + "\n");
    }
    match report {
        Some(report) => {
            let mut text = in_words(folder, &report, now).map_err(|error| Failure::Other(error.into()))?;
            let told = listened.map_or(Ok(()), |listened| listened.in_words(&mut text, now));
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

fn in_words(folder: &Path, report: &Report, now: OffsetDateTime) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "outbox   {}\nserver   {}", folder.display(), report.server)?;
    let at_work = if report.in_use { "one is at work here" } else { "none is at work here" };
    writeln!(text, "process  {at_work}")?;
    let oldest = report.oldest_waiting_since.map(|at| format!(", the oldest since {}", since(at, now)));
    writeln!(text, "waiting  {}{}", report.waiting, oldest.unwrap_or_default())?;
    if let Some(trouble) = &report.trouble {
        let since = report.trouble_since.map(|at| format!(" since {}", since(at, now))).unwrap_or_default();
        writeln!(text, "         cannot be sent{since}: {trouble}")?;
    }
    if report.waiting > 0 && !report.in_use {
        writeln!(text, "         `contributor run` or `contributor send` sends them")?;
    }
    for channel in &report.waiting_by_channel {
        writeln!(text, "         {:>8}  {} ({})", channel.waiting, channel.name, channel.channel)?;
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
        writeln!(text, "         and {}", counted(report.refused - listed, "older one"))?;
    }
    if report.latest_refused.iter().any(|refusal| refusal.can_be_retried) {
        writeln!(text, "         `contributor send --retry-refused` tries them again")?;
    }
    Ok(text)
}

/// A time that lies back, and how long ago that is.
pub(crate) fn since(at: OffsetDateTime, now: OffsetDateTime) -> String {
    format!("{} ({} ago)", time_text(at), age(now - at))
}

/// A length of time in its largest unit.
fn age(age: Duration) -> String {
    let seconds = age.whole_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn time_text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_age_has_the_unit_that_people_would_use() {
        let now = datetime!(2026-06-01 12:00 UTC);
        let ages = [-5, 0, 119, 120, 7_199, 7_200, 172_800].map(|seconds| age(Duration::seconds(seconds)));
        assert_eq!(ages, ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "2 days"]);
        assert_eq!(since(now - Duration::seconds(12), now), "2026-06-01T11:59:48Z (12 s ago)");
    }
}
