#!/usr/bin/env bats
# Orders in which the old master lives: db1 was the writer, db2 becomes it, db3 follows. Named by the rows of
# docs/ORDERS.md.
# Not to be had on MariaDB: gaps of a parallel applier (A20; MariaDB commits in order) and
# SOURCE_CONNECTION_AUTO_FAILOVER (A29).

load ../lib/cluster
load ../lib/failover

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

@test "A1: the new master still applies while the slave is current; a person who waits sees the slave moved then" {
  hold db2
  write db1 5
  caught_up db3 db1
  close_writes db1
  later 1 release db2

  run_helper db3 set_active_master db2 --wait 6
  answers 0 OK
  replicates db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

# Agents are called one after another, the new master's after the slave's: while the slave waits, clients wait, too.
@test "A1: the new master is closed and still applies; the slave does not keep it closed, and is moved when it is asked again" {
  hold db2
  write db1 5
  caught_up db3 db1
  close_writes db1

  refuses_to_move db3 db2 "$(unproved db2 "ERROR: db3 has executed $(gtid_of db1), db2 only up to $(gtid_of db1)")"
  ((${milliseconds%.*} < 2000))
  settings db3 'attach: { patience: 2500ms }'
  refuses_to_move db3 db2 'ERROR: *'
  ((${milliseconds%.*} > 2400))
  settings db3 ''

  release db2
  caught_up db2 db1
  open_writes db2
  write db2
  moves db3 db2
  nothing_lost db2 db1 db3
}

@test "A1: the new master does not catch up in time; the slave stays, and is moved when it is asked again" {
  call_limit db3 2
  hold db2
  write db1 5
  caught_up db3 db1
  close_writes db1

  refuses_to_move db3 db2 "$(unproved db2 "ERROR: db3 has executed $(gtid_of db1), db2 only up to $(gtid_of db1)")"

  write db1
  caught_up db3 db1
  release db2
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A1: master and slave both still apply, the slave further behind" {
  hold db2
  hold db3
  write db1 5
  close_writes db1
  fetched_all db2 db1
  later 0.5 release db2
  later 1 release db3

  moves_behind_backlog db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A2: the slave's SQL thread was stopped with a full relay log; it applies that log or fetches it anew" {
  stop_replica_thread db3 SQL_THREAD
  write db1 5
  all_caught_up db1 db2
  fetched_all db3 db1
  close_writes db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A2: the slave's SQL thread failed; the slave stays as it is until somebody has mended it" {
  sql db3 'SET sql_log_bin = 0' "INSERT INTO app.entries (id, origin) VALUES (1001, 'stray')"
  sql db1 "INSERT INTO app.entries (id, origin) VALUES (1001, 'db1')"
  wait_for 5 eval '[ "$(threads db3)" = "Yes No" ]'
  write db1 3
  caught_up db2 db1
  close_writes db1

  move db3 db2
  expect_agent_read 255 'ERROR: replication on db3 has stopped: error 1062:*fix that first *'

  # Started again, it needs a moment to meet the same row.
  wait_for 5 eval '[ "$(threads db3) $(replica_field db3 Master_Host)" = "Yes No $(host_ip db1)" ]'
  sql db3 'SET sql_log_bin = 0' 'DELETE FROM app.entries WHERE id = 1001'
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A3: the slave's IO thread was stopped; what it has not fetched it gets from the new master" {
  stop_replica_thread db3 IO_THREAD
  write db1 5
  caught_up db2 db1
  close_writes db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A3: the old master lets the slave in no more; what it has not fetched it gets from the new master" {
  leaves_traces
  sql db1 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"
  stop_replica_thread db3
  start_replica_thread db3
  wait_for 5 eval '[ "$(threads db3)" != "Yes Yes" ]'
  write db1 5
  caught_up db2 db1
  close_writes db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A6: the old master still takes writes; the slave stays" {
  refuses_to_move db3 db2 'ERROR: db1 still takes writes (read_only is off)*'

  write db1
  caught_up db3 db1
}

@test "A8: the new master writes already and the old one follows it; the slave loses nothing of either" {
  stop_replica_thread db3
  write db1 3
  caught_up db2 db1
  close_writes db1
  open_writes db2
  write db2 3
  caught_up db1 db2

  moves db3 db2

  nothing_lost db2 db1 db3
}

@test "A8: the new master writes all the while the slave is moved" {
  close_writes db1
  caught_up db2 db1
  open_writes db2
  keeps_writing db2

  moves db3 db2

  stops_writing
  nothing_lost db2 db1 db3
}

@test "A8: the new master commits while the slave is moved; what is logged and not yet committed is not passed over" {
  [[ $MMM_SERVER == mysql-9 ]] || skip 'nowhere else is a transaction logged for long before it is committed'
  leaves_traces
  ends_writing
  # By file and position; with GTIDs if the cluster has them.
  by_file_and_position db3 db1
  sql db2 'SET GLOBAL read_only = 0' \
    'SET GLOBAL sync_binlog = 1' 'SET GLOBAL binlog_group_commit_sync_delay = 1000000'
  later 0 write db2
  wait_for 5 eval '[[ $(sql db2 "SELECT state FROM information_schema.processlist") == *"handler commit"* ]]'

  move db3 db2
  expect_agent_read 0 OK
  replicates db3 db2 file

  sql db2 'SET GLOBAL binlog_group_commit_sync_delay = 0'
  nothing_lost db2 db1 db3
}

# halted_when_changed HOST NEW — a helper that has pointed HOST at NEW and whose START the server does not get before
# goes_on, which lets it continue until it answers.
halted_when_changed() {
  hold_up "$1" 'START '
  in_host "$1" "$MMM_AGENT_DIR/set_active_master" "mmm_agent_$1" "$2" >"$BATS_TEST_TMPDIR/answer" 2>&1 3>&- 4>&- &
  halted=$! halted_on=$1
  in_background+=("$halted")
  wait_for 8 is_held_up "$1"
}
goes_on() {
  pass_packets "$halted_on"
  wait "$halted" || true
  answer=$(tail -n 1 "$BATS_TEST_TMPDIR/answer")
  echo "$answer"
}

@test "A8: the slave has applied something of the new master when the move fails; it does not get that twice" {
  [[ $MMM_SERVER == mysql-9 && $MMM_REPLICATION == file ]] || skip 'its set of GTIDs shows what the slave has applied'
  leaves_traces
  # Servers that once had GTIDs: their sets stay, whatever is written without one.
  local host
  for host in "${HOSTS[@]}"; do sql "$host" 'SET GLOBAL gtid_mode = OFF_PERMISSIVE'; done
  sql db3 'SET sql_log_bin = 0' "SET gtid_next = '00000000-0000-0000-0000-000000000009:1'" 'BEGIN' 'COMMIT'
  [ -n "$(sql db3 'SELECT @@GLOBAL.gtid_executed')" ]
  ends_writing
  stop_replica_thread db1
  open_writes db2
  write db2
  halted_when_changed db3 db2
  sql db3 'START SLAVE'
  caught_up db3 db2
  stop_replica_thread db3
  set_password db2 "$REPLICATION_USER" other
  goes_on
  [[ $answer == 'ERROR: db3 cannot replicate from db2: '*'; it stays on db2, of which it has already applied something' ]]

  set_password db2 "$REPLICATION_USER" "$REPLICATION_PASSWORD"
  sql db3 'STOP SLAVE' 'START SLAVE'
  wait_for 5 replicates db3 db2
  start_replica_thread db1
  nothing_lost db2 db1 db3
}

@test "A8: the new master dies when the slave has applied something of it; that is a move, and the role goes back" {
  leaves_traces
  ends_writing
  open_writes db2
  halted_when_changed db3 db2
  sql db3 'START SLAVE'
  write db2
  all_caught_up db2 db1 db3
  kill_server db2
  goes_on
  # After an error, the agent would take db3 for a slave of db1 and not call again.
  [ "$answer" = OK ]

  open_writes db1
  write db1
  move db3 db1
  start_server db2
  nothing_lost db1 db2 db3
}

@test "A17: a second channel goes on while the new master dies before it has sent anything; that is no move" {
  leaves_traces
  ends_writing
  archive_channel db3
  sql client 'CREATE DATABASE archive' 'CREATE TABLE archive.notes (id INT PRIMARY KEY)' \
    'INSERT INTO archive.notes VALUES (0)'
  wait_for 5 archive_has 1
  note_archive
  halted_when_changed db3 db2
  sql client 'INSERT INTO archive.notes VALUES (1)'
  wait_for 5 archive_has 2
  kill_server db2
  goes_on
  [[ $answer == 'ERROR: db3 cannot replicate from db2: '*'; it replicates from db1 as before' ]]

  wait_for 5 replicates db3 db1
  archive_is_untouched db3
  sql db3 "STOP SLAVE 'archive'" "RESET SLAVE 'archive' ALL" 'SET sql_log_bin = 0' 'DROP DATABASE archive'
  start_server db2
  open_writes db1
  nothing_lost db1 db2 db3
}
archive_has() { [[ $(sql db3 'SELECT COUNT(*) FROM archive.notes') == "$1" ]]; }

@test "A11: a helper was killed after it had stopped replication; nothing of the relay log is lost" {
  hold db3
  write db1 5
  caught_up db2 db1
  fetched_all db3 db1
  close_writes db1
  later 0.3 release db3
  stop_replica_thread db3

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A12: a helper was killed after it had changed the master; it is called a slave only when it replicates" {
  ends_writing
  moves db3 db2
  open_writes db2
  stop_replica_thread db3
  write db2

  move db3 db2
  expect_agent_read 0 'OK: We are already a slave of the new master'

  replicates db3 db2
  nothing_lost db2 db1 db3
}

@test "A12: one thread of a slave of the new master was stopped" {
  ends_writing
  moves db3 db2
  for thread in IO_THREAD SQL_THREAD; do
    stop_replica_thread db3 "$thread"
    move db3 db2
    expect_agent_read 0 'OK: We are already a slave of the new master'
    replicates db3 db2
  done
}

@test "A12: a slave of the new master cannot replicate from it; that is no OK" {
  ends_writing
  moves db3 db2
  sql db3 'SET sql_log_bin = 0' "INSERT INTO app.entries (id) VALUES (1001)"
  sql db2 "INSERT INTO app.entries (id) VALUES (1001)"
  wait_for 5 eval '[ "$(threads db3)" = "Yes No" ]'

  move db3 db2
  expect_agent_read 255 'ERROR: db3 cannot replicate from db2: SQL thread: error 1062:*'
}

@test "A16: the new master wrote before it had applied all of the old one's; the slave lacks its early row and stays" {
  writes_early
  close_writes db1

  if by_sets; then
    moves db3 db2
    open_writes db2
    nothing_lost db2 db3
  else
    refuses_to_move db3 db2 "$(unproved db2 "ERROR: db3 lacks $(gtid_of db2), which db2 logged before the position *")"
  fi
}

@test "A16: the same, but the early row reached the slave through the old master; it is moved after the next row" {
  stop_replica_thread db2 SQL_THREAD
  write db1 2
  write db2
  caught_up db1 db2
  start_replica_thread db2 SQL_THREAD
  all_caught_up db1 db2 db3
  close_writes db1

  # Both have the same rows in another order: none of MariaDB's GTIDs in the log of db2 is the slave's position. MySQL
  # compares sets, and by file and position it is enough that all are idle.
  if [[ $FAMILY == MariaDB ]]; then
    refuses_to_move db3 db2 'ERROR: db3 *'
    open_writes db2
    write db2
    caught_up db1 db2
    caught_up db3 db1
  fi
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A20: the slave applies in parallel and is behind" {
  leaves_traces
  stop_replica_thread db3 SQL_THREAD
  apply_in_parallel db3
  write db1 60
  caught_up db2 db1
  close_writes db1
  start_replica_thread db3

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A20: the slave applies in parallel and has applied all; its place, which it tells late, is not waited for" {
  only_on MySQL 'it shows its position at once'
  leaves_traces
  stop_replica_thread db3 SQL_THREAD
  apply_in_parallel db3
  sql db3 'SET GLOBAL slave_checkpoint_period = 60000'
  start_replica_thread db3 SQL_THREAD
  write db1 5
  wait_for 10 same_rows db1 db2 db3
  close_writes db1
  [[ $(replica_field db3 Exec_Master_Log_Pos) != "$(replica_field db3 Read_Master_Log_Pos)" ]]

  # Nothing comes any more, and that is no half of a transaction either.
  sleep 0.5
  moves db3 db2
  ((${milliseconds%.*} < 2000))

  sql db3 'SET GLOBAL slave_checkpoint_period = 300'
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A20: everybody applies in parallel and tells its place late; the appliers show sooner that all is applied" {
  only_on MySQL 'it shows its position at once'
  only_on channels 'its appliers do not show what they have applied'
  leaves_traces
  settings db3 'attach: { touch_old_master: false }'
  write db1 5
  all_caught_up db1 db2 db3
  tell_places_after 60000
  write db1 5
  wait_for 10 same_rows db1 db2 db3
  close_writes db1
  [[ $(replica_field db2 Exec_Master_Log_Pos) != "$(replica_field db2 Read_Master_Log_Pos)" ]]

  moves db3 db2

  tell_places_after 300
  open_writes db2
  nothing_lost db2 db1 db3
}
# tell_places_after MILLISECONDS — the interval of every host's checkpoints from now on.
tell_places_after() {
  local host
  for host in db1 db2 db3; do
    sql "$host" 'STOP SLAVE SQL_THREAD' "SET GLOBAL slave_checkpoint_period = $1" 'START SLAVE SQL_THREAD'
  done
}

@test "A20: an applier is still at work on an earlier transaction; what the last one tells is not believed" {
  only_on MySQL 'it shows its position at once'
  only_on channels 'its appliers do not show what they have applied'
  leaves_traces
  in_any_order db2
  # Until one has been applied, its appliers work one after the other.
  write db1
  all_caught_up db1 db2 db3
  sql db2 'BEGIN' 'SELECT id FROM app.entries WHERE id = 1 FOR UPDATE' 'DO SLEEP(50)' >/dev/null 2>&1 3>&- 4>&- &
  wait_for 5 holding db2
  sql db1 "UPDATE app.entries SET note = 'late' WHERE id = 1" "INSERT INTO app.entries (note) VALUES ('early')"
  wait_for 5 has_note db2 early
  caught_up db3 db1
  close_writes db1

  refuses_to_move db3 db2 'ERROR: *'

  release db2
  in_order db2
  all_caught_up db1 db2 db3
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A20: the slave applies in parallel, and writes go on; that is not taken for half a transaction without end" {
  leaves_traces
  stop_replica_thread db3
  apply_in_parallel db3
  start_replica_thread db3
  keeps_writing db1 2
  wait_for 5 replicates db3 db1

  agent_call db3 turn_off_slave
  expect_agent_read 0 OK
  ((${milliseconds%.*} < 2000))

  agent_call db3 turn_on_slave
  expect_agent_read 0 OK
  stops_writing
  ends_writing
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

# writes_short_ones N — transactions of db1 of which each takes db3 30 ms.
writes_short_ones() {
  {
    echo 'SET SESSION binlog_format = STATEMENT;'
    for ((i = 0; i < $1; i++)); do
      echo "INSERT INTO app.short (slept) SELECT IF(@@hostname = 'db3', SLEEP(0.03), 0);"
    done
  } | client_of "$(host_dir db1)"
}

# begins_its_backlog — db3 has fetched all and begins to apply it; clients wait for the move.
begins_its_backlog() {
  fetched_all db3 db1
  close_writes db1
  start_replica_thread db3 SQL_THREAD
  wait_for 5 eval '[ "$(sql db3 "SELECT COUNT(*) FROM app.short")" -gt 0 ]'
}

@test "A20: the slave has a long backlog of short transactions; by GTID it gets the rest from the new master, and nobody waits" {
  only_on MySQL 'the position of MariaDB is searched once the slave has applied its backlog'
  [[ $MMM_REPLICATION == gtid ]] || skip 'without GTIDs, only a slave at rest has a position'
  stop_replica_thread db3 SQL_THREAD
  sql db1 'CREATE TABLE app.short (id INT AUTO_INCREMENT PRIMARY KEY, slept INT)'
  writes_short_ones 300
  caught_up db2 db1
  begins_its_backlog

  moves db3 db2
  # As it was fetched, the rest takes longer, even for four appliers; the new master sends rows.
  ((${milliseconds%.*} < 1500))

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A21: replication does not stop in time; the slave stays on the old master and goes on by itself" {
  call_limit db3 2
  local busy='connection * (*) on db3 holds the lock of these helpers'
  # While it stops, that server answers no query for the status.
  [[ $MMM_SERVER != mysql-5.6 ]] || busy='db3 did not answer within'
  sql db1 'CREATE TABLE app.slow (a INT) ENGINE = MyISAM' "SET SESSION binlog_format = STATEMENT" \
    "INSERT INTO app.slow SELECT IF(@@hostname = 'db3', SLEEP(6), 0)"
  caught_up db2 db1
  close_writes db1

  # While clients wait, it is not even tried.
  refuses_to_move db3 db2 'ERROR: db3 still applies what it fetched from db1*and stays there; open db2 first (sync_with_master, mysql_allow_write), then call this again. SHOW FULL PROCESSLIST on db3 shows what delays it'
  ((${milliseconds%.*} < 1500))
  open_writes db2
  move db3 db2
  expect_agent_read 255 'ERROR: db3 did not stop replicating within *; the server still carries out the STOP (SHOW PROCESSLIST)*'
  move db3 db2
  expect_agent_read 255 "ERROR: $busy*"

  wait_for 20 eval '[ "$(sql db3 "SELECT COUNT(*) FROM app.slow")" = 1 ]'
  wait_for 5 replicates db3 db1
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A22: a delayed slave has fetched what the closed new master has not; it keeps that until the new master has it, too" {
  stop_replica_thread db2 IO_THREAD
  delay db3 600
  write db1 3
  fetched_all db3 db1
  close_writes db1

  refuses_to_move db3 db2 'ERROR: *it has fetched more of the log of db1 than db2, and not applied it; retry*'

  start_replica_thread db2 IO_THREAD
  all_caught_up db1 db2
  moves db3 db2
  delay db3 0
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A22: the slave applies a backlog of short transactions that the closed new master has not fetched; it keeps them" {
  only_on MySQL 'MariaDB is not stopped in the middle of a backlog'
  [[ $MMM_REPLICATION == gtid ]] || skip 'without GTIDs, only a slave at rest has a position'
  stop_replica_thread db3 SQL_THREAD
  sql db1 'CREATE TABLE app.short (id INT AUTO_INCREMENT PRIMARY KEY, slept INT)'
  # So many that the slave is still at them, which the new master has, when it is asked to move.
  writes_short_ones 150
  caught_up db2 db1
  stop_replica_thread db2 IO_THREAD
  writes_short_ones 150
  begins_its_backlog

  move db3 db2
  expect_agent_read 255 'ERROR: *it has fetched more of the log of db1 than db2, and not applied it; retry*'
  replicates db3 db1

  start_replica_thread db2 IO_THREAD
  all_caught_up db1 db2
  moves_behind_backlog db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A22: the old master dies while the call waits for the new one to fetch what the slave has; the slave keeps that" {
  settings db3 "{ limits: { call: 12s }, attach: { patience: 8s } }"
  CALL_LIMIT=12
  stop_replica_thread db2 IO_THREAD
  delay db3 600
  write db1 3
  fetched_all db3 db1
  close_writes db1
  local fetched
  fetched=$(replica_field db3 Read_Master_Log_Pos)
  later 0.5 kill_server db1

  move db3 db2
  expect_agent_read 255 'ERROR: db3 has *; db2 takes over what only db3 has before it opens*'
  [ "$(replica_field db3 Master_Host) $(replica_field db3 Read_Master_Log_Pos)" = "$(host_ip db1) $fetched" ]
}

@test "A22: a delayed slave is moved without waiting for its delay, and keeps it" {
  delay db3 600
  write db1 5
  caught_up db2 db1
  fetched_all db3 db1
  close_writes db1

  moves db3 db2

  ((${milliseconds%.*} < 4000))
  [ "$(replica_field db3 SQL_Delay)" = 600 ]
  delay db3 0
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A22: a delayed slave has reconnected; its GTID position says more than it has applied" {
  delayed_and_reconnected

  moves db3 db2

  delay db3 0
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A25: the new master holds an old row of its own that the old one never got; the slave would never see it" {
  only_on MariaDB 'elsewhere a replica cannot be told to skip these, or this cannot be seen'
  stop_replica_thread db1
  write db2
  end=$(binlog_end db2)
  write db1 2
  all_caught_up db1 db2 db3
  case $MMM_REPLICATION in
    file) sql db1 "CHANGE MASTER TO MASTER_LOG_FILE = '${end% *}', MASTER_LOG_POS = ${end#* }" ;;
    gtid) sql db1 "SET GLOBAL gtid_slave_pos = '$(sql db2 'SELECT @@gtid_binlog_pos')'" ;;
  esac
  start_replica_thread db1
  close_writes db1

  refuses_to_move db3 db2 'ERROR: db3 lacks 0-2-*, which db2 logged before the position where db3 would continue*'
}

@test "A25: the new master's own row comes last in its log; the slave gets it from there" {
  stop_replica_thread db1
  write db1 2
  all_caught_up db1 db2 db3
  write db2
  close_writes db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A26: the old master's log was reset; the slave goes on where it is in the new master's log" {
  ends_writing
  sql db1 'RESET MASTER'

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A28: the slave has a temporary table of the old master's open; it is moved when that is gone" {
  call_limit db3 2
  opens_temporary_table
  # The helper would have ended that session.
  sql db1 'SET GLOBAL read_only = 1'
  all_caught_up db1 db2 db3

  refuses_to_move db3 db2 'ERROR: db3 has 1 replicated temporary tables open*'

  exec {session}>&-
  wait_for 5 eval '[[ $(open_temporary_tables) == 0 ]]'
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A6: the old master answers slowly, and the slave is not connected to it: it is not taken for dead" {
  leaves_traces
  hold db2
  write db1
  caught_up db3 db1
  stop_replica_thread db3 IO_THREAD
  sql db1 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"
  close_writes db1
  settings db3 'attach: { patience: 6s }'
  later 1 freeze db1
  later 2 release db2

  move db3 db2
  expect_agent_read 255 'ERROR: *it let the agent log in and did not answer after that*'

  thaw db1
  moves db3 db2
  open_writes db2
  nothing_lost db2 db3
}

@test "A4: the old master lives and sends a transaction that nothing rolls back; it is not cut in half" {
  only_on gtids 'by file and position, the search for the position comes first, and takes as long'
  leaves_traces
  sql db1 'CREATE TABLE app.kept (id BIGINT AUTO_INCREMENT PRIMARY KEY, body LONGBLOB) ENGINE = MyISAM'
  all_caught_up db1 db2 db3
  slow_network db3
  sql db1 'SET SESSION binlog_format = ROW' \
    "INSERT INTO app.kept (body) SELECT REPEAT(CHAR(65 + seq % 26), 1 << 20) FROM $(numbers 8)"
  close_writes db1
  caught_up db2 db1
  wait_for 10 has_half_a_transaction db3

  # While db3 fetches a row of 1 MB, it shows for half a second no more than the row before.
  move db3 db2
  expect_agent_read 255 'ERROR: *it is being sent a transaction, and is not waited for; retry*'
  moves_behind_backlog db3 db2

  fast_network db3
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A16: the slave is a copy of the old master with a younger log of its own; the log of the old one tells what it has" {
  only_on MariaDB 'elsewhere sets show what a copy has'
  begins_new_log db3
  write db1 2
  ends_writing

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A16: such a copy lacks an early row of the new master, as the log of the old one shows, and stays" {
  only_on MariaDB 'elsewhere sets show what a copy has'
  writes_early
  begins_new_log db3
  write db1 2
  ends_writing

  refuses_to_move db3 db2 "ERROR: db3 lacks $(gtid_of db2), which db2 logged before the position where db3 would continue*"
}

@test "the new master did not log for a while what it replicated; a slave that lacks some of that stays" {
  only_on MariaDB 'elsewhere gtid_purged shows that, or nothing does'
  call_limit db3 2
  delay db3 600
  logs_nothing db2 write db1 2
  write db1 2
  caught_up db2 db1
  fetched_all db3 db1
  close_writes db1

  refuses_to_move db3 db2 "ERROR: the binary log of db2 lacks $(gtid_of db1)*"

  delay db3 0
  caught_up db3 db1
  moves db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "somebody has set gtid_seq_no on the old master; numbers that nobody wrote are not missed" {
  only_on MariaDB 'no other server has gtid_seq_no'
  delay db3 600
  sql db1 'SET SESSION gtid_seq_no = 5000' "$(writing db1)"
  write db1 2
  caught_up db2 db1
  fetched_all db3 db1
  close_writes db1

  moves db3 db2

  delay db3 0
  open_writes db2
  nothing_lost db2 db1 db3
}

# The log of db2, as a look-up reads it, is as long as its statements are.
is_long_to_read() {
  local long
  leaves_traces
  long=$(printf 'x%.0s' {1..80000})
  {
    echo 'SET SESSION binlog_format = STATEMENT; BEGIN;'
    for _ in {1..75}; do echo "INSERT INTO app.heap VALUES ('db1', LEFT('$long', 9));"; done
    echo 'COMMIT;'
  } | client_of "$(host_dir db1)"
  all_caught_up db1 db2 db3
}

# Statements that take their time on db3 alone.
crawling() {
  echo 'SET SESSION binlog_format = STATEMENT;'
  for _ in {1..25}; do echo "INSERT INTO app.heap SELECT 'db1', IF(@@hostname = 'db3', SLEEP(0.05), 0);"; done
}

@test "a look into the new master's log takes longer than a call may, or most of it; the slave is never stopped in vain" {
  only_on MariaDB 'logs are read in this way for the GTIDs of MariaDB'
  [[ $MMM_REPLICATION == file ]] || skip 'the same look as by file and position'
  # The server cannot find a position of two domains in one step, so that its log is read.
  sql db1 'SET GLOBAL gtid_domain_id = 1'
  is_long_to_read
  delay db3 600
  crawling | client_of "$(host_dir db1)"
  caught_up db2 db1
  fetched_all db3 db1
  close_writes db1
  slow_network db3

  call_limit db3 3
  refuses_to_move db3 db2 'ERROR: the search for * in the log of db2 did not end in the time of this call*'

  call_limit db3 8
  delay db3 0
  moves_behind_backlog db3 db2

  fast_network db3
  open_writes db2
  nothing_lost db2 db1 db3

  # If both leave out the last transaction, the plan is made again after the stop in any case.
  local host
  for host in db1 db3; do leave_out "$host" app.scratch; done
  sql db2 'CREATE TABLE app.scratch (a INT)'
  all_caught_up db2 db1 db3
  kill_server db2
  open_writes db1
  write db1
  slow_network db3
  call_limit db3 5
  refuses_to_move db3 db1 'ERROR: the search for * in the log of db1 did not end in the time of this call*'

  fast_network db3
  moves db3 db1
  nothing_lost db1 db3
}
