-- Why what waits was not sent at the last attempt, and since when; absent when the last attempt was answered.
ALTER TABLE owner ADD COLUMN trouble TEXT;
ALTER TABLE owner ADD COLUMN trouble_at INTEGER;
