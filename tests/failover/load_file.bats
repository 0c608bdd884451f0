#!/usr/bin/env bats
# The writer role moves there and back under load, in the order in which monitor and agents do it. No acknowledged row
# is lost, none is skipped or doubled on any host.

load ../lib/cluster
load ../lib/failover

WRITERS=8
MOVES=20

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() {
  fresh_order
  sql db1 'CREATE TABLE app.keyed (token VARCHAR(32), part INT, PRIMARY KEY (token, part)) ENGINE = InnoDB'
  all_caught_up db1 db2 db3
}
teardown() {
  : >"$BATS_TEST_TMPDIR/stop"
  wait
  end_order
}

starts_writing() {
  in_host db1 "$MMM_AGENT_DIR/configure_ip" mmm_agent_db1 eth0 "$WRITER_IP" >/dev/null
  in_host client perl "$REPOSITORY/tests/lib/transactions.pl" "$WRITER_IP" "$APP_USER" "$APP_PASSWORD" "$WRITERS" \
    "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/writers.log" 2>&1 3>&- 4>&- &
  writers=$!
  wait_for 10 more_than 0 acknowledged
}

stops_writing() {
  : >"$BATS_TEST_TMPDIR/stop"
  wait "$writers"
}

# step HOST HELPER ARGUMENTS… — retried as often as the agent would, which is every three seconds.
step() {
  local tries
  for ((tries = 0; tries < 3; tries++)); do
    agent_call "$@"
    if [[ $answer == OK* ]]; then return 0; fi
    printf '%s: %s\n' "$last_call" "$answer"
    sleep 1
  done
  return 1
}

# hand_over OLD NEW
hand_over() {
  step "$1" mysql_deny_write && step "$1" clear_ip eth0 "$WRITER_IP" && step db3 set_active_master "$2" &&
    step "$2" sync_with_master && step "$2" mysql_allow_write && step "$2" configure_ip eth0 "$WRITER_IP" || return 1
  [[ $answer == OK* && $(holders_of "$WRITER_IP") == "$2" ]]
}

acknowledged() {
  awk '$1 == "done" { count++ } END { print count + 0 }' "$BATS_TEST_TMPDIR"/outcomes.*
}
more_than() { (($("${@:2}") > $1)); }

# every_transaction_is_whole HOST — each is there once and whole, or is missing if it was never acknowledged.
every_transaction_is_whole() {
  sql "$1" "SELECT token, COUNT(*), COUNT(DISTINCT part) FROM (
      SELECT origin AS token, note AS part FROM app.entries UNION ALL
      SELECT token, part FROM app.keyed UNION ALL SELECT origin, note FROM app.heap) AS everything
    WHERE token LIKE '%-%' GROUP BY token" >"$BATS_TEST_TMPDIR/found"
  awk '
    FILENAME ~ /found$/ { rows[$1] = $2; parts[$1] = $3; next }
    { named[$2] = 1; whole = rows[$2] == $3 && parts[$2] == $3 }
    $1 == "done" && !whole || $1 == "unknown" && rows[$2] && !whole {
      print "transaction " $2 " (" $1 ", " $3 " rows): " rows[$2] + 0 " rows found"; bad = 1 }
    END {
      for (token in rows) if (!(token in named)) { print token ": was refused, and is there"; bad = 1 }
      exit bad }' "$BATS_TEST_TMPDIR/found" "$BATS_TEST_TMPDIR"/outcomes.*
}

@test "20 moves of the writer role to and fro under 8 writers, each host restarted in between" {
  local old=db1 new=db2 move before
  starts_writing
  for ((move = 1; move <= MOVES; move++)); do
    case $move in
      5) restart_server db3 ;;
      # The one that shall be the writer next, just before.
      10 | 15) restart_server "$new" ;;
    esac
    before=$(acknowledged)
    wait_for 20 more_than "$((before + 100))" acknowledged
    hand_over "$old" "$new" || { echo "move $move failed" >&2; return 1; }
    new=$old
    old=$([[ $new == db1 ]] && echo db2 || echo db1)
  done
  before=$(acknowledged)
  wait_for 20 more_than "$((before + 100))" acknowledged
  stops_writing

  all_caught_up "$old" db1 db2 db3
  same_rows db1 db2 db3
  every_transaction_is_whole db1
  every_transaction_is_whole db3
  (($(acknowledged) > 20 * 100))
}
