-- The paper venue's own file. Everything is JSON in the form of the `exchange` crate.

-- The one row of what changes; `revision` counts the changes, so that a second process on the same file is noticed.
-- `identity` is drawn once: by it the client's journal knows that this is the file that it goes with.
CREATE TABLE venue (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    identity TEXT NOT NULL,
    revision INTEGER NOT NULL,
    settings TEXT NOT NULL,
    live     TEXT NOT NULL
) STRICT;

-- What only grows, numbered from 1 in the order of events.
CREATE TABLE fills  (number INTEGER PRIMARY KEY, fill  TEXT NOT NULL) STRICT;
CREATE TABLE ended  (number INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;

-- The last candle of each pair that caused nothing: newer than `live` says, or out of date.
CREATE TABLE passed (pair TEXT PRIMARY KEY, candle TEXT NOT NULL) STRICT;

PRAGMA user_version = 2;
