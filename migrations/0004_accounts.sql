-- Who may do what. An account has a role and a status; credentials only say which account calls. Of every secret only a
-- hash is here: of passwords argon2id's, of everything else (160 random bits and more) the SHA-256.

-- Accounts. `role`, `status`, and what registering fills in (`name`, `password_hash`) may change. An account begins as
-- `invited`, without a name; one that the host made for a program has a name and no password.
CREATE TABLE accounts (
    id            uuid PRIMARY KEY,
    name          text,
    role          text NOT NULL CHECK (role IN ('member', 'contributor', 'admin')),
    status        text NOT NULL CHECK (status IN ('invited', 'active', 'suspended', 'revoked')),
    note          text,
    password_hash text,
    created_at    timestamptz NOT NULL,
    CHECK (name IS NOT NULL OR status IN ('invited', 'revoked'))
);
-- Whoever signs in may write the name in large or small letters, and nobody takes a name that differs by them only.
CREATE UNIQUE INDEX accounts_by_name ON accounts (lower(name));

-- Invites: each leads to one account and works once. `invited_by` is null where the host made it.
CREATE TABLE invites (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    account_id uuid NOT NULL UNIQUE REFERENCES accounts,
    invited_by uuid REFERENCES accounts,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- A key that was made before there were accounts becomes an account of the same id, so that the `key_id` of sightings and
-- gaps, which holds the contributor's account from now on, stays right as it is. Of several keys of one name, the later
-- ones get their id added to it.
INSERT INTO accounts (id, name, role, status, created_at)
SELECT id,
    CASE WHEN row_number() OVER (PARTITION BY lower(name) ORDER BY created_at, id) = 1 THEN name ELSE name || ' ' || id END,
    role, 'active', created_at
FROM api_keys;

-- Keys of programs. `role` is only read by a server of the version before; what counts is the role of the account, and
-- the scopes of the key within it. `last_used_at` and `revoked_at` may change.
ALTER TABLE api_keys
    ADD COLUMN account_id   uuid REFERENCES accounts,
    ADD COLUMN scopes       text[],
    ADD COLUMN expires_at   timestamptz,
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN revoked_at   timestamptz;
UPDATE api_keys SET account_id = id, scopes = CASE role
    WHEN 'member' THEN ARRAY['feed:read']
    WHEN 'contributor' THEN ARRAY['feed:read', 'messages:write']
    ELSE ARRAY['feed:read', 'admin']
END;
-- A server of the version before can make no keys from now on: nobody could use them here.
ALTER TABLE api_keys ALTER COLUMN account_id SET NOT NULL, ALTER COLUMN scopes SET NOT NULL;
CREATE INDEX api_keys_by_account ON api_keys (account_id);

-- Sign-ins of people. A session is a family of refresh tokens, of which each is used once and makes the next. `refresh_seed`
-- is one of the things that the next token is made from; the others are not in the database. The places that change:
-- `rotations`, `rotated_at` and, once, `ended_at` with the reason.
CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    address      text,
    refresh_seed bytea NOT NULL CHECK (octet_length(refresh_seed) = 32),
    rotations    int NOT NULL CHECK (rotations >= 0),
    rotated_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    ended_by     text CHECK (ended_by IN ('signed_out', 'token_reused', 'account')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX sessions_by_account ON sessions (account_id, address);

-- Every refresh token of a session, numbered from 0, so that one that comes a second time is known.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions,
    number     int NOT NULL CHECK (number >= 0),
    UNIQUE (session_id, number)
);

-- Every server keeps in memory who may do what, and is told here when that changes: whoever changes it, in the same
-- transaction. The message is the id of the account.
CREATE FUNCTION tell_authority() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('callboard_authority', to_jsonb(OLD) ->> TG_ARGV[0]);
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_authority AFTER UPDATE OF name, role, status OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION tell_authority('id');
CREATE TRIGGER tell_authority AFTER UPDATE OF scopes, expires_at, revoked_at OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION tell_authority('account_id');
CREATE TRIGGER tell_authority AFTER UPDATE OF expires_at, ended_at OR DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION tell_authority('account_id');
