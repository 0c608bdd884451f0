#!/usr/bin/env bats
# set_active_master on real servers: what it answers, and that a refusal leaves db3 replicating from db1 as
# before. The orders of a failover are in tests/failover.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { fresh; }
teardown() { dump_on_failure; }

ALREADY='OK: We are already a slave of the new master'

# fresh — as after up, with a row and with db1's writes ended: the moment before slaves follow db2.
fresh() {
  reset_cluster
  insert db1
  sql db1 'SET GLOBAL read_only = 1'
  caught_up db2 db1
  caught_up db3 db1
}

# moves [ARGUMENT…] — db3 follows db2 and has every row once.
moves() {
  run_helper db3 set_active_master "${@:-db2}"
  answers 0 OK && in_time && keeps_secrets && is_on db2
}

# is_on MASTER — db3 replicates from it; rows that are written there arrive, and none is missing or doubled.
is_on() {
  follows db3 "$1" && rows_equal "$1" db3
}

# refuses PATTERN [ARGUMENT…] — what it says; db3 replicates from db1 as before.
refuses() {
  run_helper db3 set_active_master "${@:2}"
  answers 255 "ERROR: $1" && in_time && keeps_secrets && runs_from db3 db1
}

@test "a slave follows the new master, with every row once" {
  moves db2
  [ "$(replica_field db3 Master_Server_Id)" = 2 ]
  has_rows db3 2
}

@test "a move keeps how often the source is heard of, how the place is kept, and the retry time" {
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 1.5, MASTER_CONNECT_RETRY = 7' 'START SLAVE'
  moves db2
  [ "$(replication_mode db3) $(replica_field db3 Connect_Retry)" = "$MMM_REPLICATION 7" ]
  [ "$(heartbeat_period db3)" = 1.500 ]
}

@test "a slave that replicates by GTID goes on doing so" {
  only_on gtids 'gtid_mode is OFF'
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO MASTER_USE_GTID = slave_pos' 'START SLAVE'
  moves db2
  [ "$(replication_mode db3)" = gtid ]
}

@test "there and back again: every row once" {
  local round
  for round in 1 2; do
    moves db2
    caught_up db1 db2
    run_helper db3 set_active_master db1
    answers 0 OK
    is_on db1
    caught_up db2 db1
  done
  rows_equal db1 db2 db3
  has_rows db3 5
}

@test "the arguments of MMM 2.0 and of 2.3.1 are understood, and 2.3.1's guessed position is not used" {
  run_bare db3 set_active_master db2
  answers 0 OK
  is_on db2

  fresh
  moves db2,binlog.000099,4711
  fresh
  moves "db2,binlog.000001,4'; DROP TABLE app.entries; --"
}

@test "a slave of that master is told so, and nothing changes" {
  local before
  before=$(sql db3 'SHOW PROCESSLIST' | grep -c 'system user')
  run_helper db3 set_active_master db1
  answers 0 "$ALREADY"
  within 1500
  is_on db1
  [ "$(sql db3 'SHOW PROCESSLIST' | grep -c 'system user')" = "$before" ]

  sql db1 'SET GLOBAL read_only = 0'
  run_helper db3 set_active_master db1,binlog.000001,4
  answers 0 "$ALREADY"
  is_on db1
}

@test "a slave of that master whose threads stand still is started before it is told so" {
  local stopped
  for stopped in '' IO_THREAD SQL_THREAD; do
    stop_replica_thread db3 "$stopped"
    insert db1
    run_helper db3 set_active_master db1
    answers 0 "$ALREADY"
    runs_from db3 db1
    is_on db1
  done
}

@test "a slave of that master that cannot replicate is not told that it does" {
  fail_applier db3 db1
  run_helper db3 set_active_master db1
  answers 255 'ERROR: db3 cannot replicate from db1: SQL thread: error 1062: *'

  fresh
  sql db3 'STOP SLAVE IO_THREAD'
  set_password db1 "$REPLICATION_USER" other
  run_helper db3 set_active_master db1
  answers 255 'ERROR: db3 cannot replicate from db1: I/O thread: error *'
  in_time

  fresh
  kill_server db1
  wait_for 5 eval '[[ $(threads db3) == "Connecting Yes" ]]'
  run_helper db3 set_active_master db1
  answers 255 'ERROR: db3 cannot replicate from db1: I/O thread: error *'
  in_time
}

@test "a host is not made a slave of itself" {
  refuses 'New master is equal to local host!?*' db3
  refuses 'New master is equal to local host!?*' db3,binlog.000001,4
}

@test "a host that the configuration does not have is refused by name" {
  refuses "No config present for host 'db9'*db1, db2, db3" db9
  refuses "No config present for host '10.77.0.12'*" 10.77.0.12
  refuses "No config present for host 'DB2'*" DB2
  refuses "No config present for host ''*" ,binlog.000001,4
  refuses 'No config present for host*' "db2' OR '1"
  refuses 'No config present for host*' default
}

@test "a host that replicates from nobody is refused and set up for nothing" {
  sql db3 'STOP SLAVE' 'RESET SLAVE ALL'
  run_helper db3 set_active_master db2
  answers 255 'ERROR: db3 is not a replica of any host*'
  [ -z "$(replica_field db3 Master_Host)" ]
}

@test "a slave of a server outside of the cluster is refused and stays where it is" {
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '10.77.0.99'" 'START SLAVE'
  run_helper db3 set_active_master db2
  answers 255 'ERROR: Invalid master host in show slave status*10.77.0.99:3306*'
  in_time
  [ "$(replica_field db3 Master_Host) $(threads db3)" = '10.77.0.99 Connecting Yes' ]
}

@test "a source that is named by host name is recognised" {
  in_host db3 sh -c 'echo 10.77.0.11 master-one.example >>/etc/hosts'
  # A change of the host alone would begin at its first log again.
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = 'master-one.example',
    $(place_in_mode binlog.000001 "$(replica_field db3 Exec_Master_Log_Pos)")" 'START SLAVE'
  wait_for 5 eval '[[ $(threads db3) == "Yes Yes" ]]'
  moves db2
}

@test "while the old master takes writes nothing is moved" {
  sql db1 'SET GLOBAL read_only = 0'
  refuses 'db1 still takes writes (read_only is off)*' db2
  is_on db1
}

@test "an old master that refuses the agent's account may be taking writes: nothing is moved" {
  configure db3 db1 agent_password wrong_secret
  refuses 'cannot tell whether db1 still takes writes: *Access denied*' db2
  keeps_secrets wrong_secret
}

@test "a new master without a binary log is refused" {
  only_on bare 'by GTID, this server needs a log'
  stop_server db2
  start_server db2 --skip-log-bin --skip-slave-start
  refuses 'db2 has no binary log*' db2
  is_on db1
}

@test "a new master that does not log what it replicates cannot serve a slave that lags behind it" {
  only_on gtids 'gtid_mode is OFF'
  only_on bare 'by GTID, this server needs log_slave_updates'
  stop_server db2
  start_server db2 --skip-log-slave-updates
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO MASTER_USE_GTID = slave_pos' 'START SLAVE'
  refuses 'db2 does not log what it replicates (log_slave_updates is off)*' db2
  is_on db1
}

@test "a new master with the server id of the slave is refused" {
  sql db2 'SET GLOBAL server_id = 3'
  refuses 'db3 and db2 both have server_id 3*' db2
}

@test "a slave that ignores the new master's events is refused" {
  only_on pass_over 'by GTID this server passes over nothing'
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO IGNORE_SERVER_IDS = (2)' 'START SLAVE'
  refuses 'db3 ignores events of server id 2, which is db2*' db2
}

@test "a new master that drops some of what it replicates is refused" {
  only_on filters 'filters want a restart'
  leave_out db2 app.secret
  refuses 'db2 filters what it replicates or logs (*app.secret*)*' db2
}

@test "a new master that cannot be reached is refused before anything is stopped" {
  stop_server db2
  refuses "Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*" db2
  start_server db2

  freeze db2
  refuses "Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*" db2
  thaw db2

  drop_packets db3 db2
  refuses "Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*" db2
}

@test "a new master that refuses the agent's account is refused before anything is stopped" {
  configure db3 db2 agent_password wrong_secret
  refuses "Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)! *Access denied*" db2
  keeps_secrets wrong_secret
}

@test "an agent's account that may not steer replication changes nothing" {
  may_not db3 replication
  refuses "$(lacks replication db3)" db2
  is_on db1
}

@test "a new master that refuses the replication account is refused before anything is stopped" {
  set_password db2 "$REPLICATION_USER" another_secret
  local connection
  connection=$(dump_connection)
  refuses "db2 refuses replication_user 'replication': Access denied*" db2
  [ "$(dump_connection)" = "$connection" ]
  is_on db1
}

# dump_connection — db3's connection on db1: another one after every stop.
dump_connection() {
  sql db1 "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%' AND host LIKE '$(host_ip db3):%'"
}

@test "a new master from whose log the replication account may not read: the slave goes back to the old one" {
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'10.77.0.%'"
  refuses 'db3 cannot replicate from db2: I/O thread: error *; it replicates from db1 as before' db2
  is_on db1
}

@test "a replication password that the configuration has wrong does not cost the replication that there was" {
  configure db3 default replication_password wrong_secret
  refuses "db2 refuses replication_user 'replication': Access denied*" db2
  keeps_secrets wrong_secret
  is_on db1
}

@test "applying that has failed is said with the server's error, and nothing is moved" {
  sql db1 'SET GLOBAL read_only = 0'
  fail_applier db3 db1
  sql db1 'SET GLOBAL read_only = 1'
  run_helper db3 set_active_master db2
  answers 255 'ERROR: replication on db3 has stopped: error 1062: *'
  in_time
  [ "$(replica_field db3 Master_Host)" = "$(host_ip db1)" ]
}

@test "a second call waits for the first: both end well, and every row is there once" {
  local call pids=() pid
  for call in 1 2 3 4; do
    (
      BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR/$call
      mkdir "$BATS_TEST_TMPDIR"
      run_helper db3 set_active_master db2
      answers 0 OK || answers 0 "$ALREADY"
    ) 3>&- &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
  is_on db2
}

@test "while somebody else changes replication, the call ends in time and names the connection" {
  busy db3 replication
  refuses "connection $(lock_holder db3) (DO SLEEP(50), * s) on db3 holds the lock of these helpers: *" db2

  release db3
  wait_for 5 eval '[[ -z $(lock_holder db3) ]]'
  moves db2
}

@test "applications that hold the lock of the helpers do not hold the move up" {
  squat db3 replication
  moves
  within 3000
}

@test "quotes, backslashes and whatever else a replication password holds are passed on whole" {
  local mode password="o'Br\\ien\"s \\' %s;#\$(id)\`-- \\"
  for mode in '' NO_BACKSLASH_ESCAPES ANSI_QUOTES,NO_BACKSLASH_ESCAPES; do
    fresh
    sql db2 'SET sql_log_bin = 0' "SET sql_mode = 'NO_BACKSLASH_ESCAPES'" \
      "$(flavour_password "'$REPLICATION_USER'@'10.77.0.%'" "${password//\'/\'\'}")"
    sql db3 "SET GLOBAL sql_mode = '$mode'"
    configure db3 db2 replication_password "$password"
    moves db2
    keeps_secrets "$password" "Br\\ien"
  done
}

@test "a password with a quote that the new master refuses shows in no error and in no journal" {
  local password="hunter'2\\secret"
  configure db3 db2 replication_password "$password"
  RUST_LOG=trace refuses '*db2*Access denied*' db2
  keeps_secrets "$password" hunter secret
}

@test "another replication channel stays untouched: it never stops" {
  archive_channel db3
  note_archive
  moves db2
  archive_is_untouched db3

  run_helper db3 set_active_master db2
  answers 0 "$ALREADY"
  archive_is_untouched db3
}

@test "where the channel from the cluster has a name, that one is moved and the default one is not" {
  foreign_default cluster

  run_helper db3 set_active_master db2
  answers 0 OK
  runs_from db3 db2 cluster
  runs_from db3 client
  insert db2 named
  wait_for 5 has_note db3 named
  rows_equal db2 db3
}

@test "two channels from cluster hosts: which one is meant is not guessed" {
  second_channel db3
  refuses 'db3 has 2 replication channels from cluster hosts (*second*)*' db2
}

@test "set_active_master called wrongly prints its usage and moves nothing" {
  local words
  for words in '' 'mmm_agent_db3 db2 more' '--no-such db2' 'db2 --help'; do
    # shellcheck disable=SC2086
    run_bare db3 set_active_master $words
    expect_answer 1 "Usage: $MMM_AGENT_DIR/set_active_master <config_file> <new_master>"
    [[ -z $stderr ]]
  done
  run_bare db3 set_active_master mmm_agent_db3 ''
  answers 255 'ERROR: *empty*'
  run_bare db3 set_active_master '' db2
  answers 255 'ERROR: *empty*'
  run_bare db3 set_active_master mmm_agent_nobody db2
  answers 255 'ERROR: *mmm_agent_nobody.conf*'
  is_on db1
}

@test "set_active_master ends with an error in time where the slave's own server is silent" {
  freeze db3
  run_helper db3 set_active_master db2
  answers 255 "ERROR: Can't connect to MySQL (host = 10.77.0.13:3306, user = mmm_agent)!*"
  in_time
  thaw db3
  runs_from db3 db1

  stop_server db3
  run_helper db3 set_active_master db2
  answers 255 "ERROR: Can't connect to MySQL (host = 10.77.0.13:3306, user = mmm_agent)!*"
}

@test "the agent asks again and again: refused while the old master writes, OK once, and then already there" {
  sql db1 'SET GLOBAL read_only = 0'
  agent_call db3 set_active_master db2
  expect_agent_read 255 'ERROR: db1 still takes writes*'
  runs_from db3 db1

  sql db1 'SET GLOBAL read_only = 1'
  agent_call --joined db3 set_active_master db2
  expect_agent_read 0 OK
  is_on db2
  agent_call db3 set_active_master db2
  expect_agent_read 0 "$ALREADY"
  agent_call db3 set_active_master db2 more
  expect_agent_read 1 'Usage: *'
}

@test "a move leaves a line for each step in the journal, with its time" {
  moves db2
  local step
  for step in 'called with ["mmm_agent_db3", "db2"]' 'this host is db3' 'connected to db2 (10.77.0.12:3306): ' \
    'stopped replication: ' "$(statements "MASTER_PASSWORD='***'")" 'changed master: ' 'started replication: ' 'answered "OK", exit 0, '; do
    journal_says db3 "$step"
  done
  [ "$(journal db3 | grep -c "set_active_master\[")" -ge 8 ]
}

@test "where two channels replicate from the cluster, the settings say which is meant" {
  only_on channels 'it has one channel'
  local file position
  read -r file position <<<"$(binlog_end db2)"
  change_source db3 second db2 "MASTER_USE_GTID = no, MASTER_LOG_FILE = '$file', MASTER_LOG_POS = $position"
  sql db3 "START SLAVE 'second'"
  wait_for 5 runs_from db3 db2 second
  refuses "db3 has 2 replication channels from cluster hosts ('', 'second'): name the one that is meant in mmm_helpers.yaml*" db2
  settings db3 'replication: {channel: third}'
  refuses "db3 has no replication channel 'third' (replication.channel in mmm_helpers.yaml); it has '', 'second'*" db2
  settings db3 "replication: {channel: second}"
  run_helper db3 set_active_master db2
  answers 0 "$ALREADY"
  runs_from db3 db1
  runs_from db3 db2 second
}

@test "on a MySQL with GTIDs, a slave that keeps file and position comes late, and keeps them" {
  only_on MySQL 'of MySQL'
  only_on gtids 'there are none'
  local file position
  insert db1; insert db2
  caught_up db2 db1; caught_up db1 db2; caught_up db3 db1
  read -r file position <<<"$(binlog_end db1)"
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_AUTO_POSITION = 0, MASTER_LOG_FILE = '$file', MASTER_LOG_POS = $position"
  # Longer than what is shown of a log before it is read as replicas get it.
  sql db1 "$(printf "INSERT INTO app.entries (origin, note) VALUES ('db1', '%s');" {1..80})"
  caught_up db2 db1
  sql db1 'SET GLOBAL read_only = 1'
  sql db2 'SET GLOBAL read_only = 0'
  insert db2
  sql db2 'FLUSH LOGS'
  insert db2

  run_helper db3 set_active_master db2
  answers 0 OK

  [ "$(replication_mode db3)" = file ]
  caught_up db3 db2
  rows_equal db2 db3
}
