#!/bin/sh
# Runs once, when the database is first made: a login that may look at
# statistics and at nothing else.
set -eu
password=$(cat /run/secrets/postgres_exporter_password)
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --set password="$password" <<'SQL'
create role upkeep_exporter login connection limit 5 password :'password';
grant pg_monitor to upkeep_exporter;
SQL
