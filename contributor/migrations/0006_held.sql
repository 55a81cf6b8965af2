-- Channels that the server does not take posts of now: it does not know them, or this contributor is not enrolled in them. Their
-- posts stay in the outbox, in order, until the server is asked again.
CREATE TABLE held (
    source       TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    channel_name TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    since        INTEGER NOT NULL,
    PRIMARY KEY (source, channel)
) STRICT, WITHOUT ROWID;
