//! What a frame means for a subscriber with a cursor. Pure.
//!
//! Entry points: [`read`], [`judge`].

use serde::Deserialize;
use shared::wire::{Event, EventRecord, Frame};
use time::OffsetDateTime;

use super::{End, FeedError, Heard};

/// The part of an event frame that says where it belongs, whatever it holds.
#[derive(Deserialize)]
struct Envelope {
    r#type: String,
    seq: i64,
    prev: i64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// Reads a frame. An event whose content cannot be used (unsound, or of a newer form) counts as one of an unknown kind.
pub(super) fn read(text: &str) -> Result<Frame, String> {
    let error = match serde_json::from_str(text) {
        Ok(frame) => return Ok(frame),
        Err(error) => error,
    };
    match serde_json::from_str::<Envelope>(text) {
        Ok(Envelope { r#type, seq, prev, at }) if r#type == "event" => {
            tracing::warn!(seq, %error, "the content of an event cannot be used: it is passed over");
            Ok(Frame::Event { seq, prev, at, event: Event::Unknown })
        }
        _ => Err(format!("the server sent a frame that cannot be read: {error}")),
    }
}

/// What is to be passed on of a frame; nothing, or an end.
pub(super) fn judge(frame: Frame, cursor: i64) -> Result<Option<Heard>, End> {
    match frame {
        Frame::Hello { head } | Frame::Heartbeat { head, .. } if head < cursor => {
            Err(End::Fatal(FeedError::CursorAhead { cursor, head }))
        }
        Frame::Event { seq, .. } if seq <= cursor => Ok(None),
        Frame::Event { seq, prev, .. } if prev != cursor => Err(End::Gap { seq, prev }),
        Frame::Event { seq, at, event, .. } => {
            Ok(Some(Heard::Event(Box::new(EventRecord { seq, at, event }))))
        }
        Frame::CaughtUp { seq } => Ok(Some(Heard::CaughtUp(seq))),
        Frame::Hello { .. } | Frame::Heartbeat { .. } | Frame::Unknown => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: OffsetDateTime = time::macros::datetime!(2026-06-01 12:00 UTC);

    fn event(seq: i64, prev: i64) -> Frame {
        Frame::Event { seq, prev, at: AT, event: Event::Unknown }
    }

    #[test]
    fn only_the_event_that_follows_the_cursor_is_passed_on() {
        assert!(matches!(judge(event(8, 7), 7), Ok(Some(Heard::Event(record))) if record.seq == 8));
        assert!(matches!(judge(event(9, 7), 7), Ok(Some(_))), "the log may have lines that are not for us");
        assert!(matches!(judge(event(7, 6), 7), Ok(None)), "seen before");
        assert!(matches!(judge(event(9, 8), 7), Err(End::Gap { seq: 9, prev: 8 })));
        assert!(matches!(judge(event(9, 3), 7), Err(End::Gap { .. })));
    }

    #[test]
    fn a_log_that_ends_before_the_cursor_is_another_one() {
        assert!(matches!(judge(Frame::Hello { head: 7 }, 7), Ok(None)));
        let end = judge(Frame::Hello { head: 6 }, 7);
        assert!(matches!(end, Err(End::Fatal(FeedError::CursorAhead { cursor: 7, head: 6 }))));
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_the_cursor_still_moves() {
        assert!(matches!(read(r#"{"type":"weather","sun":true}"#), Ok(Frame::Unknown)));
        let kinds = [
            r#"{"type":"event","seq":8,"prev":7,"at":"2026-06-01T12:00:00Z","event":{"kind":"new_kind","x":1}}"#,
            r#"{"type":"event","seq":8,"prev":7,"at":"2026-06-01T12:00:00Z","event":{"kind":"signal_posted"}}"#,
        ];
        for text in kinds {
            assert_eq!(read(text), Ok(event(8, 7)), "{text}");
        }
        for text in ["", "{}", "[]", r#"{"type":"event","seq":"x"}"#, r#"{"type":"hello"}"#] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
