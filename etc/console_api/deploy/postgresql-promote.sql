-- Make the standby the primary; see the guide "PostgreSQL with a standby".
ALTER SYSTEM SET synchronous_standby_names = '';
SELECT pg_reload_conf();
SELECT pg_promote();
-- pg_rewind compares the last checkpoints.
CHECKPOINT;
