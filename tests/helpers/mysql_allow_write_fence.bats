#!/usr/bin/env bats
# allow_write.fence: a command of the site must succeed before writes are opened while the peer is silent.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() {
  reset_cluster
  folder=$(host_dir db2)/mysql-mmm
  rm -f "$folder"/fence*
  sql db1 'SET GLOBAL read_only = 0'
}
teardown() {
  dump_on_failure
  rm -f "$folder"/fence*
}

# fence WHAT — a command of db2 that records its arguments and does what the shell words WHAT say.
fence() {
  cat >"$folder/fence" <<END
#!/bin/sh
echo "\$@" >>/etc/mysql-mmm/fence.called
$1
END
  chmod 755 "$folder/fence"
  settings db2 'allow_write: {fence: {command: [/etc/mysql-mmm/fence, off, "{peer}", "{peer_address}", "by={host}/{address}"]}}'
}

# asks_outside — the command waits until somebody outside has switched the peer off.
asks_outside() {
  fence 'touch /etc/mysql-mmm/fence.asked
    until [ -e /etc/mysql-mmm/fence.done ]; do sleep 0.1; done'
  sed -i 's/^/limits: {call: 20s}\n/; s/command/limit: 10s, command/' "$folder/mmm_helpers.yaml"
}

# asks — true once a call in the background has come to the fence; its answer will be in the file `asked`.
asks() {
  rm -f "$BATS_TEST_TMPDIR/asked"
  in_host db2 "$MMM_AGENT_DIR/mysql_allow_write" mmm_agent_db2 >"$BATS_TEST_TMPDIR/asked" 2>/dev/null 3>&- 4>&- &
  until [[ -e $folder/fence.asked ]]; do
    ! has_answered || return 1
    sleep 0.05
  done
}
has_answered() { [[ -s $BATS_TEST_TMPDIR/asked ]]; }

calls() { if [[ -e $folder/fence.called ]]; then wc -l <"$folder/fence.called"; else echo 0; fi; }

opens() {
  run_helper db2 mysql_allow_write
  answers 0 OK && ! is_read_only db2
}

stays_closed() {
  run_helper db2 mysql_allow_write
  answers 255 "ERROR: $1" && in_time && is_read_only db2
}

is_no_longer_alive() { ! [[ $line == 'ERROR: db1 is alive '* ]]; }

# is_silent HOW… — db1 falls silent, and its heartbeat is overdue.
is_silent() {
  caught_up db2 db1
  "$@"
  wait_for 8 eval 'run_helper db2 mysql_allow_write; is_no_longer_alive'
}

@test "two masters take writes and cannot see each other: with a fence never both" {
  asks_outside
  caught_up db2 db1
  drop_packets db2 db1
  # From outside: whether both are open at one moment.
  (
    while [[ ! -e $BATS_TEST_TMPDIR/stop ]]; do
      ! is_read_only db2 2>/dev/null || continue
      is_read_only db1 2>/dev/null || ! sql db1 'DO 1' 2>/dev/null || touch "$BATS_TEST_TMPDIR/both"
    done
  ) 3>&- 4>&- &
  watcher=$!
  (
    wait_for 20 test -e "$folder/fence.asked"
    # db1 still takes writes, and db2 does not.
    insert db1
    is_read_only db2 && touch "$BATS_TEST_TMPDIR/closed"
    kill_server db1
    touch "$folder/fence.done"
  ) 3>&- 4>&- &

  wait_for 20 opens

  touch "$BATS_TEST_TMPDIR/stop"
  wait "$watcher"
  [ -e "$BATS_TEST_TMPDIR/closed" ]
  [ ! -e "$BATS_TEST_TMPDIR/both" ]
  [ "$(head -n 1 "$folder/fence.called")" = "off db1 $(host_ip db1) by=db2/$(host_ip db2)" ]
  pass_packets db2
}

@test "a fence that fails keeps writes closed and says why; once it succeeds they are opened" {
  fence 'echo the power switch does not answer; exit 7'
  is_silent kill_server db1

  stays_closed "db1 does not answer, and could not be fenced: allow_write.fence: '/etc/mysql-mmm/fence off db1 *' exited with 7: the power switch does not answer; writes stay closed. *mysql_allow_write --force"

  fence true
  opens
}

@test "a fence that hangs is ended at its limit, and writes stay closed" {
  fence 'sleep 600'
  sed -i 's/command/limit: 1s, command/' "$folder/mmm_helpers.yaml"
  is_silent kill_server db1
  stays_closed "db1 does not answer, and could not be fenced: * did not end within 1.0s; *"
}

# Log-ins at db1 and db3, whose packets are dropped, take most of a call.
@test "a fence that needs more time than the gate leaves is not ended half-way: the next call runs it first" {
  fence 'sleep 2; touch /etc/mysql-mmm/fence.done'
  sed -i 's/^/limits: {call: 4s}\n/; s/command/limit: 3s, command/' "$folder/mmm_helpers.yaml"
  caught_up db2 db1
  drop_packets db2 db1
  drop_packets db2 db3
  run_helper db2 mysql_allow_write
  until is_no_longer_alive; do run_helper db2 mysql_allow_write; done

  answers 255 'ERROR: db1 does not answer, and could not be fenced: *the next call runs it first*'
  wait_for 12 opens

  [ -e "$folder/fence.done" ]
  [ "$(calls)" = 1 ]
  pass_packets db2
}

@test "a fence that was left to the next call is not run against a peer that is heard again" {
  fence true
  sed -i 's/^/limits: {call: 4s}\n/; s/command/limit: 3s, command/' "$folder/mmm_helpers.yaml"
  caught_up db2 db1
  freeze db1
  drop_packets db2 db3
  wait_for 12 eval 'run_helper db2 mysql_allow_write; [[ $line == *"the next call runs it first"* ]]'

  # Its replication connection lives on; a packet filter keeps log-ins out.
  drop_connections db1 db2
  thaw db1
  wait_for 5 follows db2 db1
  run_helper db2 mysql_allow_write
  answers 255 'ERROR: db1 is alive although nobody can log in there *'

  [ "$(calls)" = 0 ]
  is_read_only db2
  pass_packets db1
  pass_packets db2
}

@test "a fence that another user could have changed is not run, and writes stay closed" {
  fence true
  chmod 777 "$folder/fence"
  is_silent kill_server db1
  stays_closed "db1 does not answer, and could not be fenced: allow_write.fence: its program is not run: *"
  [ "$(calls)" = 0 ]
}

@test "a success counts until the peer answers: the next silence is fenced anew" {
  asks_outside
  caught_up db2 db1
  freeze db1
  wait_for 8 asks
  # Something keeps db2 closed all the same.
  busy db2 writes
  touch "$folder/fence.done"
  wait_for 20 has_answered
  calls=$(calls)

  stays_closed 'another helper is closing or opening db2 *'
  release db2
  thaw db1
  wait_for 5 eval 'run_helper db2 mysql_allow_write; [[ $line == "ERROR: db1 still takes writes"* ]]'
  [ "$(calls)" = "$calls" ]

  freeze db1
  wait_for 8 opens
  [ "$(calls)" = $((calls + 1)) ]
  thaw db1
}

@test "a success is remembered while the same silence lasts: the next call opens without another one" {
  asks_outside
  caught_up db2 db1
  kill_server db1
  wait_for 8 asks
  busy db2 writes
  touch "$folder/fence.done"
  wait_for 20 has_answered
  is_read_only db2
  calls=$(calls)
  release db2
  wait_for 5 eval '[[ -z $(lock_holder db2) ]]'

  opens

  [ "$(calls)" = "$calls" ]
}

@test "a peer that answers is not fenced" {
  fence true
  sql db1 'SET GLOBAL read_only = 1'
  caught_up db2 db1
  opens
  [ "$(calls)" = 0 ]
}

@test "a host that replicates from nobody is opened beside a silent peer only after the fence" {
  fence 'exit 1'
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  kill_server db1
  stays_closed 'db1 does not answer, and could not be fenced: *'
  fence true
  opens
}

@test "a dry run names the command and does not run it" {
  fence true
  is_silent kill_server db1
  before=$(calls)
  sql db2 'SET GLOBAL read_only = 1'

  run_helper db2 mysql_allow_write --dry-run

  [[ $output$stderr == *"/etc/mysql-mmm/fence off db1"* ]]
  [ "$(calls)" = "$before" ]
  is_read_only db2
}
