-- More of what is known of a channel. `threads_to`: everything that was archived before has been looked through (absent: nothing
-- yet). `lag_ms`: how long after it was posted the latest message was here, by this machine's clock.
ALTER TABLE discord_places ADD COLUMN threads_to INTEGER;
ALTER TABLE discord_places ADD COLUMN lag_ms INTEGER;
