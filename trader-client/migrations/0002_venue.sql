-- Which paper exchange's file the journal goes with: the identity that was drawn when that file was created. A journal
-- beside another file would know nothing of what is open there. Empty in journals that are older than this.
ALTER TABLE owner ADD COLUMN venue TEXT NOT NULL DEFAULT '';
