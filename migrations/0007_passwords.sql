-- A password can be changed by its owner, which ends the other sessions of the account.
ALTER TABLE sessions DROP CONSTRAINT sessions_ended_by_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_ended_by_check
    CHECK (ended_by IN ('signed_out', 'token_reused', 'account', 'password'));

-- Sessions and their refresh tokens are the only things that are ever removed: of no use once the session is over, and some
-- hundred a day for everybody who is signed in. The serving role may delete nothing by itself; it may call this, which
-- removes nothing else, by the database's own clock, at most so many rows at once. Whoever presents a token that is gone is
-- answered as before: a session that is over was refused without a reason. A session itself goes when it would have expired
-- anyway: until then it says from where its account was signed in.
CREATE FUNCTION prune_sessions(most int) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH tokens AS (
        DELETE FROM refresh_tokens WHERE token_hash IN (
            SELECT t.token_hash FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
            WHERE least(s.ended_at, s.expires_at) < now() - interval '1 day' LIMIT most
        ) RETURNING 1
    ),
    -- Those whose tokens were removed before: a statement does not see what another part of it deletes.
    empty AS (
        DELETE FROM sessions WHERE id IN (
            SELECT s.id FROM sessions s WHERE s.expires_at < now() - interval '1 day'
                AND NOT EXISTS (SELECT FROM refresh_tokens t WHERE t.session_id = s.id) LIMIT most
        ) RETURNING 1
    )
    SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM empty)
$$;
