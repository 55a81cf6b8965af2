-- What was made by requests with an `Idempotency-Key`, so that the same request makes nothing a second time. No secret is
-- here: one that was shown can be made again out of the client's key, the seed and the servers' session key, of which only
-- the seed is in the database. `key_mac` and `request_mac` are made with the session key: a request may hold a password.
CREATE TABLE made_once (
    caller      uuid NOT NULL,
    key_mac     bytea NOT NULL CHECK (octet_length(key_mac) = 32),
    request_mac bytea NOT NULL CHECK (octet_length(request_mac) = 32),
    seed        bytea NOT NULL CHECK (octet_length(seed) = 32),
    made_id     uuid NOT NULL,
    made_at     timestamptz NOT NULL,
    PRIMARY KEY (caller, key_mac)
);
CREATE INDEX made_once_by_age ON made_once (made_at);

-- Removes what nobody asks for any more; see `prune_sessions`. A key counts for a day.
CREATE FUNCTION prune_made_once(most int) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS (
        DELETE FROM made_once WHERE (caller, key_mac) IN (
            SELECT m.caller, m.key_mac FROM made_once m WHERE m.made_at < now() - interval '25 hours' LIMIT most
        ) RETURNING 1
    )
    SELECT count(*) FROM old
$$;
