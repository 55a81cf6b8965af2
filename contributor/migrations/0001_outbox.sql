-- The outbox: what was seen and must reach the server. Times are microseconds since 1970.

-- The one server that this outbox belongs to, and what it has answered so far.
CREATE TABLE owner (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    server     TEXT    NOT NULL,
    stored     INTEGER NOT NULL DEFAULT 0,
    revisions  INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    rejected   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every revision of every post that ever entered the outbox: an import that is repeated, or resumed after a crash, adds
-- nothing twice. `revision` is 0 for the original, the time of an edit, or the largest number for the tombstone.
-- `last_seen`: the youngest export that still had it. `author`: JSON, so that a tombstone can be written later.
CREATE TABLE known (
    source      TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    posted_at   INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    PRIMARY KEY (source, channel, external_id, revision)
) STRICT, WITHOUT ROWID;

-- Sightings that wait for the server's answer, as the JSON that is sent. `occurred_at` is when the revision came to be: a
-- replay sends in that order. AUTOINCREMENT, because the sender goes forward by
-- id and must never meet a reused one.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    channel_name TEXT    NOT NULL,
    external_id  TEXT    NOT NULL,
    staged_at    INTEGER NOT NULL,
    occurred_at  INTEGER NOT NULL,
    body         TEXT    NOT NULL
) STRICT;

-- What was not accepted, here or by the server, and why. `body` is a sighting that can be tried again; `raw` is a message
-- that could not be decoded at all.
CREATE TABLE refused (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    channel_name TEXT    NOT NULL,
    external_id  TEXT,
    refused_at   INTEGER NOT NULL,
    occurred_at  INTEGER,
    reason       TEXT    NOT NULL,
    body         TEXT,
    raw          TEXT,
    CHECK ((body IS NULL) <> (raw IS NULL))
) STRICT;

-- The same undecodable message, read again, is the same refusal.
CREATE UNIQUE INDEX refused_once ON refused (source, channel, raw) WHERE raw IS NOT NULL;
