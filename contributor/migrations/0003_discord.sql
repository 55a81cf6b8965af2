-- Listening to Discord. Ids are Discord's, as numbers; times are microseconds since 1970.

-- The gateway session and how far it has been kept: everything up to `seq` is in the outbox, or was not wanted.
-- `heard_at`: when the session was last known to be alive; what happens after it, and before a new session, nobody sees.
CREATE TABLE discord_session (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    bot        INTEGER NOT NULL,
    session    TEXT    NOT NULL,
    seq        INTEGER NOT NULL,
    resume_url TEXT,
    heard_at   INTEGER NOT NULL
) STRICT;

-- Channels and threads that are listened to. `parent` is a thread's channel. `since`: messages up to this id were there when
-- listening began, and are left alone. `read_to`: the history has been read to this id without a hole; only reading history
-- moves it. `heard_at`: when something was last heard here. `trouble`: why nothing can be heard now, and since when.
CREATE TABLE discord_places (
    id         INTEGER PRIMARY KEY,
    parent     INTEGER,
    name       TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    read_to    INTEGER NOT NULL,
    heard_at   INTEGER,
    trouble    TEXT,
    trouble_at INTEGER,
    CHECK ((trouble IS NULL) = (trouble_at IS NULL))
) STRICT;

-- Copies made by following a channel, under their own ids: deleting a copy says nothing about its original.
CREATE TABLE discord_copies (
    id INTEGER PRIMARY KEY
) STRICT;

-- Times in which a channel was certainly not observed. `missed`: what may be missing. `told`: the server has answered.
CREATE TABLE gaps (
    source       TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    channel_name TEXT    NOT NULL,
    missed       TEXT    NOT NULL,
    from_at      INTEGER NOT NULL,
    to_at        INTEGER NOT NULL,
    told         INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),
    PRIMARY KEY (source, channel, missed, from_at)
) STRICT, WITHOUT ROWID;
