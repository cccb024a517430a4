#!/bin/bash
# Runs once, when the database's volume is empty: a role for Tripwatch that is no superuser, and its database.
set -euo pipefail

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set password="$(cat /run/secrets/database-password)" <<'SQL'
CREATE ROLE tripwatch LOGIN PASSWORD :'password';
CREATE DATABASE tripwatch OWNER tripwatch;
REVOKE ALL ON DATABASE tripwatch FROM PUBLIC;
SQL
