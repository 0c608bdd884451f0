# shellcheck shell=bash disable=SC2034,SC2154
# Orders of events around a role that moves from db1 to db2 while db3 follows: making them, and telling whether
# a row was lost, skipped or doubled.
#   load ../lib/cluster
#   load ../lib/failover
#   setup_file() { cluster_in_mode; }   teardown_file() { end_cluster; }
#   setup() { fresh_order; }            teardown() { end_order; }

# shellcheck source=tests/lib/answers.bash
. "$REPOSITORY/tests/lib/answers.bash"

# cluster_in_mode — a cluster whose replicas keep their position as the file's name says: …_file.bats, …_gtid.bats.
# The latter are links to the former: the same tests in both modes.
cluster_in_mode() {
  case ${BATS_TEST_FILENAME##*_} in
    gtid.bats) MMM_REPLICATION='gtid' ;;
    *) MMM_REPLICATION='file' ;;
  esac
  cluster_for_file
}

# The state after up, with tables and some history: both masters have written, and logs were rotated, so that
# positions differ from host to host.
fresh_order() {
  untraced
  local reusable=''
  if [[ -e $BATS_FILE_TMPDIR/reusable ]]; then reusable=1; fi
  rm -f "$BATS_FILE_TMPDIR/reusable"
  fast_network "${HOSTS[@]}"
  if [[ $reusable ]]; then begin_anew; else reset_cluster; fi
  server_pids >"$BATS_FILE_TMPDIR/servers"
  sql db1 'CREATE TABLE app.heap (origin VARCHAR(64), note VARCHAR(255)) ENGINE = InnoDB' \
    'CREATE TABLE app.blobs (id BIGINT AUTO_INCREMENT PRIMARY KEY, body LONGBLOB) ENGINE = InnoDB'
  write db1 3
  caught_up db2 db1
  sql db2 'FLUSH LOGS' "$(writing db2 2)"
  caught_up db1 db2
  write db1
  all_caught_up db1 db2 db3
}

# leaves_traces — said by a test that changes accounts, options or the like: the next one gets a new cluster.
leaves_traces() { has_traces=1; }

end_order() {
  dump_on_failure
  local pid
  for pid in "${in_background[@]}"; do kill "$pid" 2>/dev/null || true; done
  if [[ -n ${BATS_TEST_COMPLETED:-} && -z ${has_traces:-} && $(server_pids) == "$(<"$BATS_FILE_TMPDIR/servers")" ]]; then
    : >"$BATS_FILE_TMPDIR/reusable"
  fi
}

server_pids() {
  local host
  for host in "${HOSTS[@]}"; do echo "$(server_pid "$host") $(server_state "$host")"; done
}

# As reset_cluster, for servers that only have rows, positions and replication to be rid of; they stay up.
begin_anew() {
  network_reset
  each_host write_configuration
  each_host empty_server
  each_host attach
  each_host threads_run
}

empty_server() {
  local id
  for id in $(sql "$1" "SELECT id FROM information_schema.processlist
      WHERE NOT ($REPLICATION_THREADS) AND command <> 'Daemon' AND id <> CONNECTION_ID()"); do
    sql "$1" "KILL $id" 2>/dev/null || true
  done
  flavour_forget "$1"
  sql "$1" 'SET GLOBAL read_only = 1' 'SET GLOBAL general_log = 0' 'SET sql_log_bin = 0' 'DROP DATABASE app'
  sql "$1" "$(app_schema)"
  : >"$(host_dir "$1")/log/mmm_helpers.log"
}

# writing HOST [COUNT] — the statements of as many transactions, of several rows, into tables with and without a
# primary key. write HOST [COUNT] runs them.
writing() {
  local number
  for ((number = 0; number < ${2:-1}; number++)); do
    printf '%s' "BEGIN; INSERT INTO app.entries (origin, note) VALUES ('$1', UUID()), ('$1', UUID()); " \
      "INSERT INTO app.heap VALUES ('$1', UUID()); COMMIT; "
  done
}
write() { sql "$1" "$(writing "$@")"; }

# write_large HOST — one transaction of 32 MB.
write_large() {
  sql "$1" 'SET SESSION binlog_format = ROW' \
    "INSERT INTO app.blobs (body) SELECT REPEAT(CHAR(65 + seq % 26), 131072) FROM $(numbers 256)"
}

# all_caught_up SOURCE HOST… — all of them have executed what SOURCE has logged by now.
all_caught_up() {
  local host
  for host in "${@:2}"; do
    if [[ $host != "$1" ]]; then caught_up "$host" "$1" || return 1; fi
  done
}

# same_rows HOST HOST… — every row of every table, in any order: a table without a key has none.
same_rows() {
  local folder first=$1 host bad=0
  folder=$(mktemp -d "$BATS_TEST_TMPDIR/rows.XXXXXX")
  for host in "$@"; do
    rows "$host" >"$folder/rows" && sort -o "$folder/$host" "$folder/rows" && [[ -s $folder/$host ]] || bad=1
    if ! diff "$folder/$first" "$folder/$host" >"$folder/difference"; then
      printf 'rows of %s (<) and %s (>) differ:\n' "$first" "$host" >&2
      cut -c1-200 "$folder/difference" | head -n 40 >&2
      bad=1
    fi
  done
  rm -rf "$folder"
  return "$bad"
}

# close_writes HOST, open_writes HOST — as the agent has it done, and as an operator does it.
close_writes() {
  agent_call "$1" mysql_deny_write
  expect_agent_read 0 OK
}
open_writes() { sql "$1" 'SET GLOBAL read_only = 0'; }

# ends_writing — db1 takes no more writes, and every host has all of them.
ends_writing() {
  close_writes db1
  all_caught_up db1 db2 db3
}

# move HOST NEW — as the agent asks for it. Whatever the answer is, it must come in time.
move() {
  # A limit of the configuration plus a second for the machine.
  local most=$((${CALL_LIMIT:-8} * 1000 + 1000))
  agent_call "$1" set_active_master "$2"
  ((${milliseconds%.*} < most)) && return 0
  printf '%s: %s after %s ms\n' "$last_call" "$answer" "$milliseconds" >&2
  return 1
}

# moves HOST NEW — it works: HOST replicates from NEW, in the mode it had.
moves() { move "$@" && expect_agent_read 0 OK && replicates "$@"; }

# moves_in_the_end HOST NEW — as moves, where the old master is cut off or frozen: a call is refused, with
# replication running, if most of its time is over before that silence is certain; it is retried.
moves_in_the_end() {
  move "$@" || return 1
  case $answer in
    'ERROR: moving '*' was not begun: '* | *'yet it is alive: '* | *'did not answer after that: '*) move "$@" ;;
  esac
  expect_agent_read 0 OK && replicates "$@"
}

# moves_behind_backlog HOST NEW — as moves, if the slave has a backlog that the helper does not wait for while the new
# master is closed: the call is retried, as its agent would.
moves_behind_backlog() {
  local until=$((SECONDS + 20))
  while
    move "$@"
    [[ $answer == 'ERROR: '*' still applies what it fetched '* || $answer == 'ERROR: '*'not waited for'* ]] &&
      ((SECONDS < until))
  do
    sleep 0.2
  done
  expect_agent_read 0 OK && replicates "$@"
}

# replicates HOST SOURCE [MODE]
replicates() {
  local state expected
  state="$(replica_field "$1" Master_Host) $(threads "$1") $(replication_mode "$1")"
  expected="$(host_ip "$2") Yes Yes ${3:-$MMM_REPLICATION}"
  [[ $state == "$expected" ]] && return 0
  printf 'replication of %s: %s, expected: %s\n' "$1" "$state" "$expected" >&2
  return 1
}

# killed_after MICROSECONDS NEW — db3 is moved, and the helper killed then, if it still runs.
killed_after() {
  # shellcheck disable=SC2016
  in_host db3 perl -MTime::HiRes=usleep -e '
    open STDOUT, ">", "/dev/null"; my $delay = shift; my $pid = fork;
    if (!$pid) { exec @ARGV or exit 1 }
    usleep $delay; kill KILL => $pid; waitpid $pid, 0' \
    "$1" "$MMM_AGENT_DIR/set_active_master" mmm_agent_db3 "$2"
}

# refuses_to_move HOST NEW PATTERN — replication stays as it was, and was not even stopped for a moment.
refuses_to_move() {
  local before after
  before=$(standing "$1")
  move "$1" "$2" && expect_agent_read 255 "$3" || return 1
  after=$(standing "$1")
  [[ $before == "$after" ]] && return 0
  printf 'replication of %s has changed:\n' "$1" >&2
  diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") >&2
  return 1
}

# standing HOST — what SHOW SLAVE STATUS says, without what time changes, and who its threads are.
standing() {
  replica_status "$1" 'SHOW ALL SLAVES STATUS' | grep -Ev "^ *(Slave_IO_State|Slave_SQL_State|\
Slave_SQL_Running_State|Seconds_Behind_Master|Retried_transactions|Executed_log_entries|Slave_received_heartbeats|\
SQL_Remaining_Delay|Last_IO_Errno|Last_IO_Error|Last_IO_Error_Timestamp|Slave_IO_Running):"
  sql "$1" "SELECT id FROM information_schema.processlist WHERE $REPLICATION_THREADS ORDER BY 1"
}

# made_from_backup HOST — a MySQL with GTIDs: what it has executed came with a backup, without its log.
made_from_backup() {
  local executed
  executed=$(sql "$1" 'SELECT @@GLOBAL.gtid_executed')
  sql "$1" 'STOP SLAVE' 'RESET MASTER' "SET GLOBAL gtid_purged = '${executed//\\n/}'" 'START SLAVE'
}

# moves_late HOST NEW — as moves, where servers have GTIDs. Without them, a slave that keeps no log cannot show that
# it has what its new master wrote earlier: it is refused, stays on its old master, and the rest of the test is left
# out.
moves_late() {
  if has_gtids; then moves "$@"; return; fi
  local before after
  before="$(replica_field "$1" Master_Host) $(threads "$1")"
  move "$@" && expect_agent_read 255 "$(unproved "$2")" || return 1
  after="$(replica_field "$1" Master_Host) $(threads "$1")"
  # Running, or as it was. The SQL thread is stopped only if the answer says so.
  if [[ $answer == *'applies nothing more'* ]]; then before="${before% *} No"; fi
  [[ $after == "${before%% *} "*' Yes' && $after != *' No '* || ${after/Connecting/Yes} == "${before/Connecting/Yes}" ]] || {
    echo "before: $before, after: $after" >&2
    return 1
  }
  # Half a transaction in its relay log would hold up the next test's set-up for a minute.
  leaves_traces
  skip 'known refusal: a slave without a log, by file and position alone'
}

# unproved NEW [PATTERN] — what a refusal says: PATTERN where servers have GTIDs.
unproved() {
  if [[ ${2:-} ]] && has_gtids; then echo "$2"; else echo "ERROR: no position in the log of $1 can be proved to be right*"; fi
}

# by_sets — a slave gets whatever it lacks, in whichever order its new master has it: MySQL's GTIDs.
by_sets() { [[ $FAMILY == MySQL && $MMM_REPLICATION == gtid ]]; }

# nothing_lost NEW HOST… — rows written on NEW from now on reach the hosts, and all have the same rows.
nothing_lost() {
  write "$1" 3
  all_caught_up "$@" && same_rows "$@"
}

# later SECONDS COMMAND… — in the background, and not after the test's end.
later() {
  { sleep "$1"; "${@:2}"; } >/dev/null 2>&1 3>&- 4>&- &
  in_background+=("$!")
}

# keeps_writing HOST [CLIENTS] — in the background, until stops_writing.
keeps_writing() {
  local client
  writers=()
  rm -f "$BATS_TEST_TMPDIR/stops_writing"
  for ((client = 0; client < ${2:-1}; client++)); do
    until [[ -e $BATS_TEST_TMPDIR/stops_writing ]]; do write "$1" 5 || break; done >/dev/null 2>&1 3>&- 4>&- &
    writers+=("$!")
  done
  in_background+=("${writers[@]}")
}
stops_writing() {
  # A kill would leave the last client to its transactions.
  : >"$BATS_TEST_TMPDIR/stops_writing"
  wait "${writers[@]}" || true
}

# call_limit HOST SECONDS — the time of a whole call, where a test has to wait for its end.
call_limit() {
  CALL_LIMIT=$2
  settings "$1" "limits: { call: $2s }"
}

# delay HOST SECONDS — MASTER_DELAY; what was fetched stays.
delay() { sql "$1" 'STOP SLAVE' "CHANGE MASTER TO MASTER_DELAY = $2" 'START SLAVE'; }

# delayed_and_reconnected — db3 has fetched what it does not apply yet, and has connected anew. By file and position, a
# MariaDB then sets its GTID position to the position up to which it has fetched.
delayed_and_reconnected() {
  delay db3 600
  write db1 3
  caught_up db2 db1
  fetched_all db3 db1
  stop_replica_thread db3 IO_THREAD
  start_replica_thread db3 IO_THREAD
  wait_for 5 runs_from db3 db1
  close_writes db1
}

# slow_network HOST… — 2 MB a second is all that still reaches them; fast_network HOST… ends it.
slow_network() {
  local host
  for host in "$@"; do in_host client tc qdisc add dev "$host" root tbf rate 16mbit burst 64k latency 2s; done
}
fast_network() {
  local host
  for host in "$@"; do in_host client tc qdisc del dev "$host" root 2>/dev/null || true; done
}

# has_half_a_transaction HOST — a megabyte of it, at least.
has_half_a_transaction() {
  local read executed
  read=$(replica_field "$1" Read_Master_Log_Pos)
  executed=$(replica_field "$1" Exec_Master_Log_Pos)
  ((read - executed > 1000000))
}

# dies_while_sending HOST… — db1, when each of them has half of the transaction that it sends over a slow network.
dies_while_sending() {
  local host
  for host in "$@"; do wait_for 10 has_half_a_transaction "$host" || return 1; done
  for host in "$@"; do drop_packets db1 "$host"; done
  kill_server db1
  fast_network "$@"
  pass_packets db1
}

# dies_with_last_words HOST… — likewise; what its kernel still has to send arrives a second later, in some 100 ms, and
# the end of the connection behind it.
dies_with_last_words() {
  local host
  for host in "$@"; do wait_for 10 has_half_a_transaction "$host" || return 1; done
  for host in "$@"; do drop_packets db1 "$host"; done
  kill_server db1
  for host in "$@"; do in_host client tc qdisc change dev "$host" root tbf rate 64mbit burst 64k latency 2s; done
  later 1 pass_packets db1
}

# writes_early — db2 writes before it has applied all of db1's; db1, and so db3, never gets that row.
writes_early() {
  stop_replica_thread db1
  stop_replica_thread db2 SQL_THREAD
  write db1 2
  write db2
  start_replica_thread db2 SQL_THREAD
  all_caught_up db1 db2 db3
}

# begins_new_log HOST — as a copy of its master has it: the same rows, the same position, and a log that begins there.
begins_new_log() {
  stop_replica_thread "$1"
  sql "$1" 'RESET MASTER'
  start_replica_thread "$1"
}

# is_rebuilt HOST — as begins_new_log; its numbers continue from the position of the copy, as on a restored server.
is_rebuilt() {
  stop_replica_thread "$1"
  sql "$1" 'RESET MASTER' "SET GLOBAL gtid_slave_pos = '$(sql "$1" 'SELECT @@gtid_current_pos')'"
  start_replica_thread "$1"
}

# logs_nothing HOST COMMAND… — HOST executes what db1 writes meanwhile without logging it.
logs_nothing() {
  restart_server "$1" --skip-log-slave-updates
  "${@:2}"
  wait_for 10 eval "[[ \$(threads $1) == 'Yes Yes' ]]"
  caught_up "$1" db1
  restart_server "$1"
  wait_for 10 eval "[[ \$(threads $1) == 'Yes Yes' ]]"
}

# opens_temporary_table — a session on db1 that stays; db2 and db3 have its temporary table, too.
opens_temporary_table() {
  mkfifo "$BATS_TEST_TMPDIR/session"
  client_of "$(host_dir db1)" <"$BATS_TEST_TMPDIR/session" 3>&- &
  exec {session}>"$BATS_TEST_TMPDIR/session"
  echo 'SET SESSION binlog_format = STATEMENT; CREATE TEMPORARY TABLE app.scratch (a INT);
    INSERT INTO app.scratch VALUES (1);' >&"$session"
  wait_for 5 eval "[[ \$(open_temporary_tables) == 1 ]]"
}
open_temporary_tables() { sql "${1:-db3}" "SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'" | cut -f2; }

# restart_server HOST OPTIONS… — with options that a running server does not take; its replicas continue.
restart_server() {
  stop_server "$1"
  start_server "$@"
  reconnects_to "$1"
}
