# shellcheck shell=bash disable=SC2154
# Applications that hold sessions, transactions and locks while a helper closes their server.
#   load ../lib/cluster
#   load ../lib/clients
#   teardown() { end_clients; … }

# start_clients NAME HOST|ADDRESS USER PASSWORD KIND [COUNT] — see client.pl; returns when all are connected.
start_clients() {
  local name=$1 address=$2 place=client want=1
  if is_host "$address"; then address=$(host_ip "$address"); fi
  # A socket is in the server's own host, any host of the cluster will do.
  [[ $address == /* ]] && place=db1
  [[ $5 == herd ]] && want=$6
  in_host "$place" perl "$REPOSITORY/tests/lib/client.pl" "$name" "$BATS_TEST_TMPDIR" "$address" "${@:3}" \
    </dev/null >"$BATS_TEST_TMPDIR/$name.log" 2>&1 &
  echo "$place" >"$BATS_TEST_TMPDIR/$name.place"
  wait_for 20 all_up "$name" "$want" || { cat "$BATS_TEST_TMPDIR/$name.log"; return 1; } >&2
}

all_up() { [[ $(grep -c . "$BATS_TEST_TMPDIR/$1.up" 2>/dev/null) -ge $2 ]]; }

# idle_clients COUNT [HOST]
idle_clients() { start_clients "idle-$RANDOM" "${2:-db1}" "$APP_USER" "$APP_PASSWORD" idle "$1"; }

# herd COUNT [HOST] — writers that connect again as fast as they are cut off.
herd() { start_clients herd "${2:-db1}" "$APP_USER" "$APP_PASSWORD" herd "$1"; }

# open_session NAME [HOST|ADDRESS [USER PASSWORD]]
open_session() {
  mkfifo "$BATS_TEST_TMPDIR/$1.in"
  : >"$BATS_TEST_TMPDIR/$1.out"
  echo 0 >"$BATS_TEST_TMPDIR/$1.said"
  start_clients "$1" "${2:-db1}" "${3:-$APP_USER}" "${4-$APP_PASSWORD}" session
}

# say NAME STATEMENT… — the session executes them, one after the other; does not wait.
say() {
  local name=$1 said
  shift
  said=$(<"$BATS_TEST_TMPDIR/$name.said")
  printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/$name.in"
  echo $((said + $#)) >"$BATS_TEST_TMPDIR/$name.said"
}

# heard NAME — waits for the answers to all that was said and prints the last one: ok, or an error's number.
heard() {
  wait_for 20 all_heard "$1" || return 1
  tail -n 1 "$BATS_TEST_TMPDIR/$1.out"
}

all_heard() { [[ $(wc -l <"$BATS_TEST_TMPDIR/$1.out") -ge $(<"$BATS_TEST_TMPDIR/$1.said") ]]; }

# tells NAME STATEMENT — says it and waits until it is done.
tells() {
  say "$@"
  [[ $(heard "$1") == ok ]] && return 0
  printf '%s: %s: error %s\n' "$@" "$(heard "$1")" >&2
  return 1
}

# executes HOST PATTERN — some session is executing a statement like that.
executes() {
  [[ $(sql "$1" "SELECT COUNT(*) FROM information_schema.processlist
    WHERE info LIKE '$2' AND info NOT LIKE '%processlist%'") -gt 0 ]]
}

# clients_of HOST — how many sessions it has, apart from replication, its own threads and the one that asks.
clients_of() {
  sql "$1" "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID()
    AND NOT ($REPLICATION_THREADS) AND command NOT LIKE 'Binlog Dump%' AND command <> 'Daemon'"
}

# acknowledged NAME — the notes of the rows that a herd knows to be written.
acknowledged() { sort "$BATS_TEST_TMPDIR/$1.acknowledged"; }

# end_clients — all of them; they are not children of this shell.
end_clients() {
  local file name
  for file in "$BATS_TEST_TMPDIR"/*.place; do
    [[ -e $file ]] || continue
    name=${file%.place}
    in_host "$(<"$file")" kill -KILL -- "-$(<"$name.pid")" 2>/dev/null || true
    rm -f "$file"
  done
}

# dump_threads HOST — the connections through which its replicas read its log.
dump_threads() {
  sql "$1" "SELECT GROUP_CONCAT(id ORDER BY id) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"
}

# note_replicas HOST — and replicas_stayed HOST, when they still read through the same connections.
note_replicas() { dump_threads "$1" >"$BATS_TEST_TMPDIR/dump_threads"; }
replicas_stayed() {
  [[ $(dump_threads "$1") == "$(<"$BATS_TEST_TMPDIR/dump_threads")" ]] && return 0
  echo "replicas of $1 were cut off" >&2
  return 1
}

is_writable() { [[ $(sql "$1" 'SELECT @@read_only') == 0 ]]; }

# closed HOST — read_only is on, and what it wrote is on every host, no more and no less.
closed() {
  local host
  is_read_only "$1" || { echo "read_only is off on $1" >&2; return 1; }
  for host in db2 db3; do
    [[ $host == "$1" ]] || caught_up "$host" "$1" || return 1
  done
  rows_equal db1 db2 db3
}

# holds_acknowledged HOST NAME — every row that the herd knows to be written.
holds_acknowledged() {
  local lost
  lost=$(comm -23 <(acknowledged "$2") <(sql "$1" "SELECT note FROM app.entries WHERE origin = '$2'" | sort))
  [[ -z $lost ]] && return 0
  printf '%s lacks acknowledged rows:\n%s\n' "$1" "$lost" >&2
  return 1
}
