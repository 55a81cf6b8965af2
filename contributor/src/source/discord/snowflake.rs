//! Discord's ids: numbers whose upper bits are the milliseconds since 2015. Order of ids is order of time.
//!
//! Entry point: [`Snowflake`]. Fact: Discord's reference, section "Snowflakes".

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use time::OffsetDateTime;

use crate::source::lenient::Id;

/// The first millisecond of 2015, counted from 1970.
const EPOCH_MS: i128 = 1_420_070_400_000;
/// The lower bits, which tell no time.
const OTHER_BITS: u32 = 22;

/// An id of a message, a channel, a guild or a user.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Snowflake(pub(crate) u64);

impl Snowflake {
    /// When it was made.
    pub(crate) fn made_at(self) -> OffsetDateTime {
        let ms = i128::from(self.0 >> OTHER_BITS) + EPOCH_MS;
        // 42 bits of milliseconds end in the year 2154.
        OffsetDateTime::from_unix_timestamp_nanos(ms * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Whether it can have been made by Discord: ids of its first weeks have more bits than those that tell no time.
    pub(crate) fn tells_time(self) -> bool {
        self.0 >> OTHER_BITS > 0
    }

    /// The first id that could be made at this time: everything `after` it is as young or younger.
    pub(crate) fn at(at: OffsetDateTime) -> Self {
        let ms = at.unix_timestamp_nanos() / 1_000_000 - EPOCH_MS;
        Self(u64::try_from(ms).unwrap_or(0) << OTHER_BITS)
    }

    /// The id as a row of SQLite holds it.
    pub(crate) fn to_row(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The id that a row of SQLite holds.
    pub(crate) fn of_row(row: i64) -> Self {
        Self(u64::try_from(row).unwrap_or(0))
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Snowflake {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id: u64 = text
            .parse()
            .map_err(|_| format!("`{text}` is no id of Discord: expected a number of up to 20 digits"))?;
        if id == 0 { Err("0 is no id of Discord".to_owned()) } else { Ok(Self(id)) }
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Id::deserialize(json)?.into_text().parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_id_tells_its_time_and_a_time_makes_the_first_id() {
        let id: Snowflake = "175928847299117063".parse().unwrap();
        assert_eq!(
            id.made_at(),
            datetime!(2016-04-30 11:18:25.796 UTC),
            "the example of Discord's reference"
        );
        assert_eq!(Snowflake::at(id.made_at()).0, 175_928_847_299_117_063 >> 22 << 22);
        assert_eq!(Snowflake::at(datetime!(2010-01-01 0:00 UTC)), Snowflake(0));
        assert_eq!(Snowflake(u64::MAX).made_at().year(), 2154);
        assert_eq!(Snowflake::of_row(id.to_row()), id);
    }

    #[test]
    fn an_id_is_read_from_a_text_or_a_number_and_from_nothing_else() {
        let read = |json: &str| serde_json::from_str::<Snowflake>(json);
        assert_eq!(read("\"42\"").unwrap(), read("42").unwrap());
        for none in ["\"\"", "\"0\"", "\"-1\"", "null", "\"x\"", "\"99999999999999999999999\"", "1.5"] {
            assert!(read(none).is_err(), "{none}");
        }
    }
}
