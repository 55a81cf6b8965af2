-- What reading stored posts again needs: the habits of channels, several readings of one post, the author's own id of a
-- call, and when a channel's word about a signal was given. Every new column may be left out by a server of the version
-- before, which goes on working beside this form.

-- The habits of a channel, as JSON (`ProfileDraft`); null where nothing is known. May change. A new profile changes how
-- later posts are read; stored ones keep their readings until `server reread --apply`.
ALTER TABLE channels ADD COLUMN profile text;

-- The readings of a post are numbered from 0. The version of the reader cannot number them: the same reader reads
-- differently once the channel's profile has changed. The one with the highest number counts; the others have
-- `superseded_at`. A row is never deleted, and nothing of it but `superseded_at` ever changes.
ALTER TABLE readings ADD COLUMN read_no int NOT NULL DEFAULT 0 CHECK (read_no >= 0);
ALTER TABLE readings DROP CONSTRAINT readings_pkey;
ALTER TABLE readings ADD PRIMARY KEY (post_id, read_no);

-- `reference` is the author's own number or id of the call. `status_at` is when the word was given that `status` rests on
-- (the time of the post, not of its arrival): a word from before it changes nothing. Both may change with the record.
ALTER TABLE signals ADD COLUMN reference text, ADD COLUMN status_at timestamptz;
UPDATE signals SET reference = record::json #>> '{signal,reference}';
-- The last follow-up of an ended signal was said when it ended or later, so that nothing is opened again by mistake.
UPDATE signals SET status_at = told.last
FROM (SELECT signal_id, max(occurred_at) AS last FROM updates GROUP BY signal_id) told
WHERE told.signal_id = signals.id AND signals.status = 'ended';
-- A follow-up that names a call by its id finds it here, however many calls came after it.
CREATE INDEX signals_by_reference ON signals (channel_id, author_id, reference, posted_at DESC)
    WHERE reference IS NOT NULL;

-- Set when a later reading of the follow-up's post no longer says it. May change, once.
ALTER TABLE updates ADD COLUMN withdrawn_at timestamptz;
