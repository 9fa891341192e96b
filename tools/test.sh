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

stop_postgres() { :; }
if [ -z "${AGORA_TEST_POSTGRES:-}" ] && ! answers 127.0.0.1 5432; then
  initdb=$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1 || true)
  if [ -n "$initdb" ] && [ "$(id -u)" != 0 ]; then
    folder=$(mktemp -d)
    bin=$(dirname "$initdb")
    stop_postgres() { "$bin/pg_ctl" -D "$folder" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"; }
    trap stop_postgres EXIT
    "$initdb" -D "$folder" -A trust -U postgres >/dev/null
    "$bin/pg_ctl" -D "$folder" -w -o "-c listen_addresses=127.0.0.1 -c port=54329 -k $folder" start >/dev/null
    export AGORA_TEST_POSTGRES="postgres://postgres@127.0.0.1:54329/postgres?sslmode=disable"
    say "started a Postgres for this run"
  else
    say "no Postgres answers: the stores are tested on SQLite alone"
    export AGORA_TEST_POSTGRES=none
  fi
else
  say "Postgres: ${AGORA_TEST_POSTGRES:-127.0.0.1:5432}"
fi

go test ./... "$@"
