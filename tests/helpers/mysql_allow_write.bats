#!/usr/bin/env bats
# mysql_allow_write, the gate of the writer role, on real servers: writes open on db2 only when it has
# everything that its peer db1 has written.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { fresh; }
teardown() { dump_on_failure; unstick; }

# fresh — as after up, with db1's writes ended: the moment before db2 becomes the writer.
fresh() {
  reset_cluster
  sql db1 'SET GLOBAL read_only = 1'
}

opens() {
  run_helper db2 mysql_allow_write
  answers 0 OK && is_writable
}

is_writable() { ! is_read_only db2 && sql_as_app db2 'INSERT INTO app.entries () VALUES ()'; }

# stays_closed PATTERN — what it says; writes are not open.
stays_closed() {
  run_helper db2 mysql_allow_write
  answers 255 "ERROR: $1" && in_time && keeps_secrets && is_read_only db2
}

@test "writes open on a host that has everything of its peer, and applications can write there" {
  sql db1 'SET GLOBAL read_only = 0'
  insert db1
  sql db1 'SET GLOBAL read_only = 1'
  caught_up db2 db1

  opens

  has_rows db2 2
  is_read_only db1
}

@test "a host that takes writes already stays so, whatever its peer does" {
  sql db2 'SET GLOBAL read_only = 0'
  sql db1 'SET GLOBAL read_only = 0'
  opens
  within 1200

  kill_server db1
  sql db2 'STOP SLAVE'
  opens
  within 1200
  [ "$(threads db2)" = 'No No' ]
}

@test "writes stay closed while mysql_deny_write is at work on this host" {
  busy db2 writes
  stays_closed "another helper is closing or opening db2 (connection $(lock_holder db2)); writes stay closed*"
  within 1500
  release db2
  wait_for 5 eval '[[ -z $(lock_holder db2) ]]'
  opens
}

# slow_gate — its peer is dead, and a log-in there takes 1.5 s to fail.
slow_gate() {
  kill_server db1
  wait_for 5 eval '[[ $(replica_field db2 Slave_IO_Running) == Connecting ]]'
  drop_packets db2 db1
}

@test "a mysql_deny_write that begins while the gate asks the peer closes at once, and writes stay closed" {
  slow_gate
  in_host db2 "$MMM_AGENT_DIR/mysql_allow_write" mmm_agent_db2 >"$BATS_TEST_TMPDIR/answer" &
  local call=$!
  wait_for 2 eval '[[ $(sql db2 "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '"'$AGENT_USER'"'") == 1 ]]'
  run_helper db2 mysql_deny_write
  answers 0 OK
  within 1000
  # It may say so either way.
  wait "$call" || true
  [[ $(<"$BATS_TEST_TMPDIR/answer") == 'ERROR: '* ]]
  is_read_only db2
}

@test "a mysql_deny_write that ends while the gate asks the peer was at work when it began: writes stay closed" {
  slow_gate
  busy db2 writes
  { sleep 0.5; release db2; } 3>&- 4>&- &
  stays_closed 'another helper is closing or opening db2 (connection *'
}

# In replication threads, GET_LOCK does nothing; otherwise a helper would end the SQL thread because of the lock.
@test "a replicated statement takes no lock of the helpers" {
  sql db1 'SET GLOBAL read_only = 0' 'SET SESSION binlog_format = STATEMENT' \
    "INSERT INTO app.entries (note) VALUES (CONCAT(@@hostname, GET_LOCK('mmm_agent_helpers.writes', 0)))" 'SET GLOBAL read_only = 1'
  caught_up db2 db1
  [ "$(sql db2 "SELECT note, IS_USED_LOCK('mmm_agent_helpers.writes') FROM app.entries")" = $'db21\tNULL' ]
}

@test "applications that hold the locks of the helpers do not keep writes closed" {
  squat db2 writes
  squat db2 replication
  # It takes that lock, too, to start them.
  sql db2 'STOP SLAVE'
  opens
  in_time
}

@test "writes stay closed while the peer still takes them" {
  sql db1 'SET GLOBAL read_only = 0'
  stays_closed 'db1 still takes writes (read_only is off); writes stay closed; run mysql_deny_write on db1 first, then try again'

  sql db1 'SET GLOBAL read_only = 1'
  opens
}

@test "writes stay closed while rows of the peer are not applied, and the agent is told how many and where" {
  hold db2
  insert db1; insert db1; insert db1
  fetched_all db2 db1
  local applied end
  applied="$(replica_field db2 Relay_Master_Log_File):$(replica_field db2 Exec_Master_Log_Pos)"
  end=$(binlog_end db1)

  stays_closed "$(missing 3) from db1 not yet applied ($applied of ${end#* }); writes stay closed*"
  within 1500
  has_rows db2 0

  release db2
  caught_up db2 db1
  opens
  has_rows db2 4
}

@test "writes stay closed while rows of the peer are not even fetched" {
  set_password db1 "$REPLICATION_USER" other
  sql db2 'STOP SLAVE IO_THREAD'
  insert db1
  stays_closed '*from db1 not yet applied*'
  stays_closed '*from db1 not yet applied*'
  has_rows db2 0
}

@test "writes stay closed where applying has failed, and the agent is told the server's error" {
  fail_applier db2 db1
  stays_closed '*from db1 not yet applied*; writes stay closed (SQL thread: error 1062: *'
  [ "$(threads db2)" = 'Yes No' ]

  kill_server db1
  stays_closed '*from db1 does not run on db2*SQL thread: error 1062: *'
}

@test "threads that somebody had stopped are started, and writes open once they have done their work" {
  sql db2 'STOP SLAVE'
  insert db1
  wait_for 5 opens
  has_rows db2 2
  runs_from db2 db1

  fresh
  sql db2 'STOP SLAVE SQL_THREAD'
  insert db1
  wait_for 5 opens
  has_rows db2 2
}

@test "writes stay closed where the host replicates from another cluster host than its peer" {
  sql db2 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '$(host_ip db3)', $(place_in_mode binlog.000001 4)" 'START SLAVE'
  stays_closed 'db2 does not replicate from its peer db1 but from db3 (10.77.0.13:3306)*'
  [ "$(replica_field db2 Master_Host)" = "$(host_ip db3)" ]
}

@test "writes stay closed where the host replicates from a server outside of the cluster" {
  sql db2 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '10.77.0.99'"
  stays_closed 'Invalid master host in show slave status*10.77.0.99*'

  sql db2 "CHANGE MASTER TO MASTER_HOST = '$(host_ip db1)', MASTER_PORT = 3399"
  stays_closed 'Invalid master host in show slave status*10.77.0.11:3399*'
}

@test "writes open, with a warning in the journal, on a host that replicates from nobody" {
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  opens
  journal_says db2 'WARN  db2 replicates from nobody'
}

@test "a dead peer: writes open when all that was fetched from it is applied, and not before" {
  hold db2
  insert db1; insert db1
  fetched_all db2 db1
  kill_server db1
  stays_closed '*from db1 not yet applied*'
  within 3000
  has_rows db2 0

  release db2
  wait_for 5 opens
  has_rows db2 3
}

@test "a dead peer and a stopped SQL thread: what was fetched is applied all the same" {
  sql db2 'STOP SLAVE SQL_THREAD'
  insert db1; insert db1
  fetched_all db2 db1
  kill_server db1
  wait_for 5 eval '[[ $(replica_field db2 Slave_IO_Running) == Connecting ]]'

  wait_for 5 opens
  has_rows db2 3
}

# The heartbeat comes every 2 s here.
@test "a peer that is frozen or cut off counts as dead once a heartbeat is overdue; no answer waits for that" {
  insert db1
  caught_up db2 db1
  freeze db1
  stays_closed 'db1 is alive although nobody can log in there *: db2 heard it over its replication connection *'
  within 4000
  wait_for 5 opens
  within 4000
  thaw db1

  fresh
  drop_packets db2 db1
  wait_for 5 opens
  within 4000
}

@test "allow_write.silence says after how much silence a peer counts as dead where heartbeats are rare" {
  sql db2 'STOP SLAVE' 'CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 600' 'START SLAVE'
  wait_for 5 runs_from db2 db1
  freeze db1
  stays_closed 'db1 is alive *after 36.0s of silence it counts as dead'
  settings db2 'allow_write: {silence: 1s}'
  opens
}

# As for a server in a container: called on db3, the helper does not see the connections of db2.
@test "where the kernel does not show the connection, the silence on another program's connection is no peer's death" {
  sql db3 'STOP SLAVE'
  sql db1 'SET GLOBAL read_only = 0'
  sql db2 'SET GLOBAL slave_net_timeout = 60' 'STOP SLAVE' 'CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 30' 'START SLAVE'
  wait_for 5 runs_from db2 db1
  settings db3 'allow_write: {silence: 5s}'
  in_host db3 timeout 60 "${CLIENT[@]}" --host="$(host_ip db1)" --port=3306 --user="$APP_USER" \
    --password="$APP_PASSWORD" -e 'DO SLEEP(50)' >/dev/null 2>&1 3>&- 4>&- &
  idle=$!
  sleep 6
  reject_packets db1 db3
  local MMM_CONFIG=mmm_agent_db2

  run_helper db3 mysql_allow_write

  answers 255 'ERROR: db1 is alive although nobody can log in there *'
  is_read_only db2
  kill "$idle"
  in_host db3 rm /var/lib/mysql-mmm/mysql-mmm-silence-db2-10.77.0.11-3306
}

@test "where the kernel does not show the connection, a peer that is gone leaves time to ask other slaves" {
  sql db3 'STOP SLAVE'
  sql db2 'SET GLOBAL slave_net_timeout = 60' 'STOP SLAVE' 'CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 30' 'START SLAVE'
  wait_for 5 runs_from db2 db1
  settings db3 'allow_write: {silence: 5s}'
  freeze db1
  local MMM_CONFIG=mmm_agent_db2
  # One call alone does not prove the silence.
  run_helper db3 sync_with_master
  answers 255 'ERROR: db1 is alive although nobody can log in there *'

  run_helper db3 sync_with_master

  answers 0 OK
  in_host db3 rm /var/lib/mysql-mmm/mysql-mmm-silence-db2-10.77.0.11-3306
}

@test "where the kernel does not show the connection, an idle peer that lets nobody in is not dead after one look" {
  sql db3 'STOP SLAVE'
  sql db1 'SET GLOBAL read_only = 0'
  sql db2 'SET GLOBAL slave_net_timeout = 60' 'STOP SLAVE' 'CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 30' 'START SLAVE'
  wait_for 5 runs_from db2 db1
  reject_packets db1 db3
  settings db3 'allow_write: {silence: 5s}'
  local MMM_CONFIG=mmm_agent_db2

  local alive='ERROR: db1 is alive although nobody can log in there *after 5.0s of silence it counts as dead'
  local note=/var/lib/mysql-mmm/mysql-mmm-silence-db2-10.77.0.11-3306

  # A silence that cannot be noted for the next call proves nothing.
  in_host db3 mkdir -p "$note"
  run_helper db3 mysql_allow_write
  answers 255 "$alive"
  journal_says db3 "$note: "
  in_host db3 rmdir "$note"

  run_helper db3 mysql_allow_write
  answers 255 "$alive"
  is_read_only db2
  [ "$(in_host db3 stat -c '%a %u' "$note")" = '600 0' ]

  # It does not block for ever.
  freeze db1
  run_helper db3 mysql_allow_write
  answers 0 OK

  # An I/O thread that has lost its source ends the silence.
  kill_server db1
  wait_for 5 eval '[[ $(replica_field db2 Slave_IO_Running) == Connecting ]]'
  sql db2 'SET GLOBAL read_only = 1'
  run_helper db3 mysql_allow_write
  answers 0 OK
  run in_host db3 test -e "$note"
  [ "$status" -eq 1 ]
}

@test "a peer that was shut down while something is missing keeps writes closed only as long as it is missing" {
  insert db1
  caught_up db2 db1
  stop_server db1
  opens
  has_rows db2 2
}

@test "a peer that refuses the agent's account is alive: writes stay closed" {
  configure db2 db1 agent_password wrong_secret
  stays_closed 'cannot tell what db1 has written: *Access denied*; writes stay closed*'
  keeps_secrets wrong_secret
}

@test "a peer without a binary log is alive and cannot be compared with: writes stay closed" {
  only_on bare 'by GTID, this server needs a log'
  stop_server db1
  start_server db1 --skip-log-bin
  stays_closed 'cannot tell what db1 has written: it has no binary log; writes stay closed*'
}

@test "writes stay closed where the peer's log was reset since it was fetched" {
  insert db1; insert db1
  caught_up db2 db1
  sql db2 'STOP SLAVE IO_THREAD'
  sql db1 'RESET MASTER'
  stays_closed 'the log of db1 ends at binlog.000001:*, but db2 has fetched it to binlog.000001:*'
}

@test "writes stay closed where the agent's account may not open them" {
  may_not db2 read_only
  stays_closed "$(lacks read_only db2)"
}

@test "writes stay closed on a host whose configuration names no peer" {
  run_helper db3 mysql_allow_write
  answers 255 'ERROR: No peer defined for host db3*'
  is_read_only db3
}

@test "by hand, --force opens all the same and says what was not checked" {
  sql db1 'SET GLOBAL read_only = 0'
  run_bare db2 mysql_allow_write --force --dry-run
  [[ $status == 0 && $line == 'OK: dry run, nothing was changed; '*'db1 takes writes, too: two writers'* ]]
  [[ $output == *'not checked: --force'*'; db1 takes writes, too: two writers'* ]]
  is_read_only db2
  run_helper db2 mysql_allow_write --force
  answers 0 'OK: writes are open; it was not checked*; db1 takes writes, too: two writers; run mysql_deny_write on one of them'
  is_writable
  journal_says db2 '--force'

  fresh
  kill_server db1
  sql db2 'STOP SLAVE'
  run_bare db2 mysql_allow_write --force
  answers 0 'OK: writes are open*applied here'
  is_writable
}

@test "a dry run beside a dead peer answers as the call does, also where the SQL thread is stopped" {
  stop_replica_thread db2 SQL_THREAD
  insert db1
  fetched_all db2 db1
  kill_server db1
  run_bare db2 mysql_allow_write --dry-run
  [[ $status == 0 && $line == 'OK: dry run, nothing was changed' && $output == *'replication would be started'* ]]
  is_read_only db2
  [ "$(replica_field db2 Slave_SQL_Running)" = No ]
  wait_for 5 opens
}

@test "allow_write.gate: false in mmm_helpers.yaml switches the gate off, as the originals had none" {
  sql db1 'SET GLOBAL read_only = 0'
  settings db2 'allow_write: {gate: false}'
  opens
  journal_says db2 'allow_write.gate: false'

  fresh
  sql db1 'SET GLOBAL read_only = 0'
  settings db2 'allow_write: {gate: true}'
  stays_closed 'db1 still takes writes*'
}

@test "mysql_allow_write without an argument uses mmm_agent, as MMM 2.0 calls it" {
  run_bare db2 mysql_allow_write
  answers 0 OK
  is_writable
}

@test "mysql_allow_write called wrongly prints its usage and opens nothing" {
  run_bare db2 mysql_allow_write mmm_agent_db2 more
  answers_usage
  run_bare db2 mysql_allow_write mmm_agent_db2 --wait 5
  answers_usage
  run_bare db2 mysql_allow_write ''
  answers 255 'ERROR: *empty*'
  run_bare db2 mysql_allow_write mmm_agent_nobody
  answers 255 'ERROR: *mmm_agent_nobody.conf*'
  is_read_only db2
}

answers_usage() { expect_answer 1 "Usage: $MMM_AGENT_DIR/mysql_allow_write <config_file>" && [[ -z $stderr ]]; }

@test "mysql_allow_write ends with an error in time where the host's own server is silent" {
  freeze db2
  run_helper db2 mysql_allow_write
  answers 255 "ERROR: Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*"
  in_time
  thaw db2

  stop_server db2
  run_helper db2 mysql_allow_write
  answers 255 "ERROR: Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*"
}

@test "another replication channel does not matter to the gate" {
  archive_channel db2
  opens
  archive_runs db2
}

@test "the agent asks again and again: refused while the peer writes, OK as soon as it does not" {
  sql db1 'SET GLOBAL read_only = 0'
  insert db1
  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: db1 still takes writes*'
  is_read_only db2

  sql db1 'SET GLOBAL read_only = 1'
  caught_up db2 db1
  agent_call --joined db2 mysql_allow_write
  expect_agent_read 0 OK
  is_writable
  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK
}

# notes_are_stuck [writes] — what helpers have noted on db2, or would, is on a mount that answers nobody, as in `stick`.
notes_are_stuck() {
  in_host db2 mkdir -p /var/lib/mysql-mmm
  stick db2 /var/lib/mysql-mmm "$@"
}

# A note that cannot be written must not look like one that nobody needs.
@test "a frozen folder of the notes keeps the gate closed, and the call ends in time and names it; --force opens" {
  caught_up db2 db1
  kill_server db1
  notes_are_stuck writes
  run_helper db2 mysql_allow_write
  answers 255 'ERROR: no answer within the time limit*; /var/lib/mysql-mmm/mysql-mmm-opened-10.77.0.12-3306 does not answer: *'
  in_time
  is_read_only db2

  run_helper db2 mysql_allow_write --force
  answers 0 'OK*'
  within 5000
  is_writable
}

@test "a folder of the notes that does not answer at all keeps the gate closed, and the call ends in time" {
  caught_up db2 db1
  kill_server db1
  notes_are_stuck
  run_helper db2 mysql_allow_write
  answers 255 'ERROR: no answer within the time limit*; /var/lib/mysql-mmm/* does not answer: *'
  in_time
  is_read_only db2
}

@test "a slow disk below the notes keeps nobody from what it notes" {
  truncate -s 16M "$BATS_TEST_TMPDIR/disk"
  mkfs.ext4 -q "$BATS_TEST_TMPDIR/disk"
  in_host db2 mkdir -p /var/lib/mysql-mmm
  in_host db2 mount -o loop "$BATS_TEST_TMPDIR/disk" /var/lib/mysql-mmm || skip 'no loop device'
  caught_up db2 db1
  kill_server db1
  in_host db2 fsfreeze --freeze /var/lib/mysql-mmm
  { sleep 2; in_host db2 fsfreeze --unfreeze /var/lib/mysql-mmm; } 3>&- &
  run_helper db2 mysql_allow_write
  wait
  in_host db2 test -s /var/lib/mysql-mmm/mysql-mmm-opened-10.77.0.12-3306
  in_host db2 umount /var/lib/mysql-mmm
  answers 0 'OK*'
  is_writable
}
