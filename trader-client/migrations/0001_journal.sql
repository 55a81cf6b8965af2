-- The journal of one account: what the client was told, what it decided, and what became of it, in one order.
-- Append-only: rows are never changed, except for the one row of `cursor`. Times are the engine's, in RFC 3339, so that
-- equal runs have equal rows. Payloads are JSON.

-- Whose journal it is. Written once: a journal is never continued with another account, mode or server.
CREATE TABLE owner (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    account  TEXT NOT NULL,
    mode     TEXT NOT NULL CHECK (mode IN ('paper')),
    server   TEXT NOT NULL
) STRICT;

-- The last event of the server's log that was taken in. It moves in the transaction of that event.
CREATE TABLE cursor (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    seq      INTEGER NOT NULL
) STRICT;

-- Every input of the engine, in the order in which it was taken in. Played again, they give the same engine.
CREATE TABLE inputs (
    number  INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    -- For an event: its place in the server's log. The same event is never taken in twice.
    seq     INTEGER UNIQUE,
    -- For an outcome: the command that it answers. A command is answered once.
    answers INTEGER UNIQUE REFERENCES commands (number),
    payload TEXT NOT NULL
) STRICT;

-- Every command, written in the transaction of the input that caused it, and therefore before it is carried out.
-- A command that no input answers may or may not have reached the exchange: it is looked up, not sent again.
CREATE TABLE commands (
    number   INTEGER PRIMARY KEY,
    input    INTEGER NOT NULL REFERENCES inputs (number),
    kind     TEXT NOT NULL CHECK (kind IN ('place', 'cancel')),
    order_id TEXT NOT NULL,
    payload  TEXT NOT NULL
) STRICT;
CREATE INDEX commands_by_input ON commands (input);
-- An order is commanded once, for ever.
CREATE UNIQUE INDEX one_placement_per_order ON commands (order_id) WHERE kind = 'place';

-- What a person should be able to read afterwards: decisions with their reasons, fills, what was not acted on.
CREATE TABLE notes (
    number    INTEGER PRIMARY KEY,
    input     INTEGER NOT NULL REFERENCES inputs (number),
    at        TEXT NOT NULL,
    signal_id TEXT,
    symbol    TEXT NOT NULL,
    topic     TEXT NOT NULL,
    -- The stable code of a refusal.
    code      TEXT,
    text      TEXT NOT NULL
) STRICT;
CREATE INDEX notes_by_signal ON notes (signal_id);
