#!/usr/bin/env bash
# `make test`: finds, starts or installs what the tests need, says so, and runs them.
#
# Go is all that must be there. Chromium (for the tests of the Playground) is installed where apt-get can do it.
# Postgres is used if one answers at AGORA_TEST_POSTGRES, or started for the run if its programs are installed;
# else the stores are tested on SQLite alone. Redis is found, started or installed in the same way; without one the tests of
# what routers and services share are skipped. The programs of both are installed also where servers answer: tests that stop
# one start their own. A NATS server is part of the tests: they use one at AGORA_TEST_NATS or on the
# usual port, and start their own where there is none.
# The clients of front ends are tried where Node.js and npm are.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'test: %s\n' "$*"; }

# Not called chromium: command -v would find the function.
browser() {
  command -v "${CHROME:-chromium}" || command -v chromium-browser || command -v google-chrome || true
}

# install gets a Debian package, where that can be done without asking anybody.
install() {
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing $1 for $2"
    log=$(mktemp)
    # A list that can't be had (of somebody's other repository, say) is no reason not to try with the others.
    apt-get -o Acquire::Retries=3 update -qq >"$log" 2>&1 || true
    if ! DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 install -y -qq --no-install-recommends "$1" >>"$log" 2>&1; then
      say "apt-get could not install $1:"
      tail -n 5 "$log"
    fi
    rm -f "$log"
  fi
}

if [ -z "$(browser)" ]; then
  install chromium "the browser tests"
fi
if [ -n "$(browser)" ]; then
  say "browser: $(browser)"
else
  say "no Chromium: the browser tests are skipped; install one, or name it in CHROME"
fi

# at_end adds to what is done at the script's end.
ends=:
at_end() {
  ends="$1; $ends"
  trap 'eval "$ends"' EXIT
}

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
  at_end 'as_postgres "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"'
  as_postgres "$bin/initdb" -D "$folder/data" -A trust -U postgres >/dev/null &&
    as_postgres "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder -c max_connections=300" start >/dev/null &&
    export AGORA_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
}

if [ -n "${AGORA_TEST_POSTGRES:-}" ] || answers 127.0.0.1 5432; then
  say "Postgres: ${AGORA_TEST_POSTGRES:-127.0.0.1:5432}"
else
  if [ -z "$(initdb_of)" ]; then
    install postgresql "the tests of the stores"
  fi
  if [ -n "$(initdb_of)" ] && start_postgres "$(initdb_of)"; then
    say "Postgres: started one for this run"
  else
    say "no Postgres: the stores are tested on SQLite alone"
    export AGORA_TEST_POSTGRES=none
  fi
fi

start_redis() {
  redis_port=$((20000 + RANDOM % 20000))
  redis-server --bind 127.0.0.1 --port "$redis_port" --save "" --appendonly no --dir /tmp >/dev/null 2>&1 &
  redis_pid=$!
  at_end 'kill "$redis_pid" 2>/dev/null'
  for _ in $(seq 50); do
    if answers 127.0.0.1 "$redis_port"; then
      export AGORA_TEST_REDIS="redis://127.0.0.1:$redis_port/0"
      return 0
    fi
    sleep 0.1
  done
  return 1
}

# Whoever's Redis and Postgres answer: some tests stop one, which must be their own.
if ! command -v redis-server >/dev/null; then
  install redis-server "the tests of what processes share, and those that stop a Redis"
fi
if [ -z "$(initdb_of)" ]; then
  install postgresql "the tests that stop a Postgres"
fi

if [ -n "${AGORA_TEST_REDIS:-}" ] || answers 127.0.0.1 6379; then
  say "Redis: ${AGORA_TEST_REDIS:-127.0.0.1:6379}"
else
  if command -v redis-server >/dev/null && start_redis; then
    say "Redis: started one for this run"
  else
    say "no Redis: the tests that need one are skipped"
  fi
fi

go test ./... "$@"

# The short form of make chaos-cluster needs the machine for itself, and stores of its own to stop.
if [ $# = 0 ] && [ -n "$(initdb_of)" ] && command -v redis-server >/dev/null; then
  say "a cluster, and what may break in it"
  AGORA_CAMPAIGN=1 go test ./tools/chaos -run TestAClusterSurvivesWhateverBreaks
elif [ $# = 0 ]; then
  say "no programs of Postgres and Redis: a cluster, and what may break in it, is not tried"
fi
