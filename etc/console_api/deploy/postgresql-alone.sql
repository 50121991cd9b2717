-- Let the primary acknowledge writes without a standby; see the guide
-- "PostgreSQL with a standby".
ALTER SYSTEM SET synchronous_standby_names = '';
SELECT pg_reload_conf();
