# shellcheck shell=bash
# The whole cluster: up, down, back to the beginning, and what it looks like.

# each_host FUNCTION ARGUMENTS… — on all hosts side by side; fails when it fails on one.
each_host() {
  local host pids=() pid bad=0
  for host in "${HOSTS[@]}"; do
    "$1" "$host" "${@:2}" &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || bad=1
  done
  return "$bad"
}

cluster_up() {
  local host missing
  [[ $(id -u) == 0 ]] || { fail "namespaces need root"; return 1; }
  missing=$(missing_programs)
  [[ -z $missing ]] || { fail "missing:$missing; run: ${FETCH:-make deps}"; return 1; }
  [[ -x $SQL ]] || { fail "the tests' client is not built; run: make build"; return 1; }
  for host in client "${HOSTS[@]}"; do
    if holder "$host" >/dev/null; then
      fail "cluster '$MMM_CLUSTER' is up already; end it with: tests/cluster down"
      return 1
    fi
  done
  # What a cluster that ended with the machine left behind.
  rm -rf "$CLUSTER_DIR"
  mkdir -p "$CLUSTER_DIR"
  printf 'MMM_REPLICATION=%q\nMMM_SERVER=%q\n' "$MMM_REPLICATION" "$MMM_SERVER" >"$CLUSTER_DIR/kind"
  if ! { host_up client && each_host host_up && network_up && servers_up "$(template)"; }; then
    cluster_down
    return 1
  fi
}

# A cluster that is up stays what it was made as, whatever the environment says.
recall_kind() {
  if holder client >/dev/null && [[ -r $CLUSTER_DIR/kind ]]; then
    # shellcheck disable=SC1091
    . "$CLUSTER_DIR/kind"
  fi
}

missing_programs() {
  local program
  for program in unshare nsenter ip iptables setsid flock "${CLIENT[0]}"; do
    command -v "$program" >/dev/null || printf ' %s' "$program"
  done
  flavour_version >/dev/null 2>&1 || printf ' %s' "$MMM_SERVER"
}

# servers_up TEMPLATE — fresh data, servers, replication, db1 writable.
servers_up() {
  [[ -d $1 ]] || return 1
  each_host write_configuration
  each_host fresh_server "$1" || return 1
  # Only now: if an I/O thread finds that its source does not listen yet, it retries a second later.
  each_host attach || return 1
  each_host threads_run
}

fresh_server() { server_data "$1" "$2" && server_start "$1"; }

attach() {
  change_source "$1" '' "$(host_source "$1")" "$(place_in_mode binlog.000001 4)"
  sql "$1" 'START SLAVE' "SET GLOBAL read_only = $([[ $1 == db1 ]] && echo 0 || echo 1)"
}

# place_in_mode FILE POSITION — the options of CHANGE MASTER, as replicas of this cluster keep their position.
place_in_mode() {
  case $MMM_REPLICATION in
    gtid) echo 'MASTER_USE_GTID = slave_pos' ;;
    *) echo "MASTER_USE_GTID = no, MASTER_LOG_FILE = '$1', MASTER_LOG_POS = $2" ;;
  esac
}

# change_source HOST CHANNEL SOURCE OPTIONS — makes HOST a replica of SOURCE, over a channel that may be new.
change_source() {
  sql "$1" "CHANGE MASTER '$2' TO MASTER_HOST = '$(host_ip "$3")', MASTER_PORT = 3306,
    MASTER_USER = '$REPLICATION_USER', MASTER_PASSWORD = '$REPLICATION_PASSWORD', $SOURCE_OPTIONS $4"
}

threads_run() {
  local tries threads
  for ((tries = 0; tries < 200; tries++)); do
    threads=$(replica_threads "$1")
    [[ $threads == 'Yes Yes' ]] && return 0
    sleep 0.03
  done
  fail "replication of $1 does not start: $threads"
}

cluster_down() {
  local host bad=0
  for host in "${HOSTS[@]}" client; do
    host_down "$host" || bad=1
  done
  if ((bad)); then
    fail "$CLUSTER_DIR is kept"
    return 1
  fi
  rm -rf "$CLUSTER_DIR"
}

cluster_reset() {
  each_host empty_host || return 1
  network_reset
  servers_up "$(template)"
}

# Ends every process of a host but its init.
empty_host() {
  local dir
  dir=$(host_dir "$1")
  # shellcheck disable=SC2016
  in_host "$1" bash -c '
    kill -KILL -1
    for _ in {1..1000}; do
      set -- /proc/[0-9]*
      (($# <= 2)) && exit 0
      sleep 0.01
    done
    exit 1' || { fail "processes of $1 do not end"; return 1; }
  rm -f "$dir/server.pid" "$dir/server.log"
  find "$dir/log" "$dir/tmp" -mindepth 1 -delete
}

cluster_status() {
  local host up=0
  for host in "${HOSTS[@]}"; do
    if ! holder "$host" >/dev/null; then continue; fi
    up=1
    printf '%s  %s  server %s' "$host" \
      "$(in_host "$host" ip -4 -o addr show dev eth0 | awk '{ printf "%s%s", (NR > 1 ? "," : ""), $4 }')" \
      "$(server_state "$host")"
    if [[ $(server_state "$host") == running ]]; then
      printf '  read_only %s  replicates from %s, threads %s' "$(sql "$host" 'SELECT @@read_only')" \
        "$(replica_status "$host" | awk '$1 == "Master_Host:" { print $2; exit }')" \
        "$(replica_threads "$host")"
    fi
    echo
  done
  ((up)) || { echo "cluster '$MMM_CLUSTER' is down"; return 1; }
}
