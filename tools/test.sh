#!/usr/bin/env bash
# `make test`: finds, starts or installs what the tests need, says so, and runs them.
#
# Go is all that must be there. Chromium (for the tests of the Playground) is installed where apt-get can do it.
# Postgres is used if one answers at AGORA_TEST_POSTGRES, or started for the run if its programs are installed;
# else the stores are tested on SQLite alone.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'test: %s\n' "$*"; }

chromium() {
  command -v "${CHROME:-chromium}" || command -v chromium-browser || command -v google-chrome || true
}

if [ -z "$(chromium)" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  say "installing chromium for the browser tests"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/tmp/agora-apt.log 2>&1 ||
    say "apt-get could not install chromium: see /tmp/agora-apt.log"
fi
if [ -n "$(chromium)" ]; then
  say "browser: $(chromium)"
else
  say "no Chromium: the browser tests are skipped; install one, or name it in CHROME"
fi

answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# as_postgres runs a program as a user that Postgres accepts: not root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

initdb_of() { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1 || true; }

# start_postgres makes a cluster for this run alone, on a port that nobody uses.
start_postgres() {
  bin=$(dirname "$1")
  folder=$(mktemp -d)
  if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
  port=$((20000 + RANDOM % 20000))
  trap 'as_postgres "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
  as_postgres "$bin/initdb" -D "$folder/data" -A trust -U postgres >/dev/null &&
    as_postgres "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c max_connections=300" start >/dev/null &&
    export AGORA_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
}

if [ -n "${AGORA_TEST_POSTGRES:-}" ] || answers 127.0.0.1 5432; then
  say "Postgres: ${AGORA_TEST_POSTGRES:-127.0.0.1:5432}"
else
  if [ -z "$(initdb_of)" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing postgresql for the tests of the stores"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql; } >/tmp/agora-apt.log 2>&1 ||
      say "apt-get could not install postgresql: see /tmp/agora-apt.log"
  fi
  if [ -n "$(initdb_of)" ] && start_postgres "$(initdb_of)"; then
    say "Postgres: started one for this run"
  else
    say "no Postgres: the stores are tested on SQLite alone"
    export AGORA_TEST_POSTGRES=none
  fi
fi

go test ./... "$@"
