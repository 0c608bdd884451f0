#!/usr/bin/env bats
# Orders at the gate: db1 was the writer, db2 is told to sync and to take writes. Named by the rows of
# docs/ORDERS.md; the suites of sync_with_master and mysql_allow_write have the rest.

load ../lib/cluster
load ../lib/failover
load ../lib/clients
load ../lib/survivors

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

# stays_closed PATTERN — what both helpers say; db2 takes no writes.
stays_closed() {
  local helper
  for helper in sync_with_master mysql_allow_write; do
    agent_call db2 "$helper"
    expect_agent_read 255 "ERROR: $1" || return 1
  done
  is_read_only db2
}

# opens — it syncs, then takes writes, and has all rows of db1 if that lives.
opens() {
  agent_call db2 sync_with_master
  expect_agent_read 0 OK || return 1
  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK || return 1
  [ "$(sql db2 'SELECT @@read_only')" = 0 ]
}

@test "A1: the new writer still applies; writes open when it is done, not before" {
  call_limit db2 2
  hold db2
  write db1 3
  close_writes db1
  fetched_all db2 db1

  stays_closed "$(missing 3) from db1 not yet applied (binlog.* of *"

  later 0.5 release db2
  opens
  same_rows db1 db2
}

@test "A1: the whole role moves while the new writer lags: the slave does not keep it closed, and no row is lost" {
  hold db2
  write db1 3
  caught_up db3 db1
  close_writes db1
  later 1 release db2

  move db3 db2
  expect_agent_read 255 'ERROR: *'
  opens
  moves db3 db2

  nothing_lost db2 db1 db3
}

# overtaken [first] — on db2, a transaction of one domain waits for 5 s, and a later one of another domain is applied;
# `first`: db2 has nothing of that one domain yet.
overtaken() {
  local count
  leaves_traces
  sql db2 'STOP SLAVE' 'SET GLOBAL slave_parallel_threads = 4' 'START SLAVE'
  [[ ${1:-} ]] || sql db1 'SET SESSION gtid_domain_id = 7' "INSERT INTO app.heap VALUES ('db1', 'first')"
  all_caught_up db1 db2 db3
  later 0 sql db2 'LOCK TABLES app.heap WRITE' 'DO SLEEP(5)'
  wait_for 5 executes db2 'DO SLEEP(5)'
  sql db1 'SET SESSION gtid_domain_id = 7' "INSERT INTO app.heap VALUES ('db1', 'second')"
  sql db1 "INSERT INTO app.entries (origin) VALUES ('db1')"
  count=$(sql db1 'SELECT COUNT(*) FROM app.entries')
  wait_for 5 eval '[ "$(sql db2 "SELECT COUNT(*) FROM app.entries")" = '"$count ]"
}

@test "A20: a later transaction of another domain is applied, an older one is not; writes stay closed until it is" {
  [[ $FAMILY == MariaDB && $MMM_REPLICATION == gtid ]] || skip 'domains are applied out of order by MariaDB, by GTID'
  overtaken
  close_writes db1

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *not yet applied*'

  opens
  same_rows db1 db2
}

@test "A20: the same, and the older one is the first of its domain; writes stay closed until it is applied" {
  [[ $FAMILY == MariaDB && $MMM_REPLICATION == gtid ]] || skip 'domains are applied out of order by MariaDB, by GTID'
  overtaken first
  close_writes db1

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *not yet applied*'

  opens
  same_rows db1 db2
}

@test "A20: the same, and the old writer dies; writes stay closed until the older one is applied" {
  [[ $FAMILY == MariaDB && $MMM_REPLICATION == gtid ]] || skip 'domains are applied out of order by MariaDB, by GTID'
  overtaken
  kill_server db1
  wait_for 5 has_lost db2

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *not yet applied*'

  opens
  [ "$(sql db2 "SELECT COUNT(*) FROM app.heap WHERE note = 'second'")" = 1 ]
}

@test "A2: the SQL thread of the new writer was stopped with a full relay log; it is started first" {
  stop_replica_thread db2 SQL_THREAD
  write db1 3
  close_writes db1
  fetched_all db2 db1

  opens

  same_rows db1 db2
}

# GTID_ONLY: after its start, the server shows no position, neither of what it has fetched nor of what it has applied.
@test "A35: the new writer keeps no positions, and was restarted with a backlog; writes stay closed until it is applied" {
  [[ $MMM_SERVER == mysql-9 && $MMM_REPLICATION == gtid ]] || skip 'MySQL has GTID_ONLY from 8.0.27 on'
  leaves_traces
  settings db2 $'allow_write: {survivors: off}\nlimits: {call: 3s}'
  sql db2 'STOP SLAVE'
  sql db2 'CHANGE REPLICATION SOURCE TO REQUIRE_ROW_FORMAT = 1, GTID_ONLY = 1'
  sql db2 'START SLAVE'
  wait_for 5 runs_from db2 db1
  stop_replica_thread db2 SQL_THREAD
  write db1 3
  wait_for 5 fetched_all db2 db1
  kill_server db1
  stop_server db2
  start_server db2 --skip-replica-start
  hold db2

  stays_closed '*not yet applied*'

  release db2
  opens
  has_rows_of db1 7
}
has_rows_of() { [[ $(sql db2 "SELECT COUNT(*) FROM app.heap WHERE origin = '$1'") == "$2" ]]; }

@test "A2: applying has failed on the new writer; writes stay closed" {
  call_limit db2 2
  fail_applier db2 db1
  close_writes db1

  stays_closed '*error 1062*'
}

@test "A4: the old writer dies while it sends a transaction; what is complete is applied, and writes open" {
  settings db2 'allow_write: {survivors: off}'
  slow_network db2
  write db1 2
  write_large db1
  dies_while_sending db2

  opens

  caught_up db3 db1 2>/dev/null || true
  write db2
  [ "$(sql db2 'SELECT COUNT(*) FROM app.blobs')" = 0 ]
  [ "$(sql db2 'SELECT COUNT(*) FROM app.heap')" = 9 ]
}

@test "A4: the old writer dies while it sends a transaction, and the new one applies in parallel; writes open at once" {
  leaves_traces
  settings db2 'allow_write: {survivors: off}'
  stop_replica_thread db2
  apply_in_parallel db2
  start_replica_thread db2
  # Until one has been applied, its appliers work one after the other.
  write db1
  caught_up db2 db1
  slow_network db2
  write_large db1
  dies_while_sending db2

  opens
  ((${milliseconds%.*} < 6000))

  write db2
  [ "$(sql db2 'SELECT COUNT(*) FROM app.blobs')" = 0 ]
}

@test "A4: half a transaction cannot be given up for want of a right; the I/O thread is started again" {
  [[ $MMM_SERVER == mysql-9 ]] || skip 'other servers need no right for that'
  leaves_traces
  settings db2 'allow_write: {survivors: off}'
  slow_network db2
  write_large db1
  dies_while_sending db2
  sql db2 'SET sql_log_bin = 0' "REVOKE CONNECTION_ADMIN ON *.* FROM '$AGENT_USER'@'$NETWORK.%'"

  agent_call db2 sync_with_master
  expect_agent_read 255 'ERROR: *'

  [ "$(replica_field db2 Slave_IO_Running)" != No ]
}

# A transaction that never ends would lock those rows against clients for ever.
@test "A4: the old writer dies while it sends a change of rows; clients may change these rows at once" {
  settings db2 'allow_write: {survivors: off}'
  write_large db1
  caught_up db2 db1
  slow_network db2
  sql db1 'SET SESSION binlog_format = ROW' "UPDATE app.blobs SET body = REPEAT('z', 131072)"
  dies_while_sending db2

  opens

  sql db2 'SET SESSION innodb_lock_wait_timeout = 1' "UPDATE app.blobs SET body = 'new'"
  [ "$(sql db2 "SELECT COUNT(*) FROM app.blobs WHERE body = 'new'")" = 256 ]
  [ "$(replication_mode db2)" = "$MMM_REPLICATION" ]

  start_server db1
  reconnects_to db1
  wait_for 20 eval '[ "$(threads db2)" = "Yes Yes" ]'
}

# imports HOST — HOST gets what a server outside of the cluster writes all the time, and logs it.
imports() {
  local other=db1
  leaves_traces
  if [[ $1 == db1 ]]; then other=db2; fi
  # What comes back to HOST by way of the other master, it has already. MySQL sees that by GTID itself.
  by_sets || ignores_server_id "$1" "$other" 90
  archive_channel "$1"
  sql client 'CREATE DATABASE archive' 'CREATE TABLE archive.notes (id BIGINT AUTO_INCREMENT PRIMARY KEY)'
  keeps_saying client 'INSERT INTO archive.notes VALUES (); DO SLEEP(0.002)'
  wait_for 5 has_some db1 archive.notes
  wait_for 5 has_some db2 archive.notes
}
has_some() { [[ $(sql "$1" "SELECT 1 FROM $2 LIMIT 1") ]]; }

# keeps_saying HOST STATEMENT… — in the background, again and again.
keeps_saying() {
  "${CLIENT[@]}" --socket="$(host_dir "$1")/mysqld.sock" --user=root < <(yes "${*:2};" 3>&- 4>&-) \
    >/dev/null 2>&1 3>&- 4>&- &
  in_background+=("$!")
}

# ignores_server_id HOST SOURCE ID — HOST's channel from SOURCE.
ignores_server_id() {
  local mode=''
  if is_able domains && [[ $MMM_REPLICATION == gtid ]]; then mode=', MASTER_USE_GTID = slave_pos'; fi
  sql "$1" 'STOP SLAVE' "CHANGE MASTER TO IGNORE_SERVER_IDS = ($3)$mode" 'START SLAVE'
  wait_for 5 runs_from "$1" "$2"
}

@test "A34: the old writer imports from a server outside, without an end; the role moves all the same" {
  imports db1
  write db1 3
  close_writes db1

  opens

  [ "$(sql db2 "SELECT COUNT(*) FROM app.heap WHERE origin = 'db1'")" = "$(sql db1 "SELECT COUNT(*) FROM app.heap WHERE origin = 'db1'")" ]
}

@test "A34: the new writer imports likewise; the role moves all the same" {
  imports db2
  write db1 3
  close_writes db1

  opens
}

@test "A34: the old writer imports, and somebody writes there although it is closed; the sync does not succeed" {
  imports db1
  close_writes db1
  hold db2
  # read_only does not stop root.
  write db1

  later 1 write db1
  later 1.5 release db2
  agent_call db2 sync_with_master

  expect_agent_read 255 'ERROR: new changes from db1 not yet applied *'
}

@test "A26: the old writer's log was reset; writes stay closed" {
  call_limit db2 2
  sql db1 'RESET MASTER'
  close_writes db1

  stays_closed 'the log of db1 ends at *, but db2 has fetched it to *: it was reset or is another server'"'"'s*'
}

# reset_and_long_again — the log of db1, while db2 does not fetch it.
reset_and_long_again() {
  call_limit db2 2
  stop_replica_thread db2
  write db1 2
  sql db1 'RESET MASTER'
  write db1 30
  close_writes db1
}

@test "A26: the old writer's log was reset and is longer again than what was fetched; writes stay closed" {
  reset_and_long_again

  # By file and position alone, it only shows that the log cannot be read at that position.
  stays_closed "$(has_gtids && echo 'the log of db1 *was reset*')*"
}

# The reset shows only because db1 lacks what it once had of db2. While db1 applies, that could still come.
@test "A26: the old writer's log was reset and it still applies; writes stay closed" {
  [[ $MMM_SERVER == mysql-* ]] || skip 'the state of its log knows nothing older of a server that it hears of again'
  reset_and_long_again
  hold db1
  write db2
  fetched_all db1 db2
  (sleep 0.3 && release db1) 3>&- 4>&- &

  stays_closed "$(has_gtids && echo 'the log of db1 *was reset*')*"
}

@test "A26: the old writer crashed and its log was reset before the new one connects again; writes stay closed" {
  call_limit db2 2
  kill_server db1
  wait_for 5 has_lost db2
  start_server db1
  open_writes db1
  write db1
  sql db1 'RESET MASTER'
  close_writes db1

  # What db1 wrote before the reset is on no other host.
  stays_closed 'the log of db1 *reset*'
  stays_closed '*'
}

# By GTID the servers continue by themselves, and nothing is missing. This does not hold for servers that know only from
# their log what they have executed.
@test "A26: the old writer's log has another name now; by file and position writes stay closed" {
  call_limit db2 2
  restart_server db1 --log-bin=other
  open_writes db1
  write db1
  close_writes db1

  if [[ $MMM_REPLICATION == file ]] || ! is_able kept_sets; then
    stays_closed '*'
  else
    wait_for 10 fetches_from_log db2 other
    opens
    same_rows db1 db2
  fi
}
fetches_from_log() { [[ $(replica_field "$1" Master_Log_File) == "$2".* ]]; }

# loses_the_end [LATE] — db1's disk is as it was a moment ago, as a power failure leaves it with sync_binlog=0; the others
# have more: LATE has only fetched it, and no longer applies.
loses_the_end() {
  leaves_traces
  local folder host
  folder=$(host_dir db1)
  sql db1 'FLUSH LOGS'
  write db1 2
  all_caught_up db1 db2 db3
  freeze db1
  cp -a --sparse=always "$folder/data" "$folder/before"
  thaw db1
  if [[ ${1:-} ]]; then stop_replica_thread "$1" SQL_THREAD; fi
  write db1 3
  for host in db2 db3; do
    if [[ $host == "${1:-}" ]]; then fetched_all "$host" db1; else caught_up "$host" db1; fi
  done
  kill_server db1
  wait_for 5 eval '[[ $(threads db2) != Yes* ]]'
  rm -rf "$folder/data"
  mv "$folder/before" "$folder/data"
}

# stays_closed_without_its_end HOST — db1, which is told that HOST has what it lost.
stays_closed_without_its_end() {
  local helper
  for helper in sync_with_master mysql_allow_write; do
    agent_call db1 "$helper"
    expect_agent_read 255 "ERROR: db1 lost the end of its own log: $1 has *" || return 1
  done
  is_read_only db1
}

@test "A31: the old writer lost the end of its own log, and the others have it; it does not open without these rows" {
  loses_the_end
  opens
  start_server db1
  wait_for 20 eval '[ "$(threads db1)" = "Yes Yes" ]'
  close_writes db2

  stays_closed_without_its_end db2
  [ "$(sql db2 'SELECT COUNT(*) FROM app.heap')" -gt "$(sql db1 'SELECT COUNT(*) FROM app.heap')" ]
}

@test "A31: the same, and the peer has fetched these rows and not applied them; it does not open without them" {
  loses_the_end db2
  start_server db1
  wait_for 20 eval '[ "$(threads db1)" = "Yes Yes" ]'

  stays_closed_without_its_end db2
}

@test "A31: the old writer lost the end of its own log, and has no channel any more; the peer is asked all the same" {
  loses_the_end
  start_server db1
  wait_for 20 eval '[ "$(threads db1)" = "Yes Yes" ]'
  sql db1 'STOP SLAVE' 'RESET SLAVE ALL'

  stays_closed_without_its_end db2
}

# comes_back_without_its_end — db1, as a slave of db2, which is open; db3 follows db2, too.
comes_back_without_its_end() {
  [[ $FAMILY == MariaDB ]] || has_gtids || skip 'without GTIDs, a slave of another host shows nothing of it'
  loses_the_end
  opens || return 1
  moves db3 db2 || return 1
  start_server db1
  wait_for 20 eval '[ "$(threads db1)" = "Yes Yes" ]'
}

# What it lost came to it from db2 under its own server id, and it dropped that. Only the slave still has it.
@test "A31: the same, and the host that it has come back to dies; it does not open without what the slave has" {
  comes_back_without_its_end
  write db2 2
  all_caught_up db2 db1 db3
  kill_server db2
  wait_for 10 has_lost db1

  stays_closed_without_its_end db3
  [ "$(sql db3 'SELECT COUNT(*) FROM app.heap')" -gt "$(sql db1 'SELECT COUNT(*) FROM app.heap')" ]
}

@test "A31: the same, and it has no channel any more; the slave is asked all the same" {
  comes_back_without_its_end
  all_caught_up db2 db1 db3
  sql db1 'STOP SLAVE' 'RESET SLAVE ALL'
  kill_server db2

  stays_closed_without_its_end db3
}

@test "A31: the same, and the slave has a tail of the dead host's, too; nothing of it is waited for" {
  comes_back_without_its_end
  all_caught_up db2 db1 db3
  stop_replica_thread db1 IO_THREAD
  write db2 2
  all_caught_up db2 db3
  kill_server db2
  wait_for 10 has_lost db3

  agent_call db1 sync_with_master
  expect_agent_read 255 'ERROR: db1 lost the end of its own log: db3 has *'
}

@test "A32: the old writer is back without the end of its log; nobody is told to rebuild from it" {
  loses_the_end
  call_limit db2 2
  start_server db1

  if by_sets; then
    stays_closed 'the log of db1 lacks *: do not rebuild it from there; *'
    return
  fi
  # By MariaDB's GTIDs, db2 opens: it lacks nothing. By file and position, db1 no longer has its position.
  local helper
  for helper in sync_with_master mysql_allow_write; do
    agent_call db2 "$helper"
    [[ $answer == OK || ( $answer == 'ERROR: '* && $answer != *'ebuild db2'* ) ]]
  done
}

@test "A27: the new writer replicates from another host than its peer; writes stay closed" {
  local file position
  close_writes db1
  all_caught_up db1 db2 db3
  read -r file position <<<"$(binlog_end db3)"
  sql db2 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '$(host_ip db3)', $(place_in_mode "$file" "$position")" \
    'START SLAVE'

  stays_closed 'db2 does not replicate from its peer db1 but from db3*'
}

# As after a restore, before anybody has named its source.
@test "A33: the new writer has no channel, and the old one takes writes; no second writer opens" {
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'

  stays_closed 'db1 still takes writes*'

  close_writes db1
  opens
}

@test "A33: the new writer has no channel, and the old one refuses the agent; writes stay closed" {
  leaves_traces
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  set_password db1 "$AGENT_USER" other

  stays_closed 'cannot tell what db1 has written: *'
}

@test "A33: the new writer has no channel, and the old one is dead; writes open" {
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  kill_server db1

  opens
}

# lacks_what_a_slave_has — db2, which has no channel and must not lose that; db1 is dead.
lacks_what_a_slave_has() {
  only_on gtids 'without GTIDs, nothing shows what a host without a channel lacks'
  settings db2 'allow_write: {survivors: require}'
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  write db1 2
  caught_up db3 db1
  kill_server db1
}

@test "A33: the new writer has no channel, the old one is dead, and a slave has more; writes open only if that is said" {
  lacks_what_a_slave_has

  stays_closed 'only db3 has 2 transactions of db1, and db2 could not take that over: *'

  settings db2 ''
  agent_call db2 mysql_allow_write
  expect_agent_read 0 'OK: db2 continues without 2 transactions that only db3 has *'
}

@test "A33: the same, and that slave falls silent; writes stay closed all the same" {
  lacks_what_a_slave_has
  stays_closed 'only db3 has 2 transactions of db1, and db2 could not take that over: db2 replicates from nobody*'

  kill_server db3

  stays_closed 'only db3 has 2 transactions of db1, and db2 could not take that over: it has fallen silent*'
}

# Only the position tells whether something came over the first channel.
@test "a slave dies before the new writer has got anything of it, and another channel goes on: the first one goes back at once" {
  [[ $MMM_SERVER == mysql-9 && $MMM_REPLICATION == gtid ]] || skip 'elsewhere no set shows whose a transaction is'
  leaves_traces
  settings db2 'allow_write: {survivors: require}'
  by_file_and_position db2 db1
  archive_channel db2
  dies_ahead 3
  killed_before 'START ' mysql_allow_write
  [[ $(replica_field db2 Master_Host) == "$(host_ip db3)" ]]
  kill_server db3
  sql client 'CREATE DATABASE archive'
  wait_for 5 sql db2 'USE archive'

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: only db3 has *'

  is_read_only db2
  [[ $(replica_field db2 Master_Host) == "$(host_ip db1)" && ! $(left_behind takeover) ]]
}

@test "A33: the new writer has no channel, and the old one is frozen; writes stay closed until it has been so for long" {
  settings db2 'allow_write: {silence: 5s}'
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  freeze db1

  stays_closed 'db1 may be alive although nobody can log in there (*'

  thaw db1
  stays_closed 'db1 still takes writes*'
  close_writes db1
  freeze db1
  local before=$SECONDS
  until
    agent_call db2 mysql_allow_write
    [[ $answer == OK* ]]
  do
    expect_agent_read 255 'ERROR: db1 may be alive *'
    ((SECONDS - before < 20))
    sleep 0.5
  done
  ((SECONDS - before >= 5))
}

@test "A27: what the old writer wrote last cannot be fetched; its place is not taken for reached" {
  leaves_traces
  call_limit db2 2
  stop_replica_thread db2
  write db1 3
  sql db1 'FLUSH LOGS'
  write db1 3
  close_writes db1
  sql db1 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"

  stays_closed '*'
}

alive='db1 is alive although nobody can log in there (*): db2 heard it over its replication connection *'

# Idle, a server sends heartbeats: every 2 s here, and they are overdue after 4 s.
@test "the old writer lives behind a packet filter, its replication connection stands; no second writer opens" {
  call_limit db2 2
  keeps_writing db1
  drop_connections db1 db2

  agent_call db2 mysql_allow_write
  expect_agent_read 255 "ERROR: $alive"
  is_read_only db2

  stops_writing
  pass_packets db1
  reject_packets db1 db2
  sleep 4.2
  stays_closed "$alive"

  pass_packets db1
  close_writes db1
  all_caught_up db1 db2
  opens
}

# A slow log-in does not mean that a master is dead. The I/O thread that the call itself starts shows nothing before it
# has an answer.
@test "replication was stopped on the new writer, and the old one lets nobody in for now; no second writer opens" {
  call_limit db2 3
  stop_replica_thread db2
  # The servers' default.
  sql db2 'SET GLOBAL slave_net_timeout = 60'
  freeze db1

  stays_closed 'db1 may be alive although nobody can log in there *'

  thaw db1
  wait_for 10 eval '[ "$(threads db2)" = "Yes Yes" ]'
  stays_closed 'db1 still takes writes*'
  close_writes db1
  opens
  sql db2 'SET GLOBAL slave_net_timeout = 4'
}

@test "the same, and the configuration has a name for the old writer's address, which its channel has" {
  leaves_traces
  in_host db2 sh -c 'echo 10.77.0.11 master-one.example >>/etc/hosts'
  configure db2 db1 ip master-one.example
  call_limit db2 3
  stop_replica_thread db2
  sql db2 'SET GLOBAL slave_net_timeout = 60'
  freeze db1

  stays_closed 'db1 may be alive although nobody can log in there *'

  names db2 'exit 2'
  stays_closed 'nobody knows whether db2 replicates from a host of the cluster*'
  names_again db2
  thaw db1
  wait_for 10 eval '[ "$(threads db2)" = "Yes Yes" ]'
  close_writes db1
  opens
}

@test "half a transaction of an old writer that lives behind a packet filter is not given up" {
  slow_network db2
  write_large db1
  wait_for 10 has_half_a_transaction db2
  reject_packets db1 db2

  agent_call db2 mysql_allow_write
  expect_agent_read 255 "ERROR: $alive"

  is_read_only db2
  [ "$(threads db2)" = 'Yes Yes' ]
  fast_network db2
  caught_up db2 db1
  same_rows db1 db2
}

@test "sessions are ended on an old writer that lives; a broken connection is no death, and no second writer opens" {
  local round
  leaves_traces
  client_of "$(host_dir db1)" <<STATEMENTS
    DELIMITER //
    CREATE PROCEDURE app.ends_sessions()
    BEGIN
      DECLARE victim BIGINT;
      DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;
      LOOP
        SET victim = (SELECT MAX(id) FROM information_schema.processlist
          WHERE host LIKE '$(host_ip db2):%' AND user <> '$REPLICATION_USER');
        IF victim IS NOT NULL THEN KILL victim; END IF;
      END LOOP;
    END //
STATEMENTS
  { sql db1 'CALL app.ends_sessions()' >/dev/null 2>&1 3>&- 4>&- & }
  in_background+=("$!")

  for round in {1..6}; do
    agent_call db2 mysql_allow_write
    expect_agent_read 255 'ERROR: *db1*'
    is_read_only db2
  done
}

@test "the old master lives behind a packet filter: a slave does not take it for dead, and goes on applying" {
  hold db3
  write db1 2
  close_writes db1
  caught_up db2 db1
  reject_packets db1 db3

  refuses_to_move db3 db2 'ERROR: cannot tell whether db1 still takes writes: *it is alive: db3 heard it over its replication connection *'

  release db3
  pass_packets db1
  moves db3 db2
  nothing_lost db2 db1 db3
}

# comes_back — db1, read-only, after a crash that both slaves have noticed; replicas wait a minute before they try
# again, which is the servers' default.
comes_back() {
  write db1
  kill_server db1
  wait_for 10 has_lost db2
  wait_for 10 has_lost db3
  start_server db1
}

# asks_again HOST HELPER ARGUMENTS… — retries as the agent does, every 3 s, for 10 s.
asks_again() {
  local before=$SECONDS
  while :; do
    agent_call "$@"
    if [[ $answer == OK* ]]; then return 0; fi
    ((SECONDS - before < 8)) || break
    sleep 2
  done
  expect_agent_read 0 OK
}

@test "the old writer crashes and comes back at once: the role comes within 10 s, whatever retry is waited for" {
  comes_back

  asks_again db2 mysql_allow_write

  # By sets, all is proved while the I/O thread still logs in.
  wait_for 5 eval '[ "$(threads db2)" = "Yes Yes" ]'
  write db2
  # A slave, too, gets the end of its old master's log, and moves.
  asks_again db3 set_active_master db2
  replicates db3 db2
  all_caught_up db2 db3
  rows_equal db2 db3
}

@test "the old writer crashes and comes back at once: the sync reaches its end within the call" {
  comes_back

  agent_call db2 sync_with_master
  expect_agent_read 0 OK

  same_rows db1 db2
}

@test "with a retry count of 1 the I/O thread gives up; the role comes all the same when the old writer is back" {
  only_on MySQL 'MariaDB has no retry count for a channel, and never gives up'
  leaves_traces
  sql db2 'STOP SLAVE' 'CHANGE MASTER TO MASTER_RETRY_COUNT = 1, MASTER_CONNECT_RETRY = 1' 'START SLAVE'
  wait_for 5 eval '[ "$(threads db2)" = "Yes Yes" ]'
  comes_back
  wait_for 10 eval '[ "$(threads db2)" = "No Yes" ]'

  asks_again db2 mysql_allow_write

  wait_for 5 eval '[ "$(threads db2)" = "Yes Yes" ]'
}

@test "the old writer's host was reset and is back: a connection that ended unseen is made anew" {
  local port
  [[ $MMM_REPLICATION == gtid ]] || skip 'how replicas keep their position does not matter'
  leaves_traces
  sql db2 'SET GLOBAL slave_net_timeout = 60' 'STOP SLAVE' 'CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 2' 'START SLAVE'
  wait_for 5 replicates db2 db1
  # The old connection's end never reaches db2; new ones do.
  port=$(in_host db2 ss -tnH state established dst "$(host_ip db1)" dport = :3306 | awk '{ sub(/.*:/, "", $3); print $3; exit }')
  in_host db1 iptables -A OUTPUT -p tcp --dport "$port" -j DROP
  kill_server db1
  start_server db1
  write db1
  [ "$(threads db2)" = 'Yes Yes' ]

  asks_again db2 mysql_allow_write

  same_rows db1 db2
}
