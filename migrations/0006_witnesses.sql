-- Who saw the same. A sighting counts as a witness of the stored text when it has no differing body, or when its differing
-- form has the same words: a copy that was made by following a channel names another author than its original, and both
-- are honest. A server of the version before leaves the column out: it knows no such agreement and takes every other form
-- for a disagreement, which is what `false` says. What it stored so far stays as it is, and so do the hashes.
ALTER TABLE sightings ADD COLUMN same_words boolean NOT NULL DEFAULT false;
