#!/usr/bin/env bats
# mysql_deny_write as the agent sees it: its answers, its limits, and what stops it. What it does to sessions
# is in mysql_deny_write_sessions.bats, the packet filter in mysql_deny_write_soft.bats.

load ../lib/cluster
load ../lib/answers
load ../lib/clients

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { reset_cluster; }
teardown() { dump_on_failure; unstick; end_clients; }

# fails_with PATTERN — the last call said so, in time and without a secret.
fails_with() {
  answers 255 "ERROR: $1" && in_time && keeps_secrets
}

@test "mysql_deny_write closes the writer, and says OK and nothing more" {
  insert db1
  run_helper db1 mysql_deny_write
  answers 0 OK
  closed db1
  run sql_as_app db1 'INSERT INTO app.entries () VALUES ()'
  [[ $output == *read-only* ]]
}

@test "mysql_deny_write without an argument uses mmm_agent, as MMM 2.0 calls it" {
  run_bare db1 mysql_deny_write
  answers 0 OK
  is_read_only db1
}

@test "mysql_deny_write as the agent runs it, with and without stderr joined" {
  agent_call db1 mysql_deny_write
  expect_agent_read 0 OK
  sql db1 'SET GLOBAL read_only = 0'
  agent_call --joined db1 mysql_deny_write
  expect_agent_read 0 OK
  is_read_only db1
}

@test "mysql_deny_write with too many arguments changes nothing and prints its usage" {
  run_bare db1 mysql_deny_write mmm_agent more
  [ "$status" -eq 1 ]
  [[ $output == 'Usage: '*'/mysql_deny_write <config_file>' ]]
  is_writable db1
}

@test "mysql_deny_write with an unusable configuration changes nothing" {
  MMM_CONFIG=mmm_agent_nowhere run_helper db1 mysql_deny_write
  fails_with '*readable config file*'
  chmod 644 "$(host_dir db1)/mysql-mmm/mmm_common.conf"
  run_helper db1 mysql_deny_write
  fails_with '*world readable*'
  is_writable db1
}

@test "mysql_deny_write on a server that is closed already is OK again, at once" {
  run_helper db1 mysql_deny_write
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 1000
  run_helper db2 mysql_deny_write
  answers 0 OK
  closed db1
}

@test "two calls of mysql_deny_write at once end both with OK" {
  idle_clients 60
  local first second
  in_host db1 "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent >"$BATS_TEST_TMPDIR/first" &
  first=$!
  in_host db1 "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent >"$BATS_TEST_TMPDIR/second" &
  second=$!
  wait "$first"
  wait "$second"
  [ "$(cat "$BATS_TEST_TMPDIR"/{first,second})" = $'OK\nOK' ]
  [ "$(clients_of db1)" = 0 ]
  closed db1
}

@test "mysql_deny_write closes at once where another is at work, and does not wait for it without end" {
  settings db1 'limits: {call: 3s}'
  busy db1 writes
  in_host db1 "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent >"$BATS_TEST_TMPDIR/answer" &
  local call=$!
  wait_for 5 is_read_only db1
  wait_for 5 executes db1 'SELECT GET_LOCK%'
  wait "$call"
  [ "$(cat "$BATS_TEST_TMPDIR/answer")" = OK ]
  [ "$(clients_of db1)" = 0 ]
  closed db1
}

@test "applications that hold the lock of the helpers, and wait in line for it, do not keep mysql_deny_write from closing" {
  squat db1 writes
  sql db1 "SET GLOBAL log_output = 'TABLE'" 'SET GLOBAL general_log = 1'
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 1500
  sql db1 'SET GLOBAL general_log = 0' "SET GLOBAL log_output = 'FILE'"
  # Nothing is written any more while the helper ends them.
  [ "$(sql db1 "SELECT argument FROM mysql.general_log WHERE argument LIKE 'SET GLOBAL read_only%' OR argument LIKE 'KILL %'
    LIMIT 1")" = 'SET GLOBAL read_only = 1' ]
  [ "$(clients_of db1)" = 0 ]
  closed db1
}

@test "mysql_deny_write on a server that is down, frozen or cut off says so within the limit" {
  freeze db1
  run_helper db1 mysql_deny_write
  fails_with "Can't connect to MySQL (host = 10.77.0.11:3306, user = mmm_agent)!*frozen*; db1 may still take writes; shut it down if it must not"
  thaw db1
  kill_server db1
  run_helper db1 mysql_deny_write
  fails_with "Can't connect to MySQL (host = 10.77.0.11:3306, user = mmm_agent)!*refused*; no server listens there, so db1 takes no writes over that address"
  [[ $line != *'may still take writes'* ]]
  in_host db1 iptables -A INPUT -p tcp --dport 3306 -j DROP
  run_helper db1 mysql_deny_write
  fails_with "Can't connect to MySQL (host = 10.77.0.11:3306, user = mmm_agent)!*; db1 may still take writes; *"
}

@test "mysql_deny_write that is not let in says what is still open" {
  set_password db1 "$AGENT_USER" other
  run_helper db1 mysql_deny_write
  fails_with "Can't connect to MySQL *Access denied*; db1 may still take writes; shut it down if it must not"
  is_writable db1
}

@test "mysql_deny_write closes the server although mmm_helpers.yaml has an error, and says so" {
  settings db1 'tls: {hosts: {db9: required}}'
  run_helper db1 mysql_deny_write
  answers 0 'OK: mmm_helpers.yaml was not used, which has an error: tls.hosts in mmm_helpers.yaml names db9*'
  is_read_only db1
  journal_says db1 'continuing with the defaults'
}

@test "mysql_deny_write on a server that freezes while it is being closed answers within the limit" {
  only_on narrow 'SUPER is for both'
  settings db1 'limits: {call: 3s}'
  open_session app
  tells app 'LOCK TABLES entries WRITE'
  may_not db1 kill
  { wait_for 5 executes db1 'SET GLOBAL read_only%'; freeze db1; } 3>&- 4>&- &
  run_helper db1 mysql_deny_write
  thaw db1
  fails_with '*db1*did not answer*; whether read_only is on could not be read; db1 may still take writes; shut it down if it must not'
  within 3900
}

@test "without the privilege to set read_only, mysql_deny_write names it and the account" {
  may_not db1 read_only
  run_helper db1 mysql_deny_write
  fails_with "$(lacks read_only db1); read_only is off"
}

@test "without the privilege to end sessions, mysql_deny_write sets read_only and names what it lacks" {
  only_on narrow 'SUPER is for both'
  may_not db1 kill
  open_session app
  run_helper db1 mysql_deny_write
  fails_with "$(lacks kill db1); it may not end app@10.77.0.1:* (Sleep, * s); read_only is on"
  within 1000
  [ "$(clients_of db1)" = 1 ]
}

@test "without the privilege to end sessions, a client that holds read_only back is named within the limit" {
  only_on narrow 'SUPER is for both'
  settings db1 'limits: {call: 3s}'
  may_not db1 kill
  open_session app
  tells app 'LOCK TABLES entries WRITE'
  run_helper db1 mysql_deny_write
  fails_with "*lacks ${PRIVILEGE[kill]}*it may not end app@10.77.0.1:*; read_only is off"
  within 3500
  # Nothing of the attempt is left: others write as before.
  tells app 'UNLOCK TABLES'
  tells app 'INSERT INTO entries () VALUES ()'
}

@test "without the privilege to see all sessions, mysql_deny_write does not believe that there are none" {
  may_not db1 sessions
  open_session app
  run_helper db1 mysql_deny_write
  fails_with "$(lacks sessions db1)*; read_only is on"
}

@test "without the privilege to read the end of the log, mysql_deny_write sets read_only and names what it lacks" {
  only_on narrow 'SUPER is for all'
  may_not db1 log
  run_helper db1 mysql_deny_write
  fails_with "$(lacks log db1)*; read_only is on"
}

@test "with the narrow privileges alone, mysql_deny_write works" {
  may_not db1
  idle_clients 5
  run_helper db1 mysql_deny_write
  answers 0 OK
  closed db1
}

@test "a call that was killed half-way is completed by the next one" {
  only_on narrow 'SUPER is for both'
  open_session app
  tells app 'LOCK TABLES entries WRITE'
  may_not db1 kill
  in_host db1 "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent >/dev/null 2>&1 3>&- 4>&- &
  wait_for 5 executes db1 'SET GLOBAL read_only%'
  in_host db1 bash -c 'for p in /proc/[0-9]*; do [[ $(<"$p/comm") == mysql_deny_writ* ]] && kill -KILL "${p#/proc/}"; done; true'
  may_not db1
  run_helper db1 mysql_deny_write
  answers 0 OK
  [ "$(clients_of db1)" = 0 ]
  closed db1
}

@test "mysql_deny_write warns where super_read_only is wanted and the server has none" {
  [[ " $LACKS " == *' super_read_only '* ]] || skip 'it has one'
  settings db1 'deny_write: {super_read_only: true}'
  run_helper db1 mysql_deny_write
  answers 0 OK
  journal_says db1 'no super_read_only'
  is_read_only db1
}

@test "an unknown blocking_type is an error that leaves the server closed" {
  configure db1 default blocking_type gentle
  idle_clients 3
  run_helper db1 mysql_deny_write
  fails_with "Unknown blocking_type gentle;*db1 is closed as with 'hard'*"
  closed db1
}

@test "notes on a mount that answers nobody keep no server open" {
  in_host db1 mkdir -p /var/lib/mysql-mmm
  stick db1 /var/lib/mysql-mmm
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 3000
  closed db1
}

@test "a call that is given up says whether the host is closed, and where its last step is" {
  in_host db1 sh -c 'mkdir -p /etc/stuck && mv /etc/mysql-mmm/mmm_agent_db1.conf /etc/mysql-mmm/kept &&
    ln -s /etc/stuck/agent /etc/mysql-mmm/mmm_agent_db1.conf'
  stick db1 /etc/stuck
  run_helper db1 mysql_deny_write
  unstick
  in_host db1 mv /etc/mysql-mmm/kept /etc/mysql-mmm/mmm_agent_db1.conf
  fails_with 'no answer within the time limit, the call was given up; this host may still take writes; shut it down if it must not; its last step is in /var/log/mysql-mmm/mmm_helpers.log'
  is_writable db1
}
