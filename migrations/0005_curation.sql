-- Who decides what is published: admins curate channels, contributors post for those that they are enrolled in, and the
-- audit log says who did what.

-- `version` counts the changes by admins. `approved_at` is when the channel was first approved: members know it from then on.
-- `parent_id`: the channel that it is a part of (a thread), whose status and contributors count for it, too. A server of the
-- version before leaves all of them out; its channels are approved, and known by that.
ALTER TABLE channels
    ADD COLUMN version     int NOT NULL DEFAULT 1,
    ADD COLUMN approved_at timestamptz,
    ADD COLUMN parent_id   uuid REFERENCES channels;
UPDATE channels SET approved_at = created_at WHERE status <> 'proposed';
CREATE INDEX channels_by_parent ON channels (parent_id) WHERE parent_id IS NOT NULL;

-- Which contributors may post for which channels. `ended_at` is set when one may not any more, and taken away again with the
-- next enrolment.
CREATE TABLE enrolments (
    channel_id  uuid NOT NULL REFERENCES channels,
    account_id  uuid NOT NULL REFERENCES accounts,
    enrolled_at timestamptz NOT NULL,
    ended_at    timestamptz,
    PRIMARY KEY (channel_id, account_id)
);
CREATE INDEX enrolments_by_account ON enrolments (account_id) WHERE ended_at IS NULL;
-- Whoever has posted for a channel before there were enrolments goes on.
INSERT INTO enrolments (channel_id, account_id, enrolled_at)
SELECT p.channel_id, s.key_id, min(s.received_at)
FROM sightings s JOIN posts p ON p.id = s.post_id JOIN accounts a ON a.id = s.key_id
WHERE a.role = 'contributor'
GROUP BY p.channel_id, s.key_id;

-- Posts that came while their channel was not published, in the order in which they came. `published_at` is set once they are
-- told, after the channel was approved.
CREATE TABLE unpublished (
    place        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id   uuid NOT NULL,
    external_id  text NOT NULL,
    published_at timestamptz
);
CREATE INDEX unpublished_waiting ON unpublished (channel_id, place) WHERE published_at IS NULL;

-- When an admin has withdrawn the signal: nothing that its channel says brings it back. Set once.
ALTER TABLE signals ADD COLUMN struck_at timestamptz;

-- Who did what to what, when and from where. Rows are written in the transaction of the act, and the serving role can neither
-- change nor delete them. `actor` is null for the host's commands and for strangers. `before` and `after` are JSON.
CREATE TABLE audit (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      uuid,
    act        text NOT NULL,
    subject    uuid,
    before     text,
    after      text,
    request_id text,
    address    text
);
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_act ON audit (act, id);
