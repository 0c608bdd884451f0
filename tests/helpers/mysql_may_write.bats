#!/usr/bin/env bats
# mysql_may_write on real servers. Exit codes are its answer: 0 read-only, 1 writable, 255 not known.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
teardown() { dump_on_failure; }

WRITABLE='OK: Allowed'
READ_ONLY='OK: Not allowed'

# no_answer PATTERN — the last call said that it does not know, in time.
no_answer() {
  answers 255 "ERROR: $1" && in_time && keeps_secrets
}

@test "mysql_may_write says whether applications can write on this host" {
  sql_as_app db1 'INSERT INTO app.entries () VALUES ()'
  run_helper db1 mysql_may_write
  answers 1 "$WRITABLE"

  run sql_as_app db2 'INSERT INTO app.entries () VALUES ()'
  [[ $output == *read-only* ]]
  run_helper db2 mysql_may_write
  answers 0 "$READ_ONLY"
}

@test "mysql_may_write sees at once what another client has changed" {
  sql db1 'SET GLOBAL read_only = 1'
  run_helper db1 mysql_may_write
  answers 0 "$READ_ONLY"

  sql db1 'SET GLOBAL read_only = 0'
  run_helper db1 mysql_may_write
  answers 1 "$WRITABLE"
}

@test "mysql_may_write asks the server of the host that its configuration names" {
  MMM_CONFIG=mmm_agent_db2 run_helper db1 mysql_may_write
  answers 0 "$READ_ONLY"
  MMM_CONFIG=mmm_agent_db1 run_helper db2 mysql_may_write
  answers 1 "$WRITABLE"
}

@test "mysql_may_write without an argument uses mmm_agent, as MMM 2.0 calls it" {
  run_bare db1 mysql_may_write
  answers 1 "$WRITABLE"
  run_bare db3 mysql_may_write
  answers 0 "$READ_ONLY"
}

@test "mysql_may_write leaves read_only and replication as they are" {
  local host
  for host in db1 db2 db3; do run_helper "$host" mysql_may_write; done

  [ "$(sql db1 'SELECT @@read_only') $(sql db2 'SELECT @@read_only') $(sql db3 'SELECT @@read_only')" = '0 1 1' ]
  runs_from db1 db2
  runs_from db2 db1
  runs_from db3 db1
}

@test "mysql_may_write gets in where applications have used up every connection" {
  sql db2 'SET GLOBAL max_connections = 10'
  local application
  wait_for 10 take_a_connection_or_none_is_left

  # An application that is being refused uses the last connection for a moment.
  wait_for 5 says_read_only db2

  for application in $(sql db2 "SELECT id FROM information_schema.processlist WHERE user = '$APP_USER'"); do
    sql db2 "KILL $application" || true
  done
  sql db2 'SET GLOBAL max_connections = 100'
}

take_a_connection_or_none_is_left() {
  sql_as_app db2 'DO SLEEP(30)' >/dev/null 2>&1 3>&- &
  sql_as_app db2 'DO 0' 2>&1 | grep -q 'Too many connections'
}

says_read_only() {
  run_helper "$1" mysql_may_write
  answers 0 "$READ_ONLY"
}

@test "the agent reads mysql_may_write's exit code" {
  agent_call db1 mysql_may_write
  expect_agent_read 1 "$WRITABLE"
  agent_call db2 mysql_may_write
  expect_agent_read 0 "$READ_ONLY"
  agent_call --joined db1 mysql_may_write
  expect_agent_read 1 "$WRITABLE"
}

@test "mysql_may_write never ends with 1 or 0 where it was called wrongly, for the agent would believe it" {
  run_bare db1 mysql_may_write mmm_agent_db1 more
  no_answer '*Usage: *mysql_may_write*'
  run_bare db1 mysql_may_write ''
  no_answer '*empty*'
  run_bare db1 mysql_may_write mmm_agent_db1 --help
  no_answer '*'
  run_bare db1 mysql_may_write --no-such-option
  no_answer '*'
  agent_call db1 mysql_may_write more
  expect_agent_read 255 'ERROR: *'
}

@test "mysql_may_write never ends with 1 or 0 where its configuration is broken" {
  run_bare db1 mysql_may_write mmm_agent_db9
  no_answer '*mmm_agent_db9.conf*'
  echo 'colour red' >>"$(host_dir db1)/mysql-mmm/mmm_common.conf"
  run_helper db1 mysql_may_write
  no_answer '*Unknown variable colour*mmm_common.conf*on line *'
  chmod 644 "$(host_dir db1)/mysql-mmm/mmm_agent_db1.conf"
  run_helper db1 mysql_may_write
  no_answer '*world readable*'

  agent_call db1 mysql_may_write
  expect_agent_read 255 'ERROR: *world readable*'
  reset_cluster
}

@test "mysql_may_write never ends with 1 or 0 where the server does not say" {
  local refused="Can't connect to MySQL (host = 10.77.0.11:3306, user = mmm_agent)!*"
  configure db1 db1 agent_password wrong_secret
  run_helper db1 mysql_may_write
  no_answer "$refused*Access denied*"
  keeps_secrets wrong_secret
  write_configuration db1

  settings db1 'limits: {connect: 500ms}'
  freeze db1
  run_helper db1 mysql_may_write
  no_answer "$refused"
  thaw db1

  drop_packets db1 db1
  run_helper db1 mysql_may_write
  no_answer "$refused"
  pass_packets db1

  stop_server db1
  agent_call db1 mysql_may_write
  expect_agent_read 255 "ERROR: $refused"
  run_helper db1 mysql_may_write
  no_answer "$refused"
}
