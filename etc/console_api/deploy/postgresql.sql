-- The database and its users, for the guide "PostgreSQL with a standby".
CREATE ROLE console_api LOGIN PASSWORD 'PASSWORD';
CREATE DATABASE console_api OWNER console_api;

-- The servers connect to each other as this user. pg_rewind calls the
-- functions.
CREATE ROLE replication LOGIN REPLICATION PASSWORD 'PASSWORD-OF-REPLICATION';
GRANT EXECUTE ON FUNCTION
    pg_ls_dir(text, boolean, boolean),
    pg_stat_file(text, boolean),
    pg_read_binary_file(text),
    pg_read_binary_file(text, bigint, bigint, boolean)
    TO replication;

-- HAProxy checks the servers as this user.
CREATE ROLE haproxy_check LOGIN;

\connect console_api

-- Return 'writable' if the server can acknowledge writes, otherwise the reason
-- why it cannot. A former primary that returns has no standby.
CREATE FUNCTION public.writer_state() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
    RETURN CASE
        WHEN pg_is_in_recovery() THEN 'standby'
        WHEN current_setting('default_transaction_read_only')::boolean
            THEN 'read-only'
        WHEN current_setting('synchronous_standby_names') <> ''
            AND NOT EXISTS (
                SELECT FROM pg_stat_replication
                WHERE sync_state IN ('sync', 'quorum')
            )
            THEN 'no synchronous standby'
        ELSE 'writable'
    END;
