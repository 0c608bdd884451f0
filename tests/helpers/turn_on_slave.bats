#!/usr/bin/env bats
# turn_on_slave on real servers: after OK both threads run and the source is connected.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { reset_cluster; }
teardown() { dump_on_failure; }

turns_on() {
  run_helper db3 turn_on_slave
  answers 0 OK && in_time && runs_from db3 db1
}

# fails PATTERN — what it says.
fails() {
  run_helper db3 turn_on_slave
  answers 255 "ERROR: $1" && in_time && keeps_secrets
}

@test "a slave that is turned on catches up with its master" {
  sql db3 'STOP SLAVE'
  insert db1; insert db1
  turns_on
  caught_up db3 db1
  rows_equal db1 db3
  has_rows db3 2
}

@test "a slave that runs is left as it is" {
  local connection
  connection=$(sql db1 "SELECT id FROM information_schema.processlist WHERE host LIKE '$(host_ip db3):%'")
  turns_on
  [ "$(sql db1 "SELECT id FROM information_schema.processlist WHERE host LIKE '$(host_ip db3):%'")" = "$connection" ]
  follows db3 db1
}

@test "whichever thread stands still is started" {
  local thread
  for thread in IO_THREAD SQL_THREAD; do
    stop_replica_thread db3 "$thread"
    turns_on
  done
  follows db3 db1
}

@test "a slave whose applying fails again is an error, with the server's words" {
  fail_applier db3 db1
  fails 'db3 cannot replicate from *SQL thread: error 1062: *'

  sql db3 'SET sql_log_bin = 0' 'DELETE FROM app.entries WHERE id = 1001'
  turns_on
  caught_up db3 db1
  rows_equal db1 db3
}

# The channel's status shows only the position of a worker's error.
what_the_server_says() {
  replica_field "$1" Last_SQL_Error
  if [[ $MMM_SERVER == mysql-[89]* ]]; then
    sql "$1" 'SELECT last_error_message FROM performance_schema.replication_applier_status_by_worker'
  fi
}

@test "a customer's row is in no answer, no document and no journal" {
  sql db1 'CREATE TABLE app.customers (mail VARCHAR(80) PRIMARY KEY) ENGINE=InnoDB'
  caught_up db3 db1
  sql db3 'SET sql_log_bin = 0' "INSERT INTO app.customers VALUES ('jane@example.net')"
  sql db1 "INSERT INTO app.customers VALUES ('jane@example.net')"
  wait_for 5 applier_failed db3
  [[ $(what_the_server_says db3) == *jane@* ]]
  local format
  fails 'db3 cannot replicate from *SQL thread: error 1062: *'
  [[ $line != *jane@* ]]
  for format in json yaml; do
    run_helper db3 turn_on_slave --format "$format"
    [[ $status == 255 && $output != *jane@* && $output == *'error 1062: '* ]]
  done
  journal_says db3 'error 1062: '
  run journal db3
  [[ $output != *jane@* ]]
}

# Between two tries, the I/O thread sleeps for a minute.
@test "a slave whose master cannot be reached is an error; turned on when it is back, it is connected at once" {
  sql db3 'STOP SLAVE'
  stop_server db1
  fails "db3 cannot replicate from *I/O thread: error *"
  [ "$(threads db3)" = 'Connecting Yes' ]

  start_server db1
  sql db1 'SET GLOBAL read_only = 0'
  turns_on
  follows db3 db1
}

@test "a slave whose master is frozen or cut off is an error in time" {
  sql db3 'STOP SLAVE'
  freeze db1
  fails 'db3 cannot replicate from *the I/O thread is still connecting*'
  thaw db1

  reset_cluster
  sql db3 'STOP SLAVE'
  drop_packets db3 db1
  fails 'db3 cannot replicate from *the I/O thread is still connecting*'
}

@test "a slave whose account the master refuses is an error, without its password" {
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_PASSWORD = 'wrong_secret'"
  fails 'db3 cannot replicate from *I/O thread: error 1045: *'
  keeps_secrets wrong_secret
}

@test "a host that replicates from nobody cannot be turned on" {
  sql db3 'STOP SLAVE' 'RESET SLAVE ALL'
  fails 'db3 is not a replica of any host: set replication up first (CHANGE *)'
  [ -z "$(replica_field db3 Master_Host)" ]
}

@test "read_only is left alone" {
  run_helper db1 turn_off_slave
  run_helper db1 turn_on_slave
  answers 0 OK
  runs_from db1 db2
  [ "$(sql db1 'SELECT @@read_only') $(sql db3 'SELECT @@read_only')" = '0 1' ]
}

@test "another replication channel that was stopped on purpose stays so" {
  archive_channel db3
  sql db3 "STOP SLAVE 'archive'" "STOP SLAVE ''"
  turns_on
  [ "$(channel_threads db3 archive)" = 'No No' ]
}

@test "another replication channel that runs stays untouched: it never stops" {
  archive_channel db3
  note_archive
  sql db3 "STOP SLAVE ''"
  turns_on
  archive_is_untouched db3
}

@test "two channels from cluster hosts: which one is meant is not guessed, and none is started" {
  sql db3 'STOP SLAVE'
  second_channel db3
  fails 'db3 has 2 replication channels from cluster hosts (*second*)*'
  [ "$(threads db3) $(channel_threads db3 second)" = 'No No No No' ]
}

@test "an agent's account that may not start replication is an error" {
  sql db3 'STOP SLAVE'
  may_not db3 replication
  fails "$(lacks replication db3)"
  [ "$(threads db3)" = 'No No' ]
}

@test "while another helper changes replication, the call ends in time and names the connection" {
  sql db3 'STOP SLAVE'
  busy db3 replication
  fails "connection $(lock_holder db3) (DO SLEEP(50), * s) on db3 holds the lock of these helpers: *"
  [ "$(threads db3)" = 'No No' ]
}

@test "turn_on_slave without an argument uses mmm_agent, as MMM 2.0 calls it" {
  sql db3 'STOP SLAVE'
  run_bare db3 turn_on_slave
  answers 0 OK
  runs_from db3 db1
}

@test "turn_on_slave called wrongly prints its usage and starts nothing" {
  sql db3 'STOP SLAVE'
  run_bare db3 turn_on_slave mmm_agent_db3 db1
  expect_answer 1 "Usage: $MMM_AGENT_DIR/turn_on_slave <config_file>"
  run_bare db3 turn_on_slave --force
  expect_answer 1 'Usage: *'
  run_bare db3 turn_on_slave ''
  answers 255 'ERROR: *empty*'
  run_bare db3 turn_on_slave mmm_agent_nobody
  answers 255 'ERROR: *mmm_agent_nobody.conf*'
  [ "$(threads db3)" = 'No No' ]
}

@test "turn_on_slave ends with an error in time where the host's own server is silent" {
  freeze db3
  fails "Can't connect to MySQL (host = 10.77.0.13:3306, user = mmm_agent)!*"
  thaw db3

  stop_server db3
  agent_call db3 turn_on_slave
  expect_agent_read 255 "ERROR: Can't connect to MySQL*"
}
