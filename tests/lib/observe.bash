# shellcheck shell=bash
# Looking at a cluster from outside.

# wait_for SECONDS COMMAND… — until the command succeeds; says what it last said when it never does.
wait_for() {
  local seconds=$1 end last
  shift
  end=$((${EPOCHREALTIME/./} + seconds * 1000000))
  until last=$("$@" 2>&1); do
    if ((${EPOCHREALTIME/./} > end)); then
      printf 'not within %s s: %s\n%s\n' "$seconds" "$*" "$last" >&2
      return 1
    fi
    sleep 0.05
  done
}

# sql_as_app HOST|ADDRESS STATEMENT… — as an application, by TCP from the client's host.
sql_as_app() {
  local address=$1
  shift
  if is_host "$address"; then address=$(host_ip "$address"); fi
  sql_as "$APP_USER" "$APP_PASSWORD" "$address" "$@"
}

# replica_field HOST FIELD — one field of SHOW SLAVE STATUS, by MariaDB's name on every server.
replica_field() { channel_field "$1" '' "$2"; }

# channel_field HOST CHANNEL FIELD
channel_field() {
  replica_status "$1" "SHOW SLAVE '$2' STATUS" |
    awk -v field="$3:" '$1 == field { sub(/^ *[^ ]+ ?/, ""); print; exit }'
}

# replication_mode HOST [CHANNEL] — `file` or `gtid`.
replication_mode() { replica_status "$1" "SHOW SLAVE '${2:-}' STATUS" | flavour_mode; }

# threads HOST — both replication threads, as `Yes Yes`.
threads() { replica_threads "$1"; }

is_read_only() { [[ $(sql "$1" 'SELECT @@read_only') == 1 ]]; }

# binlog_end HOST — `FILE POSITION` where the host's next event will be written.
binlog_end() { sql "$1" 'SHOW MASTER STATUS' | cut -f1,2 | tr '\t' ' '; }

# caught_up HOST SOURCE — waits until HOST has executed all that SOURCE has logged by now.
caught_up() {
  local file position reached
  read -r file position <<<"$(binlog_end "$2")"
  reached=$(sql "$1" "SELECT MASTER_POS_WAIT('$file', $position, 20)")
  [[ $reached =~ ^[0-9]+$ ]] && return 0
  printf '%s has not executed %s %s of %s: %s\n' "$1" "$file" "$position" "$2" "$reached" >&2
  return 1
}

# has_address HOST IP — on eth0, exactly.
has_address() {
  in_host "$1" ip -j -4 addr show dev eth0 |
    jq -e --arg ip "$2" 'any(.[].addr_info[]; .local == $ip)' >/dev/null
}

# has_gtids — whether every transaction has a number of its server's.
has_gtids() { [[ $FILE_HAS_GTIDS || $MMM_REPLICATION == gtid ]]; }

# missing COUNT — how a refusal counts what is not applied.
missing() {
  if ! has_gtids; then echo changes; elif (($1 == 1)); then echo '1 transaction'; else echo "$1 transactions"; fi
}

# only_on FAMILY|ABILITY REASON — of a test that makes sense there alone: elsewhere it is skipped. For abilities see
# LACKS of the flavours; `gtids` is the cluster's.
only_on() {
  case $1 in
    MariaDB | MySQL) [[ $1 == "$FAMILY" ]] || skip "$2" ;;
    gtids) has_gtids || skip "$2" ;;
    *) is_able "$1" || skip "$2" ;;
  esac
}
is_able() { [[ " $LACKS " != *" $1 "* ]]; }

# holders_of IP — the hosts that carry it, on one line.
holders_of() {
  local host found=()
  for host in "${HOSTS[@]}"; do
    if has_address "$host" "$1"; then found+=("$host"); fi
  done
  printf '%s\n' "${found[*]}"
}

# rows HOST — every table that is not the server's own, and its rows, in the order of their keys.
rows() (
  set -o pipefail
  statements=$(sql "$1" "SELECT CONCAT('SHOW CREATE TABLE ', name, '; SELECT ', QUOTE(name), ', \`all\`.* FROM ', name, ' \`all\`;')
    FROM (SELECT CONCAT('\`', table_schema, '\`.\`', table_name, '\`') AS name FROM information_schema.tables
      WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')) AS names
    ORDER BY name") || exit 1
  client_of "$(host_dir "$1")" --batch --skip-column-names <<<"SET SESSION sql_mode = ''; $statements" | sed 's/ AUTO_INCREMENT=[0-9]*//'
)

# rows_equal HOST HOST… — all tables the same on all of them; shows the difference when they are not.
rows_equal() {
  local folder first=$1 host bad=0
  folder=$(mktemp -d "${BATS_TEST_TMPDIR:-/tmp}/rows.XXXXXX")
  rows "$first" >"$folder/$first" || bad=1
  for host in "${@:2}"; do
    if ! rows "$host" >"$folder/$host"; then
      bad=1
    elif ! diff -u "$folder/$first" "$folder/$host" >"$folder/difference"; then
      printf 'rows of %s and %s differ:\n' "$first" "$host" >&2
      grep '^[-+]' "$folder/difference" | head -n 40 >&2
      bad=1
    fi
  done
  rm -rf "$folder"
  return "$bad"
}

# journal HOST — what helpers called on it have logged.
journal() { cat "$(host_dir "$1")/log/mmm_helpers.log"; }

# For teardown: after a failed test, the state of every host.
dump_on_failure() {
  [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]] || return 0
  local host dir
  for host in "${HOSTS[@]}"; do
    holder "$host" >/dev/null || continue
    dir=$(host_dir "$host")
    printf '\n== %s: server %s\n' "$host" "$(server_state "$host")"
    in_host "$host" ip -br addr
    if [[ $(server_state "$host") == running ]]; then
      sql "$host" "SELECT CONCAT('read_only ', @@read_only, ', GTIDs ', $SERVER_GTIDS)"
      replica_status "$host" 'SHOW ALL SLAVES STATUS' |
        grep -E 'Running|Master_(Host|Log_File|Log_Pos)|_Error: .|_Gtid|Auto_Pos|Gtid_' || true
      sql "$host" 'SHOW PROCESSLIST' || true
    fi
    echo '-- server log'
    tail -n 12 "$dir/server.log" 2>/dev/null || true
    echo '-- journal'
    tail -n 30 "$dir/log/mmm_helpers.log" 2>/dev/null || true
  done
}
