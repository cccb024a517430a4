#!/bin/bash
# Makes the secrets of a new installation: random, one file each. Never overwrites: a lost `key` cannot be made again.
#
#   deploy/make-secrets.sh [FOLDER] [DATABASE_URL]
#
# FOLDER        default: secrets beside this script
# DATABASE_URL  default: the database of compose.yaml; elsewhere give yours, postgres://user:password@host:5432/database
set -euo pipefail

folder=${1:-"$(cd "$(dirname "$0")" && pwd)/secrets"}
if [ -e "$folder" ]; then
  echo "$folder exists already; nothing was changed. Give another folder, or move this one away (keep its key!)." >&2
  exit 1
fi

# So many bytes from the system's generator, in hex.
random() { od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'; echo; }
# Only the owner gets into the folder; in it each file is readable, because the container's user is not its owner.
umask 022
mkdir -p "$(dirname "$folder")"
mkdir -m 0700 "$folder"
write() { cat >"$folder/$1" && chmod 0444 "$folder/$1"; }

database_password=$(random 24)
nats_password=$(random 24)
route_password=$(random 24)

# Seals webhook secrets and the like in the database. Without it they cannot be read again: keep a copy elsewhere.
random 32 | write key
random 24 | write database-admin-password
echo "$database_password" | write database-password
echo "${2:-postgres://tripwatch:$database_password@postgres:5432/tripwatch}" | write database-url
echo "nats://tripwatch:$nats_password@nats:4222" | write nats-url

write nats-auth.conf <<CONF
authorization {
  timeout: 5
  users: [ { user: "tripwatch", password: "$nats_password" } ]
}
CONF
write nats-cluster.conf <<CONF
authorization { user: "route", password: "$route_password", timeout: 5 }
routes: [
  "nats://route:$route_password@nats-0.nats-peers:6222"
  "nats://route:$route_password@nats-1.nats-peers:6222"
  "nats://route:$route_password@nats-2.nats-peers:6222"
]
CONF
echo "Secrets are in $folder. Copy $folder/key to a safe place now: no backup of the database is of full use without it."
