#!/usr/bin/env bats
# turn_off_slave on real servers: after OK this host replicates nothing from the cluster.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { reset_cluster; }
teardown() { dump_on_failure; }

turns_off() {
  run_helper db3 turn_off_slave
  answers 0 OK && in_time && [ "$(threads db3)" = 'No No' ]
}

# connects_in_vain — db3 begins to connect to a master that does not answer.
connects_in_vain() {
  sql db3 'STOP SLAVE IO_THREAD' 'START SLAVE IO_THREAD'
  wait_for 5 eval '[[ $(threads db3) == "Connecting Yes" ]]'
}

@test "a slave that is turned off fetches and applies no more, and stays set up" {
  insert db1
  caught_up db3 db1
  turns_off
  insert db1
  caught_up db2 db1
  has_rows db3 1
  [ "$(replica_field db3 Master_Host)" = "$(host_ip db1)" ]

  sql db3 'START SLAVE'
  caught_up db3 db1
  rows_equal db1 db3
}

@test "a slave that stands still already is turned off, whichever thread was running" {
  turns_off
  turns_off
  local thread
  for thread in IO_THREAD SQL_THREAD; do
    start_replica_thread db3 "$thread"
    turns_off
  done
}

@test "a slave whose applying has failed is turned off, and its error stays to be read" {
  fail_applier db3 db1
  turns_off
  [ "$(replica_field db3 Last_SQL_Errno)" = 1062 ]
}

@test "a slave whose master is dead, frozen or cut off is turned off without waiting for it" {
  kill_server db1
  wait_for 5 eval '[[ $(threads db3) == "Connecting Yes" ]]'
  turns_off
  within 2000

  reset_cluster
  freeze db1
  turns_off
  within 3000
  thaw db1

  reset_cluster
  drop_packets db3 db1
  turns_off
  within 3000
}

@test "a slave that is connecting to a frozen or cut off master is turned off without waiting for the end of that" {
  freeze db1
  connects_in_vain
  turns_off
  within 1500
  thaw db1

  reset_cluster
  drop_packets db3 db1
  connects_in_vain
  turns_off
  within 1500
}

@test "a host that replicates from nobody is off already" {
  sql db3 'STOP SLAVE' 'RESET SLAVE ALL'
  run_helper db3 turn_off_slave
  answers 0 OK
}

@test "read_only and the other hosts' replication are left alone" {
  run_helper db1 turn_off_slave
  answers 0 OK
  [ "$(threads db1)" = 'No No' ]
  ! is_read_only db1 || false
  is_read_only db3
  follows db2 db1
  follows db3 db1
}

@test "a slave of a server outside of the cluster is turned off where it is the only channel" {
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '10.77.0.99'" 'START SLAVE'
  turns_off
  [ "$(replica_field db3 Master_Host)" = 10.77.0.99 ]
}

@test "another replication channel stays untouched: it never stops" {
  archive_channel db3
  note_archive
  turns_off
  archive_is_untouched db3
}

@test "where the channel from the cluster has a name, that one is stopped and the default one is not" {
  foreign_default "it''s the cluster"
  wait_for 5 runs_from db3 db1 "it''s the cluster"
  wait_for 5 runs_from db3 client

  run_helper db3 turn_off_slave
  answers 0 OK
  [ "$(channel_threads db3 "it''s the cluster")" = 'No No' ]
  runs_from db3 client
}

@test "two channels from cluster hosts: which one is meant is not guessed, and none is stopped" {
  second_channel db3
  run_helper db3 turn_off_slave
  answers 255 'ERROR: db3 has 2 replication channels from cluster hosts (*second*)*'
  runs_from db3 db1
}

@test "two channels from outside of the cluster: which one is meant is not guessed, and none is stopped" {
  archive_channel db3
  sql db3 "STOP SLAVE ''" "CHANGE MASTER '' TO MASTER_HOST = '10.77.0.99'" "START SLAVE ''"
  run_helper db3 turn_off_slave
  answers 255 'ERROR: Invalid master host in show slave status*'
  archive_runs db3
  [ "$(threads db3)" = 'Connecting Yes' ]
}

@test "a slave that does not stop in time is an error, and stops by itself when it can" {
  settings db3 'limits: {call: 2s}'
  sql db1 'CREATE TABLE app.slow (id INT) ENGINE = MyISAM'
  caught_up db3 db1
  # A statement that changes a MyISAM table cannot be rolled back, so the server waits for its end.
  sql db1 'SET binlog_format = STATEMENT' "INSERT INTO app.slow SELECT IF(@@hostname = 'db3', SLEEP(4), 0)"
  wait_for 10 eval "[[ -n \$(sql db3 \"SELECT id FROM information_schema.processlist WHERE state = 'User sleep'\") ]]"
  run_helper db3 turn_off_slave
  answers 255 'ERROR: db3 did not stop replicating within *; the server still carries out the STOP (SHOW PROCESSLIST), and replication will then be stopped: turn_on_slave *'
  within 3000
  wait_for 10 eval '[[ $(threads db3) == "No No" ]]'
}

@test "while another helper changes replication, the call ends in time and names the connection" {
  busy db3 replication
  run_helper db3 turn_off_slave
  answers 255 "ERROR: connection $(lock_holder db3) (DO SLEEP(50), * s) on db3 holds the lock of these helpers: *"
  in_time
  runs_from db3 db1

  release db3
  wait_for 5 eval '[[ -z $(lock_holder db3) ]]'
  turns_off
}

@test "an agent's account that may not stop replication is an error" {
  may_not db3 replication
  run_helper db3 turn_off_slave
  answers 255 "ERROR: $(lacks replication db3)"
  runs_from db3 db1
}

@test "turn_off_slave without an argument uses mmm_agent, as MMM 2.0 calls it" {
  run_bare db3 turn_off_slave
  answers 0 OK
  [ "$(threads db3)" = 'No No' ]
}

@test "turn_off_slave called wrongly prints its usage and stops nothing" {
  run_bare db3 turn_off_slave mmm_agent_db3 db1
  expect_answer 1 "Usage: $MMM_AGENT_DIR/turn_off_slave <config_file>"
  run_bare db3 turn_off_slave --force
  expect_answer 1 'Usage: *'
  run_bare db3 turn_off_slave ''
  answers 255 'ERROR: *empty*'
  run_bare db3 turn_off_slave mmm_agent_nobody
  answers 255 'ERROR: *mmm_agent_nobody.conf*'
  runs_from db3 db1
}

@test "turn_off_slave ends with an error in time where the host's server is silent" {
  freeze db3
  run_helper db3 turn_off_slave
  answers 255 "ERROR: Can't connect to MySQL (host = 10.77.0.13:3306, user = mmm_agent)!*"
  in_time
  thaw db3
  runs_from db3 db1

  stop_server db3
  agent_call db3 turn_off_slave
  expect_agent_read 255 "ERROR: Can't connect to MySQL*"
}

@test "the agent takes a host offline: replication off, and on again" {
  agent_call db3 turn_off_slave
  expect_agent_read 0 OK
  [ "$(threads db3)" = 'No No' ]
  agent_call --joined db3 turn_on_slave
  expect_agent_read 0 OK
  follows db3 db1
}
