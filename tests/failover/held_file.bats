#!/usr/bin/env bats
# Without GTIDs, the SQL thread of the old master is paused for a moment, and a late slave continues at the old master's
# position (docs/ORDERS.md, B2): db2 took over from db1 and writes, db1 follows it, db3 is told last.

load ../lib/cluster
load ../lib/failover
load ../lib/terminal

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() {
  if has_gtids; then skip 'GTIDs tell the place'; fi
  fresh_order
  # Otherwise its contents would show the position.
  in_any_order db1
  in_any_order db2
  sql db1 "SET GLOBAL log_output = 'TABLE'"
}
teardown() {
  has_gtids || end_order
}

MARKER=/var/lib/mysql-mmm/mysql-mmm-hold-

# hands_over OLD NEW — the role, while four clients write.
hands_over() {
  close_writes "$1"
  all_caught_up "$1" db1 db2
  open_writes "$2"
  keeps_writing "$2" 4
}

# settles NEW — nobody writes any more, and all is well.
settles() {
  stops_writing
  all_is_well "$1"
}

# all_is_well NEW — every row is everywhere, everything replicates, and nothing is left to do.
all_is_well() {
  nothing_lost "$1" db1 db2 db3 && [[ $(threads db1) == 'Yes Yes' && $(threads db2) == 'Yes Yes' && ! $(marker) ]]
}

marker() { in_host db3 sh -c "cat $MARKER* 2>/dev/null || true"; }

# log_of HOST — records what is done to replication there from now on; deeds HOST prints it.
log_of() {
  sql "$1" 'SET GLOBAL general_log = 0' 'SET sql_log_bin = 0' 'TRUNCATE mysql.general_log' 'SET GLOBAL general_log = 1'
}
deeds() {
  sql "$1" "SELECT CONVERT(argument USING utf8) FROM mysql.general_log
    WHERE command_type = 'Query' AND CONVERT(argument USING utf8) REGEXP '^(STOP|START|CHANGE) '"
}

# moves_when_asked_again — retried as the agent does it, because some refusals pass with time.
moves_when_asked_again() {
  local tries
  for ((tries = 0; tries < 8; tries++)); do
    move "$@" || return 1
    if [[ $answer == OK* ]]; then replicates "$@"; return; fi
    printf '%s\n' "$answer"
    [[ $(threads db1) == 'Yes Yes' ]] || { threads db1; return 1; }
    sleep 0.5
  done
  return 1
}

# killed_while_held DELAY — the helper is killed that many seconds after it has said whose SQL thread it will pause.
killed_while_held() {
  in_host db3 perl -MTime::HiRes=usleep,time -e '
    open STDOUT, ">", "/dev/null"; my ($marker, $delay) = splice @ARGV, 0, 2; my $pid = fork;
    if (!$pid) { exec @ARGV or exit 1 }
    my $end = time + 6;
    usleep 200 until grep { -s } glob "$marker*" or time > $end;
    usleep $delay * 1e6; kill KILL => $pid; waitpid $pid, 0' \
    "$MARKER" "$1" "$MMM_AGENT_DIR/set_active_master" mmm_agent_db3 "$2"
}

@test "the slave is told late, again and again, while four clients write: it has every row once" {
  local round old=db1 new=db2 swap
  for ((round = 0; round < ${MMM_ROUNDS:-6}; round++)); do
    if ((RANDOM % 2)); then stop_replica_thread db3; fi
    hands_over "$old" "$new"
    sleep "0.$((RANDOM % 10))"
    if ((RANDOM % 3 == 0)); then sql "$new" 'FLUSH LOGS'; fi
    moves_when_asked_again db3 "$new" || return 1
    settles "$new" || { echo "round $round" >&2; return 1; }
    swap=$old old=$new new=$swap
  done
}

@test "only the applying thread of the old master is stopped, once, and started again" {
  hands_over db1 db2
  log_of db1

  moves_when_asked_again db3 db2

  deeds db1
  [[ $(deeds db1 | sed 's/REPLICA/SLAVE/; s/ FOR CHANNEL .*//') == $'STOP SLAVE SQL_THREAD\nSTART SLAVE SQL_THREAD' ]]
  settles db2
}

@test "a dry run says whom the call would hold and what it would send, and touches nobody" {
  close_writes db1
  all_caught_up db1 db2 db3
  open_writes db2
  write db2
  all_caught_up db2 db1
  caught_up db3 db1
  log_of db1
  sql db3 "SET GLOBAL log_output = 'TABLE'"
  log_of db3

  run_helper db3 set_active_master --dry-run --format json db2

  expect_answer 0 '}'
  [[ -z $(deeds db1)$(deeds db3) && ! $(marker) && $(threads db1) == 'Yes Yes' ]]
  [[ $(jq -r .plan.action <<<"$output") == 'pause the SQL thread of db1 for a moment, '* ]]
  [[ $(jq -r '.changes[] | select(.kind == "sql") | "\(.host) \(.what)"' <<<"$output" | cut -d' ' -f1,2) == \
    $'db1 STOP\ndb3 STOP\ndb1 START\ndb3 CHANGE\ndb3 START' ]]
  [[ $(jq -r '.changes[] | select(.kind == "file").done' <<<"$output") == $'false\nfalse' ]]
}

@test "a helper is killed while it holds the old master: the next call lets that go on, and moves the slave" {
  local round left=0
  hands_over db1 db2
  for ((round = 0; round < ${MMM_RANDOM_KILLS:-8}; round++)); do
    # The first one at once: later, a call may have started the SQL thread already.
    killed_while_held "0.0$((round ? RANDOM % 3 : 0))$((round ? RANDOM % 10 : 1))" db2
    if [[ $(threads db1) == 'Yes No' && $(marker) == *'undo db1 '* ]]; then left=$((left + 1)); fi
    if [[ $(replica_field db3 Master_Host) == "$(host_ip db2)" ]]; then break; fi
  done
  printf 'left stopped: %s of %s\n' "$left" "$((round + 1))"
  ((left > 0))

  moves_when_asked_again db3 db2 || expect_agent_read 0 'OK: We are already a slave of the new master'

  settles db2
}

@test "Ctrl-C at random moments, the old master held or not: it goes on, and the answer says where the slave is" {
  local round old=db1 new=db2 interrupted=0
  for ((round = 0; round < ${MMM_ROUNDS:-6}; round++)); do
    hands_over "$old" "$new"
    on_terminal db3 set_active_master "$new"
    if ((round % 2)); then
      sleep "0.$((RANDOM % 40 + 10))"
    else
      until [[ $(marker) ]] || ! kill -0 "$terminal" 2>/dev/null; do :; done
    fi
    press_ctrl_c
    ended
    echo "$line"
    [[ $(threads "$old") == 'Yes Yes' && $(threads db3) == 'Yes Yes' && ! $(marker) ]]
    if [[ $line == ERROR* ]]; then
      interrupted=$((interrupted + 1))
      [[ $line == 'ERROR: interrupted: '* && $(replica_field db3 Master_Host) == "$(host_ip "$old")" ]]
    fi
    moves_when_asked_again db3 "$new" || expect_agent_read 0 'OK: We are already a slave of the new master'
    settles "$new"
    read -r old new <<<"$new $old"
  done
  echo "$interrupted interrupted"
}

@test "a helper was killed while it held the old master, which does not answer: the next call warns and goes on" {
  hands_over db1 db2
  until [[ $(marker) && $(threads db1) == 'Yes No' ]]; do
    killed_while_held 0.005 db2
    [[ $(replica_field db3 Master_Host) == "$(host_ip db1)" ]]
  done
  stops_writing
  reject_packets db1 db3

  move db3 db2

  expect_agent_read 255 'ERROR: *'
  [[ $(marker) == *'undo db1 '* && $(threads db1) == 'Yes No' ]]
  grep 'it may still be stopped' "$(host_dir db3)/log/mmm_helpers.log"
  pass_packets db1
  moves_when_asked_again db3 db2
  [[ ! $(marker) && $(threads db1) == 'Yes Yes' ]]
  nothing_lost db2 db1 db3
}

@test "an applying thread that an operator stopped stays stopped, and the slave where it is" {
  hands_over db1 db2
  stop_replica_thread db1 SQL_THREAD

  move db3 db2

  expect_agent_read 255 "$(unproved db2)"
  replicates db3 db1
  [[ $(threads db1) == 'Yes No' ]]
  start_replica_thread db1
  moves_when_asked_again db3 db2
  settles db2
}

@test "the slave cannot reach its old master's end: the old master is not stopped for it" {
  call_limit db3 3
  hold db3
  hands_over db1 db2
  log_of db1

  move db3 db2

  expect_agent_read 255 "$(unproved db2) [(]db3 has executed the log of db1 to *)*"
  [[ ! $(deeds db1) ]]
  release db3
  moves_when_asked_again db3 db2
  settles db2
}

@test "the slave gets stuck while the old master is held: that goes on before the slave does" {
  hands_over db1 db2
  # The helper waits a little after it has said whose SQL thread it will pause.
  in_host db3 strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:delay_exit=400000 \
    "$MMM_AGENT_DIR/set_active_master" mmm_agent_db3 db2 >"$BATS_TEST_TMPDIR/answer" 2>/dev/null 3>&- 4>&- &
  helper=$!
  wait_for 5 eval '[[ $(marker) ]]'
  freeze db3
  wait_for 5 eval '[[ $(threads db1) == "Yes No" ]]'

  wait "$helper" || true

  [[ $(<"$BATS_TEST_TMPDIR/answer") == 'ERROR: db3 did not answer within '* ]]
  [[ $(threads db1) == 'Yes Yes' && ! $(marker) ]]
  thaw db3
  moves_when_asked_again db3 db2
  settles db2
}

# behind_until_db1 COMMAND… — db3 lags until COMMAND, which runs 0.7 s later, has changed db1.
behind_until_db1() {
  ends_writing
  open_writes db2
  hold db3
  write db2 2
  caught_up db1 db2
  later 0.7 eval "$*; sleep 0.3; release db3"
}

@test "the old master writes although it is read-only: the slave stays, and is moved when it is asked again" {
  behind_until_db1 write db1

  move db3 db2

  expect_agent_read 255 "$(unproved db2) db1 still writes although it is read-only*"
  replicates db3 db1
  moves_when_asked_again db3 db2
  all_is_well db2
}

@test "the old master is busy with a long statement when it shall stop: it goes on, and so does the slave" {
  sql db1 'CREATE TABLE app.slow (a INT) ENGINE = MyISAM'
  behind_until_db1 keeps_old_master_busy

  move db3 db2

  expect_agent_read 255 'ERROR: db1 did not stop replicating within *'
  replicates db3 db1
  wait_for 10 eval '[[ $(threads db1) == "Yes Yes" ]]'
  moves_when_asked_again db3 db2
  all_is_well db2
}
keeps_old_master_busy() {
  sql db2 'SET SESSION binlog_format = STATEMENT' "INSERT INTO app.slow SELECT IF(@@hostname = 'db1', SLEEP(5), 0)"
}

@test "attach.touch_old_master is false: the slave stays, and the old master is left alone" {
  settings db3 'attach: { touch_old_master: false }'
  hands_over db1 db2
  log_of db1

  move db3 db2

  expect_agent_read 255 "$(unproved db2) [(]db1 could show the position, but attach.touch_old_master is false)*"
  [[ ! $(deeds db1) && $(threads db1) == 'Yes Yes' ]]
  settings db3 ''
  moves_when_asked_again db3 db2
  [[ $(deeds db1) == STOP* ]]
  settles db2
}
