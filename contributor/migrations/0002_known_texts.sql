-- A revision is known by its text, too: another text under a known revision is sent once more, so that the server hears of
-- it. `content_hash` is that of the post; it is empty for what was known before, so the next import of it is sent once more
-- and recognised by the server.
CREATE TABLE known_texts (
    source       TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    external_id  TEXT    NOT NULL,
    revision     INTEGER NOT NULL,
    content_hash BLOB    NOT NULL,
    posted_at    INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    author       TEXT    NOT NULL,
    PRIMARY KEY (source, channel, external_id, revision, content_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO known_texts (source, channel, external_id, revision, content_hash, posted_at, last_seen, author)
    SELECT source, channel, external_id, revision, x'', posted_at, last_seen, author FROM known;
DROP TABLE known;
ALTER TABLE known_texts RENAME TO known;

-- Whether a post was refused is asked before it is taken for deleted.
CREATE INDEX refused_posts ON refused (source, channel, external_id);
