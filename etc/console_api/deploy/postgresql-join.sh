#!/bin/sh
# Make the PostgreSQL server of this machine, which must be stopped, a standby:
# postgresql-join.sh ADDRESS-OF-PRIMARY. See the guide "PostgreSQL with a
# standby".
set -eu

primary="host=$1 user=replication passfile=/var/lib/postgresql/.pgpass"
programs=/usr/lib/postgresql/15/bin
data=/var/lib/postgresql/15/main

as_postgres() {
    runuser -u postgres -- "$@"
}

cd /
if as_postgres "$programs/pg_ctl" status --pgdata="$data" >/dev/null; then
    echo "PostgreSQL is running. Stop it." >&2
    exit 1
fi

# Undo what a former primary has done alone, and receive what it lacks.
if ! as_postgres "$programs/pg_rewind" --write-recovery-conf \
    --target-pgdata="$data" \
    --config-file=/etc/postgresql/15/main/postgresql.conf \
    --source-server="$primary dbname=postgres"; then
    echo "Copying all data instead, as for a new standby." >&2
    as_postgres rm -rf "$data.new"
    as_postgres "$programs/pg_basebackup" --write-recovery-conf \
        --checkpoint=fast --pgdata="$data.new" --dbname="$primary"
    as_postgres rm -rf "$data"
    as_postgres mv "$data.new" "$data"
fi
