#!/usr/bin/env bash
# PostgreSQL with the pgstac schema, and the STAC API on it.
set -euo pipefail

data="$EODATA_HOME/postgres"

start_database() {
    rm -f "$data/postmaster.pid" # of a killed container, whose process numbers mean nothing here
    postgres -D "$data" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$EODATA_RUN" -c jit=off &
    until pg_isready --quiet; do
        kill -0 $! || exit 1
        sleep 0.1
    done
}

initialise() {
    rm -rf "$data"
    initdb --pgdata "$data" --username "$PGUSER" --encoding UTF8 --locale C --auth trust >/dev/null
    start_database
    createdb "$PGDATABASE"
    pypgstac migrate
    touch "$data/initialised"
}

if [ -e "$data/initialised" ]; then
    start_database
else
    initialise
fi
uvicorn --factory stac_fastapi.pgstac.app:create_app --host 0.0.0.0 --port "$STAC_PORT" --log-level warning &
touch "$EODATA_RUN/stac"
wait -n
exit 1
