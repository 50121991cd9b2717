-- Let the primary acknowledge a write only after the standby has stored it,
-- again; see the guide "PostgreSQL with a standby".
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_stat_replication
                   WHERE state = 'streaming'
                   AND application_name IN ('db1', 'db2')) THEN
        RAISE 'The standby is not streaming yet. Run this again later.';
    END IF;
END
$$;
ALTER SYSTEM RESET synchronous_standby_names;
SELECT pg_reload_conf();
