-- What Callboard keeps. Rows are added and kept for ever; the few columns that may change later say so.
-- Times are UTC. Texts that hold JSON are the exact bytes that were received or streamed.
--
-- Tables that grow with every post have no foreign keys: what they point to is written in the same transaction or was
-- before, nothing is ever deleted, and the checks took a third of the time of an import (measured).

-- Credentials of programs. Only the SHA-256 of a key is kept; the key itself was shown once.
CREATE TABLE api_keys (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    role       text NOT NULL CHECK (role IN ('member', 'contributor', 'admin')),
    key_hash   bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    created_at timestamptz NOT NULL
);

-- Places that posts come from. `name` and `status` may change.
CREATE TABLE channels (
    id          uuid PRIMARY KEY,
    source      text NOT NULL,
    external_id text NOT NULL,
    name        text NOT NULL,
    status      text NOT NULL CHECK (status IN ('proposed', 'approved', 'paused', 'blocked')),
    created_at  timestamptz NOT NULL,
    UNIQUE (source, external_id)
);

-- Every revision of every message, as first seen. `revision` is 0 for the original, the microseconds since 1970 of an
-- edit, and the largest bigint for the tombstone of a delete: it orders the revisions of a message.
CREATE TABLE posts (
    id           uuid PRIMARY KEY,
    channel_id   uuid NOT NULL,
    external_id  text NOT NULL,
    revision     bigint NOT NULL,
    author_id    text NOT NULL,
    posted_at    timestamptz NOT NULL,
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    body         text NOT NULL,
    provenance   text NOT NULL CHECK (provenance IN ('live', 'backfill', 'imported')),
    received_at  timestamptz NOT NULL,
    UNIQUE (channel_id, external_id, revision)
);

-- One row for each contributor that saw a revision, with the source's own form of it, byte for byte. A differing text
-- under the same revision is kept here too, with its own hash and body; it never replaces the first.
CREATE TABLE sightings (
    post_id        uuid NOT NULL,
    key_id         uuid NOT NULL,
    content_hash   bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    seen_at        timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    provenance     text NOT NULL CHECK (provenance IN ('live', 'backfill', 'imported')),
    raw            text NOT NULL,
    differing_body text,
    PRIMARY KEY (post_id, key_id, content_hash)
);

-- What the reader made of a revision. A later reader adds a row; `superseded_at` of the earlier one is then set.
CREATE TABLE readings (
    post_id        uuid NOT NULL,
    reader_version int NOT NULL,
    channel_id     uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('signals', 'update', 'noise', 'abstained')),
    reading        text NOT NULL,
    read_at        timestamptz NOT NULL,
    superseded_at  timestamptz,
    PRIMARY KEY (post_id, reader_version)
);
CREATE INDEX readings_by_kind ON readings (channel_id, kind) WHERE superseded_at IS NULL;

-- Signals as they stand now. The history is in `events`. A message may hold several, counted by `ordinal`.
-- `post_id`, `revision`, `record`, `status` and `disputed` change when the message is edited, deleted or disputed.
CREATE TABLE signals (
    id          uuid PRIMARY KEY,
    channel_id  uuid NOT NULL REFERENCES channels,
    external_id text NOT NULL,
    ordinal     smallint NOT NULL,
    post_id     uuid NOT NULL REFERENCES posts,
    revision    bigint NOT NULL,
    author_id   text NOT NULL,
    base        text NOT NULL,
    quote       text,
    side        text NOT NULL CHECK (side IN ('long', 'short')),
    posted_at   timestamptz NOT NULL,
    status      text NOT NULL CHECK (status IN ('open', 'ended', 'withdrawn')),
    disputed    boolean NOT NULL DEFAULT false,
    record      text NOT NULL,
    UNIQUE (channel_id, external_id, ordinal)
);
CREATE INDEX signals_newest ON signals (posted_at DESC, id DESC);
CREATE INDEX signals_by_author ON signals (channel_id, author_id, posted_at DESC);
CREATE INDEX signals_by_base ON signals (base, posted_at DESC, id DESC);

-- Follow-ups, with the signal that they were bound to, if any.
CREATE TABLE updates (
    id          uuid PRIMARY KEY,
    signal_id   uuid REFERENCES signals,
    channel_id  uuid NOT NULL REFERENCES channels,
    external_id text NOT NULL,
    post_id     uuid NOT NULL REFERENCES posts,
    occurred_at timestamptz NOT NULL,
    record      text NOT NULL
);
CREATE INDEX updates_by_signal ON updates (signal_id, occurred_at);
CREATE INDEX updates_by_message ON updates (channel_id, external_id);

-- The log. `seq` has no holes and follows commit order, because it is taken from the head row below as the last
-- statement of the writing transaction: whoever holds the head row commits before the next one can take a number.
CREATE TABLE events (
    seq        bigint PRIMARY KEY,
    at         timestamptz NOT NULL,
    kind       text NOT NULL,
    channel_id uuid NOT NULL,
    base       text,
    payload    text NOT NULL
);

CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    seq      bigint NOT NULL CHECK (seq >= 0)
);
INSERT INTO log_head (seq) VALUES (0);
