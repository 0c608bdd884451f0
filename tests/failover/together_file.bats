#!/usr/bin/env bats
# Two helpers at once on one host: one works, the other waits for it or says so, and never do two of them change
# replication in turns. The server's general log shows who did what.

load ../lib/cluster
load ../lib/failover

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() {
  fresh_order
  sql db3 "SET GLOBAL log_output = 'TABLE'" 'SET GLOBAL general_log = 1'
  ends_writing
}
teardown() { end_order; }

# at_once HELPER ARGUMENTS… [-- HELPER ARGUMENTS…]… — all of them on db3; their answers are in $answers.
at_once() {
  local call=() calls=0 word
  sql db3 'SET GLOBAL general_log = 0' 'SET sql_log_bin = 0' 'TRUNCATE mysql.general_log' 'SET GLOBAL general_log = 1'
  for word in "$@" --; do
    if [[ $word != -- ]]; then call+=("$word"); continue; fi
    calls=$((calls + 1))
    in_host db3 "$MMM_AGENT_DIR/${call[0]}" mmm_agent_db3 "${call[@]:1}" >"$BATS_TEST_TMPDIR/answer.$calls" \
      2>&1 3>&- 4>&- &
    call=()
  done
  wait
  answers=$(cat "$BATS_TEST_TMPDIR"/answer.*)
}

# What was done to replication, a line each: connection and first word, in the order in which it began.
deeds() {
  sql db3 "SELECT thread_id, SUBSTRING_INDEX(CONVERT(argument USING utf8), ' ', 1) FROM mysql.general_log
    WHERE command_type = 'Query' AND CONVERT(argument USING utf8) REGEXP '^(STOP|START|CHANGE) '"
}

# none_between — a helper that has begun continues until it is done: no connection comes twice.
none_between() {
  deeds | awk '$1 != last { if ($1 in seen) bad = 1; seen[$1] = 1; last = $1 } END { exit bad }' && return 0
  deeds >&2
  return 1
}

changes() { deeds | grep -c CHANGE || true; }

@test "two calls with the same new master: one moves the slave, and both end well or the other says why not" {
  local round master=db1 next=db2 swap
  for round in 1 2 3 4 5 6; do
    at_once set_active_master "$next" -- set_active_master "$next"

    [[ $'\n'$answers == *$'\n'OK* ]]
    [ "$(grep -vcE '^(OK|OK: We are already a slave of the new master|ERROR: another helper .*)$' <<<"$answers")" = 0 ]
    none_between
    [ "$(changes)" = 1 ]
    replicates db3 "$next"
    swap=$master master=$next next=$swap
  done
  open_writes "$master"
  nothing_lost "$master" db1 db2 db3
}

@test "two calls with different masters: one after the other" {
  local round now

  for round in 1 2 3 4; do
    at_once set_active_master db1 -- set_active_master db2 -- set_active_master db1

    [ "$(grep -vcE '^(OK|OK: We are already a slave of the new master|ERROR: another helper .*)$' <<<"$answers")" = 0 ]
    none_between
    [ "$(threads db3)" = 'Yes Yes' ]
  done
  now=db1
  if [[ $(replica_field db3 Master_Host) == "$(host_ip db2)" ]]; then now=db2; fi
  open_writes "$now"
  nothing_lost "$now" db1 db2 db3
}

@test "a call while the slave is turned off and on: none comes between the statements of another" {
  local round
  for round in 1 2 3 4; do
    at_once turn_off_slave -- set_active_master db2 -- turn_on_slave -- set_active_master db1

    none_between
    [ "$(grep -vcE '^(OK|OK: We are already a slave of the new master|ERROR: .*)$' <<<"$answers")" = 0 ]
  done

  agent_call db3 turn_on_slave
  moves_or_has_moved db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}

moves_or_has_moved() { move "$@" && expect_agent_read 0 'OK*' && replicates "$@"; }

@test "the second call comes while the first one waits for a slow stop: it says who is at work, and changes nothing" {
  call_limit db3 4
  hold db3
  open_writes db1
  write db1
  fetched_all db3 db1
  close_writes db1
  caught_up db2 db1
  # While the new master is closed, no slave that applies is stopped.
  open_writes db2
  { in_host db3 "$MMM_AGENT_DIR/set_active_master" mmm_agent_db3 db2 >"$BATS_TEST_TMPDIR/first" 2>&1; } 3>&- 4>&- &
  wait_for 5 eval '[[ $(deeds) == *STOP* ]]'

  move db3 db2

  expect_agent_read 255 'ERROR: connection * on db3 holds the lock of these helpers: *'
  none_between
  release db3
  wait
  wait_for 10 eval '[ "$(threads db3)" = "Yes Yes" ]'
  moves_or_has_moved db3 db2
  open_writes db2
  nothing_lost db2 db1 db3
}
