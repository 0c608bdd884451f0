#!/usr/bin/env bats
# Orders in which the old master is dead, dying, frozen or cut off: db1 was the writer, db2 becomes it, db3
# follows. Named by the rows of docs/ORDERS.md.

load ../lib/cluster
load ../lib/failover
load ../lib/survivors

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

@test "A4: the old master dies while it sends a transaction; the slave has half of it, the new master all" {
  slow_network db3
  write_large db1
  caught_up db2 db1
  dies_while_sending db3

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
  [ "$(sql db3 'SELECT COUNT(*) FROM app.blobs')" = 256 ]
}

@test "A4: the old master dies while it sends a transaction; slave and new master both have half of it" {
  slow_network db2 db3
  write_large db1
  dies_with_last_words db2 db3

  # An old MySQL on a busy machine takes more than a second to get to the end of the connection.
  if [[ $MMM_SERVER == mysql-5* ]]; then moves_in_the_end db3 db2; else moves db3 db2; fi

  open_writes db2
  nothing_lost db2 db3
  [ "$(sql db3 'SELECT COUNT(*) FROM app.blobs')" = 0 ]
}

@test "A4: the network of the old master fails while it sends a transaction" {
  # Half a transaction in db2's relay log, whose I/O thread sleeps.
  leaves_traces
  slow_network db2 db3
  write_large db1
  wait_for 10 has_half_a_transaction db2
  wait_for 10 has_half_a_transaction db3
  in_host db1 ip link set eth0 down
  fast_network db2 db3

  moves_in_the_end db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A5: the old master is frozen" {
  freeze db1

  moves_in_the_end db3 db2

  open_writes db2
  nothing_lost db2 db3
  thaw db1
  write db2
  all_caught_up db2 db1 db3
}

@test "A5: the old master freezes while it is being looked at" {
  hold db2
  write db1
  caught_up db3 db1
  close_writes db1
  # While the new master is closed, the helper would not wait that long for it.
  settings db3 'attach: { patience: 6s }'
  later 1 freeze db1
  later 2 release db2

  moves_in_the_end db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A5: the old master is frozen with a transaction that nobody got; thawed, it has that one alone" {
  write db1 2
  all_caught_up db1 db2 db3
  drop_packets db2 db1
  drop_packets db3 db1
  write db1
  freeze db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A5: packets to and from the old master are dropped" {
  write db1 2
  all_caught_up db1 db2 db3
  drop_packets db1 db2
  drop_packets db1 db3

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A5: the old master refuses connections" {
  write db1 2
  all_caught_up db1 db2 db3
  kill_server db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "the old master lets the agent in no more; nobody can tell whether it takes writes, and the slave stays" {
  set_password db1 "$AGENT_USER" other

  refuses_to_move db3 db2 'ERROR: cannot tell whether db1 still takes writes: *'
}

@test "A7: the new master writes already when the slave comes back; it gets every row since it went" {
  stop_replica_thread db3
  write db1 3
  caught_up db2 db1
  kill_server db1
  open_writes db2
  write db2 3
  sql db2 'FLUSH LOGS'
  write db2 3

  moves db3 db2

  nothing_lost db2 db3
}

@test "A7: the new master writes all the while the slave comes back" {
  stop_replica_thread db3
  write db1 3
  caught_up db2 db1
  kill_server db1
  open_writes db2
  keeps_writing db2

  moves db3 db2

  stops_writing
  nothing_lost db2 db3
}

# None of its logs names what came with the backup.
@test "A7: the new master was made from a backup and writes already; by file and position the late slave gets every row" {
  [[ $MMM_SERVER == mysql-* && $MMM_REPLICATION == gtid ]] || skip 'of MySQL with GTIDs, which keeps both modes apart'
  leaves_traces
  made_from_backup db2
  by_file_and_position db3 db1
  write db1 3
  all_caught_up db1 db2 db3
  kill_server db1
  open_writes db2
  write db2 3

  move db3 db2
  expect_agent_read 0 OK
  replicates db3 db2 file

  write db2 3
  caught_up db3 db2
  same_rows db2 db3
}

@test "A7: the new master has deleted the logs that a late slave needs; it stays" {
  stop_replica_thread db3
  write db1 3
  caught_up db2 db1
  kill_server db1
  write db2
  wait_for 20 keeps_one_log db2

  move db3 db2

  expect_agent_read 255 "$(unproved db2 "ERROR: db2 has purged the binary log that holds $(gtid_of)*")"
  [ "$(replica_field db3 Master_Host)" = "$(host_ip db1)" ]
}

# The server does not delete a log while it sends that log to a replica.
keeps_one_log() {
  write "$1"
  sql "$1" 'FLUSH LOGS'
  sql "$1" "PURGE BINARY LOGS TO '$(binlog_end "$1" | cut -d' ' -f1)'"
  (($(sql "$1" 'SHOW BINARY LOGS' | wc -l) == 1))
}

# gets_all_of_the_slave — db2, once it has noticed that db1, which it could not reach, is dead; and db3 follows.
gets_all_of_the_slave() {
  pass_packets db1
  wait_for 10 has_lost db2
  agent_call db2 sync_with_master
  expect_agent_read 0 OK
  moves db3 db2
  open_writes db2
  nothing_lost db2 db3
}

@test "A9: the slave has executed what the new master never got; it stays, and was not even stopped, until that has it" {
  drop_packets db1 db2
  write db1 2
  caught_up db3 db1
  kill_server db1

  refuses_to_move db3 db2 'ERROR: db3 has *, db2 *; db2 takes over what only db3 has before it opens*'

  gets_all_of_the_slave
}

@test "A9: the same, and the new master has written since" {
  drop_packets db1 db2
  write db1 2
  caught_up db3 db1
  kill_server db1
  open_writes db2
  write db2 3

  refuses_to_move db3 db2 "$(unproved db2 'ERROR: db3 *')"
}

@test "A10: the slave has received, not yet applied, what the new master never got; that opens without it, and the slave applies no further" {
  delay db3 600
  drop_packets db1 db2
  write db1 2
  fetched_all db3 db1
  kill_server db1

  move db3 db2
  expect_agent_read 255 'ERROR: *db2 takes over what only db3 has*'
  open_writes db2
  moves db3 db2

  [ "$(replica_field db3 SQL_Delay)" = 600 ]
  delay db3 0
  nothing_lost db2 db3
}

@test "A10: the slave has received, not yet applied, what a new master without a channel lacks; that has to open first" {
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  stop_replica_thread db3 SQL_THREAD
  write db1 2
  fetched_all db3 db1
  kill_server db1

  refuses_to_move db3 db2 'ERROR: db3 has fetched *, db2 does not replicate from db1, and cannot take the rest over; a move would throw it away. Try again when db2 is open*'

  open_writes db2
  moves db3 db2

  nothing_lost db2 db3
}

@test "A10: the slave has received, not yet applied, what a new master without a channel has, too: it is moved at once" {
  only_on gtids 'nothing shows it'
  [[ $MMM_REPLICATION == gtid ]] || skip 'by file and position, what was only fetched has no GTID that is shown'
  stop_replica_thread db3 SQL_THREAD
  write db1 2
  fetched_all db3 db1
  caught_up db2 db1
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  kill_server db1

  moves db3 db2

  nothing_lost db2 db3
}

# is_told_the_cure — db3, whose threads are stopped, by turn_on_slave: $cure.
is_told_the_cure() {
  agent_call db3 turn_on_slave
  expect_agent_read 255 'ERROR: *Apply it first: CHANGE MASTER TO *' || return 1
  cure=${answer#*Apply it first: }
}

# From its CHANGE MASTER on, the server shows all that it has fetched as applied.
@test "A10: the slave applies what it has received as turn_on_slave's refusal says; it is moved when all is applied" {
  only_on MariaDB 'others keep their relay log'
  [[ $MMM_REPLICATION == gtid ]] || skip 'by file and position, a start keeps the relay log'
  leaves_traces
  stop_replica_thread db3 SQL_THREAD
  write db1 3
  fetched_all db3 db1
  caught_up db2 db1
  sql db3 'STOP SLAVE'
  kill_server db1
  is_told_the_cure
  open_writes db2
  hold db3

  sql db3 "${cure%%; when*}"
  move db3 db2
  expect_agent_read 255 'ERROR: *db3 still applies what it fetched from db1 *'

  release db3
  MMM_REPLICATION='file' moves_behind_backlog db3 db2
  nothing_lost db2 db3
}

# told_where_to_begin — only db3 has the last rows of db1, which is dead. The first statement of what turn_on_slave says
# was carried out on it, and the second was not.
told_where_to_begin() {
  only_on MariaDB 'others keep their relay log'
  [[ $MMM_REPLICATION == gtid ]] || skip 'by file and position, a start keeps the relay log'
  leaves_traces
  stop_replica_thread db3 SQL_THREAD
  drop_packets db1 db2
  write db1 2
  fetched_all db3 db1
  kill_server db1
  sql db3 'STOP SLAVE'
  is_told_the_cure
  sql db3 "${cure%%; START*}"
}

@test "A10: somebody has told the slave where its relay log begins, and not started it; the new master takes over what only that has" {
  told_where_to_begin

  move db3 db2
  expect_agent_read 255 'ERROR: db3 has *; db2 takes over what only db3 has before it opens*'

  MMM_REPLICATION='file' gets_all_of_the_slave
}

@test "A10: the same, and the new master has no channel; the slave stays until that is open" {
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  told_where_to_begin

  move db3 db2
  expect_agent_read 255 'ERROR: db3 has fetched *, db2 does not replicate from db1, and cannot take the rest over; *'

  # The second statement.
  sql db3 'START SLAVE SQL_THREAD'
  wait_for 5 eval '(($(sql db3 "SELECT COUNT(*) FROM app.heap") == $(sql db2 "SELECT COUNT(*) FROM app.heap") + 2))'
}

@test "A10: the slave was stopped when it had received more than the new master" {
  stop_replica_thread db3 SQL_THREAD
  drop_packets db1 db2
  write db1 2
  fetched_all db3 db1
  kill_server db1

  open_writes db2
  moves db3 db2

  nothing_lost db2 db3
}

@test "A10: the slave is applying what both have when it has received more" {
  hold db3
  write db1 3
  caught_up db2 db1
  drop_packets db1 db2
  write db1 2
  fetched_all db3 db1
  kill_server db1
  later 1 release db3

  open_writes db2
  moves db3 db2

  nothing_lost db2 db3
}

@test "A10: the slave has received more, and the new master still applies what both have; that opens with all of it" {
  hold db2
  write db1 2
  caught_up db3 db1
  fetched_all db2 db1
  drop_packets db1 db2
  write db1 2
  caught_up db3 db1
  kill_server db1

  move db3 db2
  expect_agent_read 255 'ERROR: *'
  agent_call db2 sync_with_master
  expect_agent_read 255 'ERROR: what was fetched *'
  release db2
  agent_call db2 sync_with_master
  expect_agent_read 0 OK
  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

# has_read_all HOST — its SQL thread has handed out all that was fetched; parallel appliers may still work on it.
has_read_all() { [[ $(replica_field "$1" Slave_SQL_Running_State) == *'has read all relay log'* ]]; }

# applies_the_last HOST — its appliers have the last of db1's transactions in hand, which db3 has executed; db1 dies.
applies_the_last() {
  call_limit db3 2
  hold "$1"
  write db1
  caught_up db3 db1
  fetched_all "$1" db1
  wait_for 5 has_read_all "$1"
  kill_server db1
}

@test "A20: the new master still applies in parallel what it has fetched; the slave is not called ahead, and is moved later" {
  [[ $MMM_SERVER != mysql-5.6 ]] || has_gtids || skip 'it logs in any order what it applies in parallel'
  leaves_traces
  stop_replica_thread db2
  apply_in_parallel db2
  start_replica_thread db2
  applies_the_last db2

  move db3 db2
  expect_agent_read 255 "$(unproved db2 "ERROR: db3 has executed $(gtid_of db1), db2 only up to $(gtid_of db1)")"
  release db2
  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A20: the server of the new master watches no threads (performance_schema=OFF); who is at work is not taken for idle" {
  [[ $MMM_SERVER == mysql-9 ]] || skip 'its appliers are not seen that way'
  leaves_traces
  restart_server db2 --performance-schema=OFF
  applies_the_last db2

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: what was fetched *'
  is_read_only db2
  move db3 db2
  expect_agent_read 255 "$(unproved db2 "ERROR: db3 has executed $(gtid_of db1), db2 only up to $(gtid_of db1)")"
  release db2
  moves db3 db2

  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK
  nothing_lost db2 db3
}

@test "A20: the agent may not read performance_schema; half a transaction is given up, and slave and writer move" {
  [[ $MMM_SERVER == mysql-9 ]] || skip 'nothing is read there'
  leaves_traces
  local host
  for host in db2 db3; do
    sql "$host" 'SET sql_log_bin = 0' "REVOKE SELECT ON performance_schema.* FROM '$AGENT_USER'@'$NETWORK.%'"
  done
  slow_network db2 db3
  write_large db1
  dies_while_sending db2 db3
  wait_for 10 has_lost db3

  moves db3 db2

  journal_says db3 'lacks SELECT on db3'
  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK
  nothing_lost db2 db3
  [ "$(sql db3 'SELECT COUNT(*) FROM app.blobs')" = 0 ]
}

@test "A20: the new master has committed out of order, beyond the place that it tells; the slave loses nothing" {
  [[ $MMM_SERVER == mysql-9 && $MMM_REPLICATION == file ]] || skip 'elsewhere the order is kept, or GTIDs show the position'
  leaves_traces
  call_limit db3 2
  in_any_order db2
  # Until one has been applied, its appliers work one after the other.
  write db1
  all_caught_up db1 db2 db3
  # Nothing that it has written itself is in its log any more.
  sql db2 'FLUSH LOGS'
  caught_up db1 db2
  sql db2 "PURGE BINARY LOGS TO '$(binlog_end db2 | cut -d" " -f1)'"
  stop_replica_thread db3
  sql db2 'BEGIN' 'SELECT id FROM app.entries WHERE id = 1 FOR UPDATE' 'DO SLEEP(50)' >/dev/null 2>&1 3>&- 4>&- &
  wait_for 5 holding db2
  sql db1 "UPDATE app.entries SET note = 'late' WHERE id = 1" "INSERT INTO app.entries (note) VALUES ('early')"
  wait_for 5 has_note db2 early
  wait_for 5 has_read_all db2
  kill_server db1

  move db3 db2
  expect_agent_read 255 "$(unproved db2)"
  release db2

  wait_for 5 has_note db2 late
  move db3 db2
  expect_agent_read 255 "$(unproved db2)"
}

@test "B3: the new master commits in any order, and the slave is at the same position of the dead master's log; it is moved" {
  [[ $MMM_SERVER == mysql-* && $MMM_REPLICATION == file ]] || skip 'elsewhere the order is kept, or GTIDs show the position'
  leaves_traces
  in_any_order db2
  # Nothing that it has written itself is in its log any more.
  sql db2 'FLUSH LOGS'
  caught_up db1 db2
  sql db2 "PURGE BINARY LOGS TO '$(binlog_end db2 | cut -d" " -f1)'"
  write db1 20
  all_caught_up db1 db2 db3
  kill_server db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A30: the only slave that acknowledged a transaction is not the new master, which takes it over" {
  leaves_traces
  only_on semi_sync 'there is no plugin for it'
  semi_sync db1 5000 db3
  stop_replica_thread db3
  start_replica_thread db3
  wait_for 5 eval '[[ $(semi_sync_status db1 clients) == 1 ]]'
  drop_packets db1 db2
  write db1 2
  [ "$(semi_sync_status db1 yes_tx)" = 2 ]
  caught_up db3 db1
  kill_server db1

  gets_all_of_the_slave
}

@test "A16: the slave is a copy of the old master with a younger log of its own; the order of the new master's log tells what it has" {
  only_on MariaDB 'elsewhere sets show what a copy has'
  begins_new_log db3
  write db1 2
  all_caught_up db1 db2 db3
  kill_server db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A16: the new master has an early row, and the log of such a copy is too young to show that; it stays" {
  only_on MariaDB 'elsewhere sets show what a copy has'
  writes_early
  begins_new_log db3
  write db1 2
  all_caught_up db1 db2 db3
  kill_server db1

  refuses_to_move db3 db2 "ERROR: db2 logged $(gtid_of db1) after a later number of the same domain*"
}

@test "A16: the end of the slave's own log is missing, as after a power loss; the order of the new master's log tells what it has" {
  only_on MariaDB 'elsewhere sets show what a slave has'
  only_on bare 'by GTID, this server needs log_slave_updates'
  logs_nothing db3 write db1 2
  caught_up db2 db1
  kill_server db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A28: the old master died with a temporary table open, of which the slave has executed all that there is" {
  opens_temporary_table
  all_caught_up db1 db2 db3
  kill_server db1
  exec {session}>&-

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A28: the same, and the new master has more statements for that table than the slave; it stays" {
  call_limit db3 2
  opens_temporary_table
  stop_replica_thread db3
  echo 'INSERT INTO app.heap SELECT a, 1 FROM app.scratch;' >&"$session"
  wait_for 5 eval '[[ $(sql db2 "SELECT origin FROM app.heap") == *1* ]]'
  caught_up db2 db1
  kill_server db1
  exec {session}>&-

  refuses_to_move db3 db2 'ERROR: db3 has 1 replicated temporary tables open*'
  leaves_traces
}

@test "A7: each master has a GTID domain of its own; the late slave gets all of the new master's" {
  only_on MariaDB 'no other server has domains'
  leaves_traces
  sql db1 'SET GLOBAL gtid_domain_id = 1'
  sql db2 'SET GLOBAL gtid_domain_id = 2'
  write db1 2
  all_caught_up db1 db2 db3
  kill_server db1
  open_writes db2
  write db2 2
  sql db2 'FLUSH LOGS'
  write db2 2

  moves db3 db2

  nothing_lost db2 db3
}

@test "A7: each master has a GTID domain of its own, and the new master was rebuilt; the slave's last group of its domain is older than its log" {
  only_on MariaDB 'no other server has domains'
  leaves_traces
  sql db1 'SET GLOBAL gtid_domain_id = 1'
  sql db2 'SET GLOBAL gtid_domain_id = 2'
  write db1 2
  write db2 2
  caught_up db1 db2
  all_caught_up db1 db2 db3
  is_rebuilt db2
  write db1 2
  all_caught_up db1 db2 db3
  kill_server db1
  if [[ $MMM_REPLICATION == file ]]; then
    open_writes db2
    write db2 2
  fi

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A7: the new master was rebuilt while nothing was written; the slave stands where its log begins" {
  only_on MariaDB 'elsewhere sets show what is older than a log'
  leaves_traces
  is_rebuilt db2
  kill_server db1

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A7: the new master's log was begun anew behind what the slave lacks; it stays" {
  only_on MariaDB 'elsewhere sets show what is older than a log'
  leaves_traces
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  is_rebuilt db2
  kill_server db1

  refuses_to_move db3 db2 "ERROR: the binary log of db2 lacks $(sql db3 'SELECT @@gtid_slave_pos')*"
  open_writes db2
  write db2
  refuses_to_move db3 db2 "ERROR: *$(sql db3 'SELECT @@gtid_slave_pos')*"
}

@test "the new master executed what it did not log, last of all; a slave that lacks it stays" {
  only_on gtids 'without numbers, none is missed'
  only_on bare 'by GTID, this server needs log_slave_updates'
  local lacks
  lacks="ERROR: the binary log of db2 lacks $(gtid_of db1)*"
  [[ $FAMILY == MariaDB ]] || lacks="ERROR: db2 has purged the binary log that holds $(gtid_of db1)*"
  call_limit db3 2
  stop_replica_thread db3
  logs_nothing db2 write db1 2
  kill_server db1

  refuses_to_move db3 db2 "$lacks"

  open_writes db2
  write db2
  refuses_to_move db3 db2 "$lacks"
}

# writes_much HOST MEGABYTES — in transactions of one.
writes_much() {
  local number
  for ((number = 0; number < $2; number++)); do
    sql "$1" 'SET SESSION binlog_format = ROW' "INSERT INTO app.blobs (body) SELECT REPEAT('x', 131072) FROM $(numbers 8)"
  done
}

@test "A7: both masters have written much before and behind the place of the slave; the new master's server finds it" {
  only_on MariaDB 'elsewhere GTIDs are sets'
  writes_much db1 3
  caught_up db2 db1
  write db2
  caught_up db1 db2
  writes_much db1 3
  all_caught_up db1 db2 db3
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  kill_server db1
  open_writes db2
  writes_much db2 2

  moves db3 db2

  nothing_lost db2 db3
  [[ $(journal db3) == *'found '*'in the log of db2'* && $(journal db3) != *'the log is read to find'* ]]
}

@test "A16: the new master has an early row in a log of which its server finds the place; the slave stays" {
  only_on MariaDB 'elsewhere sets show what the slave lacks'
  writes_much db1 3
  all_caught_up db1 db2 db3
  writes_early
  writes_much db1 3
  all_caught_up db1 db2 db3
  kill_server db1

  refuses_to_move db3 db2 "ERROR: db3 lacks $(gtid_of db2)*"
}

@test "the new master's log is encrypted: what has to be read of it is read at the right places" {
  only_on MariaDB 'elsewhere no log is read by GTID'
  local keys
  keys=$(host_dir db2)/keys
  printf '1;%s\n' "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$keys"
  restart_server db2 --plugin-load-add=file_key_management --file-key-management-filename="$keys" --encrypt-binlog
  leaves_traces
  # The server cannot find a position of two domains in one step.
  sql db1 'SET GLOBAL gtid_domain_id = 1'
  write db1 60
  all_caught_up db1 db2 db3
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  kill_server db1
  open_writes db2
  write db2 3

  moves db3 db2
  local at size
  at=$(journal db3 | grep -oE 'MASTER_LOG_POS=[0-9]+' | tail -n 1)
  size=$(sql db2 'SHOW BINARY LOGS' | awk 'END { print $2 }')
  [[ ! $at ]] || ((${at#*=} <= size))

  nothing_lost db2 db3
}

# reads_to_find — the server cannot find the position of db3 in the log of db2 by itself: the log has to be read.
reads_to_find() {
  if [[ $FAMILY == MariaDB ]]; then
    # A position of two domains.
    sql db1 'SET GLOBAL gtid_domain_id = 1'
  elif has_gtids; then
    # Neither the end of a log nor a set that the servers compare needs a search.
    by_file_and_position db3 db1
  fi
}

# is_told_late — db1 is dead, db2 writes, and db3 lacks something of db1; its calls have 2 s.
is_told_late() {
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  kill_server db1
  open_writes db2
  call_limit db3 2
}

@test "a search that a call could not finish goes on at the next call, and begins anew where the log is another by then" {
  leaves_traces
  reads_to_find
  write db1 60
  writes_much db1 4
  all_caught_up db1 db2 db3
  is_told_late
  slow_network db3
  refuses_to_move db3 db2 'ERROR: *in the log of db2 *'
  [[ $(journal db3) == *'the next call continues at '* ]]

  # As if the file had been begun in another second; then as if another transaction lay where the last one was read.
  local call sign anew=0
  for sign in begun last; do
    in_host db3 bash -c "sed -Ei 's/\t$sign=[0-9]/\t$sign=/' /var/lib/mysql-mmm/mysql-mmm-search-db2-*"
    move db3 db2
    [[ $(journal db3 | grep -c 'another log by now: it is searched from its beginning') == $((++anew)) ]]
  done

  write db2
  sql db2 'FLUSH LOGS'
  for call in {1..8}; do
    write db2
    move db3 db2
    if [[ $code == 0 ]]; then break; fi
  done

  expect_agent_read 0 OK
  fast_network db3
  [[ $(journal db3) == *'the search continues at '* ]]
  in_host db3 bash -c '! ls /var/lib/mysql-mmm/*-search-*'
  nothing_lost db2 db3
}

@test "what the slave's own log has to tell is read on by the next call, too" {
  [[ $FAMILY == MySQL && $MMM_REPLICATION == file ]] || skip 'by GTID, its log is not read'
  leaves_traces
  # So that the slave has to look for it in its log, it lies before what is compared.
  write db2 2
  all_caught_up db2 db1
  writes_much db1 3
  local call
  for call in {1..11}; do write db1 100; done
  all_caught_up db1 db2 db3
  is_told_late
  # Its address is on this interface for itself.
  in_host db3 ip link set lo mtu 1500
  in_host db3 tc qdisc add dev lo root tbf rate 16mbit burst 64k latency 2s

  for call in {1..12}; do
    move db3 db2
    if [[ $code == 0 ]]; then break; fi
  done

  in_host db3 tc qdisc del dev lo root
  in_host db3 ip link set lo mtu 65536
  expect_agent_read 0 OK
  [[ $(journal db3) == *'db3 is read on at '* && $(journal db3) == *'the search continues at '* ]]
  in_host db3 bash -c '! ls /var/lib/mysql-mmm/*-search-*'
  nothing_lost db2 db3
}

# Its master has no GTIDs; these hosts give theirs to what comes from there.
@test "A36: slave and new master give GTIDs of their own to what comes without one; nothing is doubled" {
  gives_gtids_of_its_own db2 db3
  ends_writing

  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A36: the same, and the old master is dead and the new one writes" {
  gives_gtids_of_its_own db2 db3
  kill_server db1
  open_writes db2
  write db2 2

  moves db3 db2

  nothing_lost db2 db3
}

@test "A36: the same, and only the slave has got the last rows; the new master takes them over before it opens" {
  gives_gtids_of_its_own db2 db3
  dies_ahead 2

  refuses_to_move db3 db2 'ERROR: db3 has *, db2 *; db2 takes over what only db3 has before it opens*'

  gets_all_of_the_slave
}

@test "A36: the same, and the new master was open meanwhile; nothing older comes among what it wrote" {
  gives_gtids_of_its_own db2 db3
  dies_ahead 2
  freeze db3
  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK
  write db2
  thaw db3
  close_writes db2
  local before
  before=$(sql db2 'SELECT COUNT(*) FROM app.heap')

  agent_call db2 mysql_allow_write

  expect_agent_read 0 'OK: db2 continues without *db3*taken writes since*'
  [ "$(sql db2 'SELECT COUNT(*) FROM app.heap')" = "$before" ]
}

# gives_gtids_of_its_own HOST… — each logs from now on what db1 writes under its own uuid, and has no older log.
gives_gtids_of_its_own() {
  [[ $MMM_SERVER == mysql-9 && $MMM_REPLICATION == file ]] || skip 'no other server does that'
  leaves_traces
  local host file
  sql db1 'SET GLOBAL gtid_mode = OFF_PERMISSIVE'
  for host in "$@"; do
    sql "$host" 'STOP SLAVE' 'SET GLOBAL enforce_gtid_consistency = ON' 'SET GLOBAL gtid_mode = OFF_PERMISSIVE' \
      'SET GLOBAL gtid_mode = ON_PERMISSIVE' 'SET GLOBAL gtid_mode = ON' \
      'CHANGE MASTER TO ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS = LOCAL' 'START SLAVE'
    wait_for 5 threads_run "$host"
    # Who still reads a file keeps it.
    caught_up db1 db2
    read -r file _ <<<"$(binlog_end "$host")"
    sql "$host" "PURGE BINARY LOGS TO '$file'"
  done
  # Into a table without a key, where a row that comes twice is no error.
  for _ in 1 2 3; do sql db1 "INSERT INTO app.heap VALUES ('db1', UUID())"; done
  all_caught_up db1 "$@"
  for host in "$@"; do
    [[ $(sql "$host" 'SELECT @@GLOBAL.gtid_executed') == "$(sql "$host" 'SELECT @@server_uuid')":1-3 ]]
  done
}
