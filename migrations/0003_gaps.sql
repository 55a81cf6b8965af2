-- Times in which a contributor certainly did not observe a channel. `to_at` may grow: the same gap is told again when it
-- has become longer. Another contributor may have observed the channel meanwhile.
CREATE TABLE gaps (
    channel_id  uuid NOT NULL,
    key_id      uuid NOT NULL,
    missed      text NOT NULL CHECK (missed IN ('edits_and_deletes', 'everything')),
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL CHECK (to_at >= from_at),
    received_at timestamptz NOT NULL,
    PRIMARY KEY (channel_id, from_at, key_id, missed)
);
