#!/usr/bin/env bats
# Helpers that a person runs: on a terminal a wait shows what it waits for and how much is left, and Ctrl-C leaves
# replication as it was found. Without a terminal there is neither.

load ../lib/cluster
load ../lib/answers
load ../lib/terminal

setup_file() {
  cluster_for_file
  sql db1 'CREATE TABLE app.slow (a INT) ENGINE = MyISAM'
}
teardown_file() { end_cluster; }
setup() {
  sql db1 'SET GLOBAL read_only = 0'
  for host in db2 db3; do caught_up "$host" db1; done
}
teardown() {
  dump_on_failure
  local host
  for host in "${HOSTS[@]}"; do if holding "$host"; then lets_go "$host"; fi; done
}

# slow_rows HOST SECONDS COUNT — so many rows of db1, for each of which HOST's applier takes that long, and which
# STOP SLAVE waits for: what changes a MyISAM table cannot be rolled back.
slow_rows() {
  local row statements=("SET SESSION binlog_format = STATEMENT")
  for ((row = 0; row < $3; row++)); do
    statements+=("INSERT INTO app.slow SELECT IF(@@hostname = '$1', SLEEP($2), 0)")
  done
  sql db1 "${statements[@]}"
}

# lets_go HOST — as `release`, and seen to be so.
lets_go() {
  release "$1"
  wait_for 5 eval "[[ -z \$(lock_holder $1) ]]"
}

# behind HOST — it lags until `lets_go HOST`, with nothing more to be written.
behind() {
  hold "$1"
  insert db1; insert db1; insert db1
  sql db1 'SET GLOBAL read_only = 1'
}

state_of() { echo "$(replica_field "$1" Master_Host) $(threads "$1")"; }

# numbers_left — how much was left, each time that another number was shown.
numbers_left() { grep -aoE '[0-9.,]+ (B|KiB|transactions?) left' "$screen" | tr -d , | awk '{ print $1 }' | uniq; }

@test "on a terminal a wait shows how much is left, which falls; what is quick shows nothing" {
  slow_rows db2 0.7 5
  sql db1 'SET GLOBAL read_only = 1'
  on_terminal db2 sync_with_master
  ended
  answers_on_terminal 0 OK
  shows '[0-9]s +[0-9.,]+ (B|KiB|transactions?) left(, [^:]*)?: waiting for db2 to apply what db1 wrote'
  shows 'left, [0-9.]+( B| KiB)?/s, about [0-9]+s: '
  (($(numbers_left | wc -l) >= 3))
  numbers_left | sort -c -r -n

  on_terminal db2 sync_with_master
  ended
  answers_on_terminal 0 OK
  ! grep -a 'waiting' "$screen" || false
}

@test "lines of the journal on a terminal are not torn by what is drawn there" {
  behind db2
  on_terminal db2 sync_with_master --wait 60
  shows 'left.*: waiting for db2'
  press_ctrl_c
  ended
  # Each begins where the line was cleared, and ends with a line's end.
  grep -aqE $'(^|\r|\033\\[2K)  WARN: signal 2: ending the wait[^\r\033]*\r?$' "$screen"
  # Nothing is left of the drawing on any line.
  ! sed -E $'s/.*\033\\[2K//' "$screen" | grep -a 'waiting for' || false
}

@test "without a terminal nothing is drawn, and a signal ends a helper as ever" {
  behind db2
  settings db2 'limits: {call: 1s}'
  run_helper db2 sync_with_master
  answers 255 'ERROR: * from db1 not yet applied*'
  rm "$(host_dir db2)/mysql-mmm/mmm_helpers.yaml"

  local call
  in_host db2 "$MMM_AGENT_DIR/sync_with_master" mmm_agent_db2 --wait forever >"$BATS_TEST_TMPDIR/out" 2>&1 &
  call=$!
  sleep 1
  kill -TERM "$call"
  status=0
  wait "$call" || status=$?
  ((status == 143))
  [ ! -s "$BATS_TEST_TMPDIR/out" ]
}

@test "Ctrl-C while sync_with_master waits leaves replication as it was found, and says so" {
  behind db2
  local before
  before=$(state_of db2)
  on_terminal db2 sync_with_master --wait forever
  shows 'left.*: waiting for db2'
  press_ctrl_c
  ended
  answers_on_terminal 255 'ERROR: interrupted: replication on db2 from * was left as it was found: both threads run'
  [ "$(state_of db2)" = "$before" ]
  is_read_only db1
}

@test "a terminal that is closed is as good as Ctrl-C" {
  behind db2
  local before
  before=$(state_of db2)
  on_terminal db2 sync_with_master --wait forever
  shows 'left.*: waiting for db2'
  kill -KILL "$terminal"
  wait_for 5 eval "journal db2 | grep 'answered' | tail -n 1 | grep -F 'ERROR: interrupted: replication on db2'"
  [ "$(state_of db2)" = "$before" ]
}

@test "Ctrl-C while set_active_master waits for the new master leaves the slave as it was found" {
  behind db2
  caught_up db3 db1
  local before
  before=$(state_of db3)
  on_terminal db3 set_active_master db2 --wait forever
  shows 'waiting for .*db2'
  press_ctrl_c
  ended
  answers_on_terminal 255 'ERROR: interrupted: db3 was not moved from db1: nothing was changed'
  [ "$(state_of db3)" = "$before" ]

  # A stopped thread that was started to find out its position is stopped again.
  stop_replica_thread db3 SQL_THREAD
  before=$(state_of db3)
  on_terminal db3 set_active_master db2 --wait forever
  shows 'waiting for .*db2'
  press_ctrl_c
  ended
  answers_on_terminal 255 'ERROR: interrupted: db3 was not moved from db1: left as it was found: the SQL thread is stopped'
  [ "$(state_of db3)" = "$before" ]
  lets_go db2
  start_replica_thread db3
}

@test "Ctrl-C, and once more, while a slave is being stopped: it goes on from its old master" {
  slow_rows db3 4 1
  caught_up db2 db1
  sql db1 'SET GLOBAL read_only = 1'
  local before rows
  before=$(state_of db3)
  on_terminal db3 set_active_master db2 --wait forever
  shows 'waiting for db3 to stop replicating'
  press_ctrl_c
  shows 'ending the wait'
  press_ctrl_c
  shows 'please wait'
  ended
  answers_on_terminal 255 'ERROR: interrupted: db3 was not moved from db1: it replicates from db1 as before'
  wait_for 5 eval "[[ \$(state_of db3) == '$before' ]]"
  rows_equal db1 db3
}

@test "Ctrl-C while another helper is waited for changes nothing, but a server that shall be closed is read-only" {
  busy db1 writes
  on_terminal db1 mysql_deny_write --wait 60
  shows 'waiting for another helper'
  press_ctrl_c
  ended
  answers_on_terminal 255 'ERROR: interrupted: db1 is not closed for certain; read_only is on'
  is_read_only db1
  busy db3 replication
  on_terminal db3 turn_off_slave --wait 60
  shows 'waiting for another helper'
  press_ctrl_c
  ended
  answers_on_terminal 255 'ERROR: interrupted: another helper was waited for, and nothing was changed on db3'
  runs_from db3 db1
}

@test "Ctrl-C before a server is closed to writes says that it is not" {
  sql db1 'BEGIN' "INSERT INTO app.entries (note) VALUES ('open')" 'DO SLEEP(50)' >/dev/null 2>&1 3>&- 4>&- &
  wait_for 5 holding db1
  printf '\nblocking_type soft\nmax_kill_retries 60\n' >>"$(host_dir db1)/mysql-mmm/mmm_common.conf"
  on_terminal db1 mysql_deny_write
  shows 'waiting for running writes to end'
  press_ctrl_c
  ended
  answers_on_terminal 255 'ERROR: interrupted: db1 is not closed for certain; read_only is off'
  ! is_read_only db1 || false
  ! in_host db1 iptables -S | grep 3306 || false
}

@test "every helper that waits takes --wait" {
  local helper
  for helper in turn_off_slave turn_on_slave; do
    run_helper db3 "$helper" --wait forever
    answers 0 OK
  done
  run_helper db3 turn_off_slave --wait soon
  answers 1 'Usage: *'
}

@test "a terminal that takes no more lines keeps no server open, and the answer comes" {
  sql db1 'SET GLOBAL read_only = 0'
  on_unread_terminal file db1 mysql_deny_write -v -v mmm_agent
  answers 0 OK
  within 3000
  is_read_only db1
  journal_says db1 'answered "OK"'
}

@test "an answer that a terminal does not take is in the journal, and the call ends in time" {
  sql db1 'SET GLOBAL read_only = 0'
  on_unread_terminal terminal db1 mysql_deny_write -v -v mmm_agent
  ((status == 2))
  within 9000
  is_read_only db1
  journal_says db1 'answered "OK"'
  journal_says db1 'stdout cannot be written: the terminal takes nothing'
  sql db1 'SET GLOBAL read_only = 0'
  on_unread_terminal terminal db1 mysql_may_write mmm_agent
  ((status == 1))
}

@test "a terminal that takes no more lines stops no move half way" {
  sql db1 'SET GLOBAL read_only = 1'
  on_unread_terminal file db3 set_active_master -v -v mmm_agent db2
  answers 0 'OK*'
  within 8000
  wait_for 5 runs_from db3 db2
  on_unread_terminal file db3 set_active_master -v -v mmm_agent db1
  answers 0 'OK*'
  wait_for 5 runs_from db3 db1
}

@test "a wait that a terminal cannot show ends in time all the same" {
  behind db2
  on_unread_terminal file db2 sync_with_master -v -v --wait 2 mmm_agent
  answers 255 'ERROR: * from db1 not yet applied*'
  within 4000
}
