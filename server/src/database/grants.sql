-- What a serving process may do, as the role `callboard_app`. The owner of the tables migrates and grants, and never serves.
-- Run after the migrations, each time, as a whole: what is said here is what holds, whatever was granted before.
--
-- The log, the posts, who saw them and the audit log can only be added to: not even a server that somebody has taken over
-- can change or delete what is there.
DO $$
DECLARE
    here record;
BEGIN
    -- Two migrations at the same moment would trip over each other.
    PERFORM pg_advisory_xact_lock(hashtext('callboard grants'));
    -- Roles belong to the whole cluster: another database of Callboard may have made it.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'callboard_app') THEN
        CREATE ROLE callboard_app NOLOGIN;
    END IF;
    -- Whoever migrates may serve as well, by stepping down to this role. A superuser may without being told so.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT callboard_app TO %I', current_user);
    END IF;
    -- From PostgreSQL 15 on this is so from the start.
    IF pg_has_role(current_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'public'), 'USAGE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA public TO callboard_app;
    END IF;
    FOR here IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, callboard_app', here.name);
        EXECUTE format('GRANT SELECT ON %I TO callboard_app', here.name);
        CASE
            WHEN here.name = '_sqlx_migrations' THEN NULL;
            WHEN here.name IN ('events', 'posts', 'sightings') OR here.name LIKE 'audit%' THEN
                EXECUTE format('GRANT INSERT ON %I TO callboard_app', here.name);
            WHEN here.name = 'log_head' THEN
                GRANT UPDATE (seq) ON log_head TO callboard_app;
            WHEN here.name = 'readings' THEN
                GRANT INSERT, UPDATE (superseded_at) ON readings TO callboard_app;
            ELSE
                -- Rows that change as a whole. Nothing is deleted here either, but by the one function below.
                EXECUTE format('GRANT INSERT, UPDATE ON %I TO callboard_app', here.name);
        END CASE;
    END LOOP;
    -- It removes what is left of sessions that are long over, and nothing else: migration 0007.
    REVOKE ALL ON FUNCTION prune_sessions(int) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION prune_sessions(int) TO callboard_app;
END
$$;
