#!/usr/bin/env bats
# mysql_deny_write with blocking_type soft: running writes get time, new clients are kept away meanwhile, and
# whatever becomes of the helper or of the configured commands, no packet filter rule stays.

load ../lib/cluster
load ../lib/answers
load ../lib/clients

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() {
  reset_cluster
  # It belongs to root, so a reset, which stands for a restart of the machine, removes it.
  in_host db1 sh -c 'rm -f /run/mysql-mmm-*'
  configure db1 default blocking_type soft
  grace 5
}
teardown() { dump_on_failure; unstick; end_clients; }

# grace SECONDS — of all later calls on db1.
grace() { printf '\nmax_kill_retries %s\n' "$1" >>"$(host_dir db1)/mysql-mmm/mmm_common.conf"; }

RULE='INPUT ! -i lo -p tcp --syn --dport 3306 -j REJECT --reject-with tcp-reset'

# commands BLOCK UNBLOCK — in place of the default ones.
commands() {
  configure db1 default iptables_block_cmd "$1"
  configure db1 default iptables_unblock_cmd "$2"
}

# rules — how many rules of ours the packet filter of db1 has.
rules() { in_host db1 iptables -S INPUT | grep -c -- '--dport 3306' || true; }

blocked() { [[ $(rules) == 1 ]]; }

# nothing_left — no rule, and nothing that speaks of one.
nothing_left() {
  [[ $(rules) == 0 ]] || { in_host db1 iptables -S INPUT >&2; return 1; }
  run in_host db1 sh -c 'ls /run/mysql-mmm-*'
  [[ $status -ne 0 ]] || { echo "$output" >&2; return 1; }
}

# script NAME TEXT — a program in db1 of this text; prints its path.
script() {
  printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/$1"
  chmod +x "$BATS_TEST_TMPDIR/$1"
  printf '%s\n' "$BATS_TEST_TMPDIR/$1"
}

# in_background — mysql_deny_write on db1; its answer will be in $BATS_TEST_TMPDIR/answer.
in_background() {
  in_host db1 "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent >"$BATS_TEST_TMPDIR/answer" 2>/dev/null 3>&- 4>&- &
  background=$!
}

# commands_run — a script of these tests is asleep in db1, whose first process also is a sleep.
commands_run() { in_host db1 pgrep -x sleep | grep -qvx 1; }
commands_ended() { ! commands_run; }

# kill_helper — the one in the background, without warning; what it runs lives on.
kill_helper() {
  in_host db1 bash -c 'for p in /proc/[0-9]*; do
    [[ $(<"$p/comm") == mysql_deny_writ* ]] && kill -KILL "${p#/proc/}"; done 2>/dev/null; true'
  wait "$background" || true
  [[ ! -s $BATS_TEST_TMPDIR/answer ]]
}

# writing SECONDS — a statement of an application that takes so long, as a session named app.
writing() {
  open_session app
  say app "INSERT INTO entries (note) SELECT 'slow' FROM (SELECT COUNT(*), SLEEP($1) FROM entries) pause"
  wait_for 5 executes db1 'INSERT%SLEEP%'
}

slow_rows() { sql "$1" "SELECT COUNT(*) FROM app.entries WHERE note = 'slow'"; }

@test "without writes under way, idle clients cost no time" {
  idle_clients 20
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 1500
  [ "$(clients_of db1)" = 0 ]
  closed db1
  nothing_left
}

@test "a write that is under way is completed, acknowledged and on every host" {
  writing 2
  run_helper db1 mysql_deny_write
  answers 0 OK
  ((milliseconds >= 1000))
  within 4000
  [ "$(heard app)" = ok ]
  [ "$(slow_rows db2)" = 1 ]
  closed db1
  nothing_left
}

@test "a transaction between two statements is given time for its COMMIT" {
  open_session app
  tells app BEGIN "INSERT INTO entries (note) VALUES ('slow')"
  in_background
  sleep 0.3
  say app COMMIT
  [ "$(heard app)" = ok ]
  wait "$background"
  [ "$(<"$BATS_TEST_TMPDIR/answer")" = OK ]
  [ "$(slow_rows db2)" = 1 ]
  closed db1
}

@test "a transaction that was left lying is not waited for" {
  open_session app
  tells app BEGIN "INSERT INTO entries (note) VALUES ('slow')"
  sleep 2
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 2500
  [ "$(slow_rows db1)" = 0 ]
  closed db1
}

@test "a write that takes longer than max_kill_retries is ended then, and two seconds are enough for the rest" {
  grace 2
  writing 60
  run_helper db1 mysql_deny_write
  answers 0 OK
  ((milliseconds >= 1900))
  within 4000
  [ "$(slow_rows db1)" = 0 ]
  closed db1
  nothing_left
}

@test "with max_kill_retries 0 nobody is waited for" {
  grace 0
  writing 60
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 2000
  closed db1
  nothing_left
}

@test "new clients are refused while running ones finish, and come in again afterwards" {
  writing 3
  in_background
  wait_for 5 blocked
  run sql_as_app db1 'DO 1'
  [[ $output == *"Can't connect"* ]]
  wait "$background"
  [ "$(<"$BATS_TEST_TMPDIR/answer")" = OK ]
  sql_as_app db1 'DO 1'
  nothing_left
}

@test "a block command that fails is an error that leaves the server closed" {
  commands "$(script block 'echo "no such chain" >&2; exit 3')" "$(script unblock 'exit 1')"
  idle_clients 3
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Could not block port. '$BATS_TEST_TMPDIR/block' exited with 3: no such chain; db1 is closed all the same*"
  within 1500
  closed db1
  nothing_left
}

@test "a block command that does not exist is an error that leaves the server closed" {
  commands '/sbin/no-such-program -I' '/sbin/no-such-program -D'
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Could not block port. '/sbin/no-such-program -I' could not be started*"
  closed db1
  nothing_left
}

@test "a block command that hangs is ended, and the rule that it added goes" {
  commands "$(script block "/sbin/iptables -I $RULE; sleep 100 & wait")" "/sbin/iptables -D $RULE"
  grace 0
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Could not block port. '$BATS_TEST_TMPDIR/block' did not end within *"
  within 2000
  closed db1
  nothing_left
  commands_ended
}

# stuck_commands BLOCK UNBLOCK — these, and no file of /etc/stuck answers.
stuck_commands() {
  in_host db1 mkdir -p /etc/stuck
  commands "$1" "$2"
  stick db1 /etc/stuck
}

@test "a command that nothing can end leaves the server closed, and no call waits for it" {
  stuck_commands 'cat /etc/stuck/rule' 'cat /etc/stuck/rule'
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Could not block port. 'cat /etc/stuck/rule' did not end within 700*; db1 is closed all the same: read_only is on and no client is left"
  within 4000
  closed db1

  # It still has the marker's lock, so no call starts another one.
  local before
  before=$(in_host db1 pgrep -cx cat)
  for _ in 1 2 3; do run_helper db1 mysql_may_write; done
  [ "$(in_host db1 pgrep -cx cat)" -le "$before" ]

  sql db1 'SET GLOBAL read_only = 0'
  : >"$(host_dir db1)/log/mmm_helpers.log"
  run_helper db1 mysql_deny_write
  answers 255 'ERROR: Could not block port. /run/mysql-mmm-deny-write-*: process * of an earlier call does not end, not even by SIGKILL*; db1 is closed all the same*'
  within 4000
  closed db1
  [ "$(journal db1 | grep -c 'it is killed now')" = 1 ]

  unstick
  in_host db1 touch /etc/stuck/rule
  sql db1 'SET GLOBAL read_only = 0'
  run_helper db1 mysql_deny_write
  answers 0 OK
  closed db1
  nothing_left
}

@test "commands whose program is on a mount that answers nobody leave the server closed" {
  stuck_commands '/etc/stuck/block' '/etc/stuck/unblock'
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Could not block port. '/etc/stuck/block' did not end within 700*; db1 is closed all the same: read_only is on and no client is left"
  within 4000
  closed db1
}

@test "an unblock command that fails is an error, and the next call of each helper removes the rule" {
  local helper
  for helper in mysql_may_write mysql_allow_write mysql_deny_write; do
    sql db1 'SET GLOBAL read_only = 0'
    commands "/sbin/iptables -I $RULE" "$(script unblock 'exit 1')"
    run_helper db1 mysql_deny_write
    answers 255 "ERROR: Could not unblock port. '$BATS_TEST_TMPDIR/unblock' exited with 1*; db1 is closed all the same*"
    is_read_only db1
    blocked
    # The right command: the configuration has been fixed meanwhile.
    script unblock "exec /sbin/iptables -D $RULE"
    configure db1 default blocking_type hard
    run_helper db1 "$helper"
    nothing_left
    configure db1 default blocking_type soft
  done
}

@test "an unblock command that hangs does not keep the agent waiting" {
  grace 0
  commands "/sbin/iptables -I $RULE" "$(script unblock 'sleep 100')"
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Could not unblock port. *did not end within*"
  within 2000
  closed db1
  script unblock "exec /sbin/iptables -D $RULE"
  run_helper db1 mysql_may_write
  nothing_left
}

@test "a rule that is still there is not added a second time" {
  commands "/sbin/iptables -I $RULE" "$(script unblock 'exit 1')"
  run_helper db1 mysql_deny_write
  run_helper db1 mysql_deny_write
  answers 255 'ERROR: Could not unblock port. *'
  blocked
  script unblock "exec /sbin/iptables -D $RULE"
  run_helper db1 mysql_deny_write
  answers 0 OK
  nothing_left
}

@test "killed while running writes have time, it leaves a rule that the next helper removes" {
  local helper
  for helper in mysql_may_write mysql_allow_write mysql_deny_write; do
    sql db1 'SET GLOBAL read_only = 0'
    end_clients
    rm -f "$BATS_TEST_TMPDIR"/app.*
    writing 60
    in_background
    wait_for 5 blocked
    kill_helper
    blocked
    run_helper db1 "$helper"
    nothing_left
  done
  closed db1
}

@test "killed while the block command runs, it leaves nothing for long" {
  # With iptables alone, this moment is too short to be hit.
  commands "$(script block "sleep 0.4; exec /sbin/iptables -I $RULE")" "/sbin/iptables -D $RULE"
  in_background
  wait_for 5 commands_run
  kill_helper
  # The command is still running, and will add its rule.
  run_helper db1 mysql_may_write
  [ "$status" -eq 1 ]
  wait_for 5 commands_ended
  run_helper db1 mysql_may_write
  nothing_left
}

@test "killed while the block command hangs, it leaves nothing, and the command is ended" {
  commands "$(script block "/sbin/iptables -I $RULE; sleep 100")" "/sbin/iptables -D $RULE"
  in_background
  wait_for 5 blocked
  kill_helper
  blocked
  run_helper db1 mysql_may_write
  answers 1 'OK: Allowed'
  within 2000
  nothing_left
  commands_ended
}

@test "killed while the unblock command runs, it leaves nothing" {
  # Its name makes it one that can be asked whether the rule is there.
  commands "/sbin/iptables -I $RULE" "$(script iptables-slow '/sbin/iptables "$@"; code=$?
    [ "$1" = -C ] || sleep 0.4; exit $code') -D $RULE"
  in_background
  wait_for 5 commands_run
  kill_helper
  wait_for 5 commands_ended
  run_helper db1 mysql_deny_write
  answers 0 OK
  closed db1
  nothing_left
}

@test "ended by SIGTERM in the middle, it leaves a rule that the next helper removes" {
  writing 60
  in_background
  wait_for 5 blocked
  in_host db1 pkill -TERM -x mysql_deny_writ
  wait "$background" || true
  run_helper db1 mysql_may_write
  nothing_left
}

@test "a server that is down is not blocked" {
  kill_server db1
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: Can't connect to MySQL*"
  nothing_left
}

@test "without the privilege to set read_only, no rule stays" {
  may_not db1 read_only
  run_helper db1 mysql_deny_write
  answers 255 "ERROR: *lacks ${PRIVILEGE[read_only]}*; read_only is off"
  nothing_left
}

@test "a command with words that only a shell understands is given to one, without anything else" {
  commands "/sbin/iptables -I $RULE && echo blocked >$BATS_TEST_TMPDIR/said" "/sbin/iptables -D $RULE"
  run_helper db1 mysql_deny_write
  answers 0 OK
  [ "$(<"$BATS_TEST_TMPDIR/said")" = blocked ]
  nothing_left
}

@test "two calls at once use one rule, and none stays" {
  writing 1
  in_background
  run_helper db1 mysql_deny_write
  answers 0 OK
  wait "$background"
  [ "$(<"$BATS_TEST_TMPDIR/answer")" = OK ]
  closed db1
  nothing_left
}

@test "by hand, --wait replaces the time that the configuration gives" {
  grace 60
  writing 60
  run_bare db1 mysql_deny_write --wait 3 mmm_agent
  answers 0 OK
  within 3000
  closed db1
  nothing_left
}

@test "the agent reads OK" {
  agent_call --joined db1 mysql_deny_write
  expect_agent_read 0 OK
  closed db1
  nothing_left
}

@test "killed at any moment, it leaves nothing that the next helper does not remove" {
  local delay blocked=0
  for ((delay = 0; delay < 120; delay += 3)); do
    in_host db1 perl -MTime::HiRes=usleep -e 'my $id = fork // die; unless ($id) { open STDOUT, ">", "/dev/null"; exec @ARGV[1 .. $#ARGV] }
      usleep(1000 * $ARGV[0]); kill KILL => $id; waitpid $id, 0' "$delay" "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent
    # The command that it was running may still run.
    wait_for 2 eval '! in_host db1 pgrep -x "iptables|xtables-nft-mul"'
    if blocked; then blocked=$((blocked + 1)); fi
    run_helper db1 mysql_may_write
    nothing_left || { echo "killed after $delay ms" >&2; return 1; }
    sql db1 'SET GLOBAL read_only = 0'
  done
  # At least one kill came while there was a rule; otherwise this test has shown nothing.
  ((blocked > 0))
}
