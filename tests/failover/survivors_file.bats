#!/usr/bin/env bats
# db1 was the writer and dies when only the slave db3 has got the last that it wrote. The new master db2 takes that over
# from db3 before it takes writes, so that no row is lost and db3 can follow it (docs/FAILOVER.md, 5.2).

load ../lib/cluster
load ../lib/failover
load ../lib/survivors

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
# What does not depend on how replicas keep their position runs in one of the two modes.
setup() {
  if [[ " ${BATS_TEST_TAGS[*]} " == *' any-mode '* && $MMM_REPLICATION != file ]]; then skip 'as by file and position'; fi
  fresh_order
}
teardown() {
  [[ ${BATS_TEST_SKIPPED:-} ]] || end_order
  end_second_slave
}

# opens_without [HOW_MANY] — `require` keeps writes closed and names db3 and what only that has; then `try` opens them,
# and says it, too.
opens_without() {
  local helper how_many=${1:-}
  settings db2 'allow_write: { survivors: require }'
  for helper in sync_with_master mysql_allow_write; do
    agent_call db2 "$helper"
    expect_agent_read 255 "ERROR: *only db3 has *mmm_difference db3 db2*" && [[ $answer == *$how_many* ]] || return 1
    is_read_only db2 || return 1
  done
  settings db2 ''
  for helper in sync_with_master mysql_allow_write; do
    agent_call db2 "$helper"
    expect_agent_read 0 "OK: *only db3 has *mmm_difference db3 db2*" && [[ $answer == *$how_many* ]] || return 1
  done
  is_open && is_back && journal_says db2 'mmm_difference db3 db2'
}

@test "the slave is told first: it stays; the new master takes over what only the slave has, opens, and the slave follows" {
  dies_ahead 3

  refuses_to_move db3 db2 "$TAKES_OVER"
  takes_over

  has_transactions db2 9
  moves db3 db2
  all_agree
}

@test "both were made from a backup, and keep their place by file and position: the new master takes over what only the slave has" {
  [[ $MMM_SERVER == mysql-* && $MMM_REPLICATION == gtid ]] || skip 'of MySQL with GTIDs, which keeps both modes apart'
  leaves_traces
  for host in db2 db3; do
    made_from_backup "$host"
    by_file_and_position "$host" db1
  done
  write db1
  all_caught_up db1 db2 db3
  dies_ahead 3

  gets OK db2 mysql_allow_write

  has_transactions db2 10
  move db3 db2
  expect_agent_read 0 OK
  same_rows db2 db3
}

@test "the new master is told first, and it could not sync: it opens with what only the slave had" {
  dies_ahead 3

  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK
  is_open
  is_back

  has_transactions db2 9
  moves db3 db2
  all_agree
}

@test "the new master's SQL thread starts slowly when it goes back to the dead master: that is waited for, in one call" {
  [[ $MMM_REPLICATION == gtid ]] || skip 'by file and position, the thread need not say anything'
  leaves_traces
  local starting
  starting=$(sql db2 "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('init_slave', 'init_replica')" | head -1 | cut -f1)
  sql db2 "SET GLOBAL $starting = 'SELECT SLEEP(0.2)'"
  dies_ahead 3

  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK

  is_open && is_back
  has_transactions db2 9
  moves db3 db2
  all_agree
}

@test "slave and new master are told at the same moment, the new master twice: in the end all is well" {
  local answer_of
  dies_ahead 3

  at_once db3 set_active_master db2
  at_once db2 sync_with_master
  at_once db2 mysql_allow_write
  for answer_of in $(they_answer | tr ' ' _); do
    echo "$answer_of"
    [[ $answer_of == OK || $answer_of == ERROR:_* ]]
  done

  gets OK db2 sync_with_master
  gets OK db2 mysql_allow_write
  has_transactions db2 9
  all_agree
}

@test "nobody has more than the new master: it opens as ever, and nobody's replication is touched" {
  local before
  write db1 2
  all_caught_up db1 db2 db3
  kill_server db1
  wait_for 5 has_lost db2
  before=$(standing db2)$(standing db3)

  takes_over

  [ "$(standing db2)$(standing db3)" = "$before" ]
  moves db3 db2
  all_agree
}

# bats test_tags=any-mode
@test "the slave has less than the new master: that opens as ever, and the slave gets the rest from it" {
  cut_off db3
  write db1 3
  caught_up db2 db1
  dies

  takes_over

  has_transactions db2 9
  moves db3 db2
  all_agree
}

@test "the slave has fetched what only it has and is still applying it: the new master waits for that" {
  hold db3
  cut_off db2
  write db1 3
  fetched_all db3 db1
  dies
  later 1 release db3

  takes_over

  has_transactions db2 9
  moves db3 db2
  all_agree
}

@test "the slave is told first while it still applies, and has fetched more than the new master: nothing is thrown away" {
  hold db3
  write db1 2
  caught_up db2 db1
  cut_off db2
  write db1 3
  fetched_all db3 db1
  dies
  later 1 release db3

  move db3 db2
  expect_agent_read 255 "$TAKES_OVER"
  takes_over

  has_transactions db2 11
  moves db3 db2
  all_agree
}

@test "applying on the slave was stopped when it had fetched what only it has: it stays until the new master has that" {
  stop_replica_thread db3 SQL_THREAD
  cut_off db2
  write db1 3
  fetched_all db3 db1
  dies

  move db3 db2
  expect_agent_read 255 "$TAKES_OVER"
  takes_over

  has_transactions db2 9
  moves db3 db2
  all_agree
}

# By GTID, a start of both threads of a MariaDB begins a new relay log. Log-ins are answered from memory: they do not show
# that the old master could not send the last rows again.
@test "both threads of the slave are stopped, only it has fetched the last rows, and the old master cannot read its log: they stay" {
  only_on MariaDB 'it keeps its relay log'
  [[ $MMM_REPLICATION == gtid ]] || skip 'by file and position, a start keeps the relay log'
  stop_replica_thread db3 SQL_THREAD
  cut_off db2
  write db1 3
  fetched_all db3 db1
  stop_replica_thread db3
  close_writes db1
  local file
  read -r file _ <<<"$(binlog_end db1)"
  file=$(host_dir db1)/data/$file

  # A file of the log cannot be opened. The server has it open, and would write on.
  mv "$file" "$file.away"
  nobody_starts_db3
  # A disk hangs: who opens the file waits.
  mkfifo "$file"
  nobody_starts_db3
  dies

  # What the refusal says can be run as it stands, and is all that is needed.
  local cure=${said#*Apply it first: }
  sql db3 "${cure%%; when*}"
  wait_for 10 has_transactions db3 9
}
# nobody_starts_db3 — no helper starts its threads, which would delete its relay log; `said` is a refusal.
nobody_starts_db3() {
  local pattern='ERROR: db3 has fetched the log of * would throw the rest away. Apply it first: CHANGE MASTER *'
  agent_call db3 set_active_master db1
  expect_agent_read 255 "$pattern" || return 1
  agent_call db3 turn_on_slave
  expect_agent_read 255 "$pattern" || return 1
  said=$answer
  # The line also says that replication is stopped, and why.
  move db3 db2
  expect_agent_read 255 'ERROR: *; db3 has fetched the log of * does not send the rest again (*' || return 1
  [[ $(threads db3) == 'No No' ]]
}

# has_fetched_parts [client] — both threads of the new master are stopped. It has fetched all that db3, which is dead, and
# a second slave on `client` alone have, and applied a part of that.
has_fetched_parts() {
  only_on MariaDB 'others keep their relay log'
  [[ $MMM_REPLICATION == gtid ]] || skip 'by file and position, a start keeps the relay log'
  leaves_traces
  if (($#)); then second_slave; fi
  cut_off db2
  write_parts 6
  all_caught_up db1 db3 "$@"
  dies
  slow_network db2
  at_once db2 sync_with_master
  wait_for 25 has_some_parts
  helper_is_killed
  stop_replica_thread db2 SQL_THREAD
  fast_network db2
  fetched_all db2 db3
  stop_replica_thread db2
  kill_server db3
  has_some_parts
}

@test "both threads of the new master are stopped when it has fetched all, and the slave dies: what only it has by then stays" {
  settings db2 'allow_write: { survivors: require }'
  has_fetched_parts

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: only db3 has *. Apply it first: CHANGE MASTER TO *; when it has applied all: *'

  # What it says can be run as it stands; the agent goes on calling.
  local cure=${answer#*Apply it first: }
  sql db2 "${cure%%; when*}"
  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *'
  wait_for 10 has_all_parts db2
  sql db2 'STOP SLAVE' 'CHANGE MASTER TO MASTER_USE_GTID=slave_pos'
  gets OK db2 mysql_allow_write
  has_all_parts db2
  is_back
}

@test "the same, and another slave has it, too: the new master gets it from there" {
  has_fetched_parts client

  gets 'OK*' db2 mysql_allow_write

  has_all_parts db2
}

@test "the slave was refused while the new master still applied, and waits with what only it has: it goes on in time" {
  call_limit db3 2
  hold db2
  write db1
  caught_up db3 db1
  fetched_all db2 db1
  stop_replica_thread db3 SQL_THREAD
  cut_off db2
  write db1 3
  fetched_all db3 db1
  dies

  move db3 db2
  expect_agent_read 255 'ERROR: *'
  release db2
  takes_over

  has_transactions db2 10
  moves db3 db2
  all_agree
}

@test "what the slave fetched ends with half a transaction: all before it is taken over" {
  slow_network db3
  cut_off db2
  write db1 2
  caught_up db3 db1
  write_large db1
  dies_while_sending db3

  takes_over

  has_transactions db2 8
  [ "$(sql db2 'SELECT COUNT(*) FROM app.blobs')" = 0 ]
  gets OK db3 set_active_master db2
  nothing_lost db2 db3
  comes_back
  is_whole
  [ "$(sql db3 'SELECT COUNT(*) FROM app.blobs')" = 256 ]
}

@test "tables made and changed, a table without transactions and 32 MB at once are taken over as well" {
  cut_off db2
  sql db1 'CREATE TABLE app.plain (a INT PRIMARY KEY, b TEXT) ENGINE = MyISAM' \
    "INSERT INTO app.plain SELECT seq, 'plain' FROM $(numbers 100)" \
    'ALTER TABLE app.entries ADD COLUMN extra INT NOT NULL DEFAULT 7' \
    "UPDATE app.plain SET b = 'changed' WHERE a < 10" 'CREATE DATABASE other' 'CREATE TABLE other.t (a INT PRIMARY KEY)' 'INSERT INTO other.t VALUES (1)' \
    'DROP TABLE other.t'
  write_large db1
  caught_up db3 db1
  dies

  gets OK db2 sync_with_master
  gets OK db2 mysql_allow_write
  is_back

  [ "$(sql db2 'SELECT COUNT(*) FROM app.blobs')" = 256 ]
  leaves_traces
  all_agree
}

@test "the new master was the last to write before what it lacks: none of its own rows comes back to it" {
  # Behind the position of db2, the logs of db1 and db3 begin with rows of db2's own.
  cut_off db2
  write db2 2
  caught_up db1 db2
  write db1 2
  caught_up db3 db1
  dies

  takes_over

  has_transactions db2 10
  moves db3 db2
  all_agree
}

@test "the new master was the last to write before what it lacks, and the slave still applies that: it is waited for" {
  cut_off db2
  hold db3
  write db2 2
  caught_up db1 db2
  write db1 2
  fetched_all db3 db1
  dies
  later 1 release db3

  takes_over

  has_transactions db2 10
  moves db3 db2
  all_agree
}

# was_last_to_write — the new master, before what only db3 fetches; that has not applied either, as LATE db3 sees to.
was_last_to_write() {
  cut_off db2
  "$@"
  write db2 2
  caught_up db1 db2
  write db1 2
  fetched_all db3 db1
  dies
}

# A MariaDB's SQL thread has read all as soon as its appliers have got it.
@test "the same, and the slave applies in parallel: it is waited for" {
  only_on MariaDB 'MySQL tells by GTID what it has fetched'
  leaves_traces
  stop_replica_thread db3
  apply_in_parallel db3
  start_replica_thread db3
  # Until one has been applied, its appliers work one after the other.
  write db1
  all_caught_up db1 db2 db3
  was_last_to_write hold db3

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: db2 takes over from db3 *, and is not done yet: db3 still applies *'
  is_read_only db2
  release db3
  gets OK db2 mysql_allow_write

  has_transactions db2 11
}

@test "the same, and applying was stopped on the slave: it is waited for" {
  only_on MariaDB 'MySQL tells by GTID what it has fetched'
  was_last_to_write stop_replica_thread db3 SQL_THREAD

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: db2 takes over from db3 *, and is not done yet: db3 does not apply *'
  is_read_only db2
  start_replica_thread db3 SQL_THREAD
  gets OK db2 mysql_allow_write

  has_transactions db2 10
}

@test "the new master took writes without the slave's rows, and is opened again: older rows are not waited for" {
  only_on MySQL 'a MariaDB does not tell whether they are older before the slave has applied them'
  cut_off db2
  hold db3
  write db1 3
  fetched_all db3 db1
  dies
  run_helper db2 mysql_allow_write --force
  [ "$status" -eq 0 ]
  write db2 2
  close_writes db2

  agent_call db2 mysql_allow_write
  expect_agent_read 0 'OK: db2 continues without *'

  is_open
}

@test "the slave was made from a copy where the new master stands, and its log begins there: its rows are taken over" {
  only_on MariaDB 'MySQL compares what servers have executed'
  [[ $MMM_REPLICATION == file ]] || skip 'by GTID, a log begins behind its own position alone'
  is_rebuilt db3
  dies_ahead 2

  takes_over

  moves db3 db2
}

# bats test_tags=any-mode
@test "the slave's log is younger than what the new master wrote last itself: its rows are taken over all the same" {
  only_on MariaDB 'MySQL compares what servers have executed'
  begins_new_log db3
  write db1 2
  all_caught_up db1 db2 db3
  dies_ahead 2

  # The note of an opening long ago, whose position is in no log any more.
  in_host db2 sh -c "mkdir -p /var/lib/mysql-mmm; echo 'undo $(binlog_end db2 | cut -d' ' -f1):99999999 nothing' \
    >/var/lib/mysql-mmm/mysql-mmm-opened-$(host_ip db2)-3306"
  takes_over

  has_transactions db2 10
  moves db3 db2
}

@test "of two slaves the one that has most is asked, and both follow" {
  second_slave
  cut_off db2
  write db1 2
  caught_up client db1
  cut_off db3
  write db1 2
  caught_up client db1
  dies

  takes_over

  has_transactions db2 10
  moves db3 db2
  MMM_CONFIG=mmm_agent_client gets OK client set_active_master db2
  replicates client db2
  nothing_lost db2 client
  all_agree
}

@test "of two slaves that have the same, one still applies it: the other is asked, and not waited" {
  second_slave
  cut_off db2
  hold db3
  write db1 3
  caught_up client db1
  fetched_all db3 db1
  dies

  agent_call db2 mysql_allow_write

  expect_agent_read 0 OK
  has_transactions db2 9
  release db3
  gets OK db3 set_active_master db2
  all_agree
}

@test "the slave that has most cannot be used: what the other has is taken over, and the answer names what is lost" {
  second_slave
  cut_off db2
  write db1 2
  caught_up client db1
  cut_off db3
  write db1 2
  caught_up client db1
  own_row client
  dies

  gets 'OK: *db4*mmm_difference db4 db2*' db2 mysql_allow_write

  has_transactions db2 8
  is_back
  all_agree_but_one
}
# The old master comes back with what only db4 had.
all_agree_but_one() {
  gets OK db3 set_active_master db2
  nothing_lost db2 db3
  comes_back
  is_whole
  has_transactions db2 16
}

@test "the slave has a row of its own among those that only it has: nothing is taken over, and the answer says what is lost" {
  cut_off db2
  write db1 2
  caught_up db3 db1
  own_row db3
  dies

  opens_without

  has_transactions db2 6
  [ "$(sql db2 "SELECT COUNT(*) FROM app.entries WHERE note = 'own'")" = 0 ]
  # The journal names each of them, for a later search.
  journal db2 | grep -F 'left behind on db3: written ' >"$BATS_TEST_TMPDIR/left"
  grep -E "by server $(sql db3 'SELECT @@server_id').*(; 1 statement|: 1 inserted)$" "$BATS_TEST_TMPDIR/left"
  [ "$(grep -c '; app.heap: 1 inserted' "$BATS_TEST_TMPDIR/left")" = 2 ]
}

@test "the slave has an old row of its own: it does not come along" {
  own_row db3
  write db1
  all_caught_up db1 db2 db3
  dies_ahead 2

  gets 'OK*' db2 mysql_allow_write

  [ "$(sql db2 "SELECT COUNT(*) FROM app.entries WHERE note = 'own'")" = 0 ]
  is_back
  # Where it can be taken over without that row it is; else the answer says so. Nobody is told to rebuild the new master.
  [[ $answer != *'rebuild db2'* ]]
  if [[ $FAMILY == MariaDB && $MMM_REPLICATION == gtid ]]; then
    [[ $answer == *'which was written on db3 itself, so db2 cannot continue in its log; rebuild db3 afterwards, never db2'* ]]
  fi
  if [[ $answer == OK ]]; then has_transactions db2 9; else [[ $answer == *'mmm_difference db3 db2'* ]]; has_transactions db2 7; fi
}

@test "the slave keeps no log of what it replicates: nothing can be taken over, and the answer says what is lost" {
  only_on bare 'by GTID, this server needs log_slave_updates'
  leaves_traces
  restart_server db3 --skip-log-slave-updates
  wait_for 10 runs_from db3 db1
  dies_ahead 2

  opens_without "$(has_gtids && echo '2 transactions')"

  has_transactions db2 6
  journal db2 | grep -E 'what (only db3 has is not in its log|is left behind on db3 cannot be listed|is left behind on db3 is not listed)'
}

# bats test_tags=any-mode
@test "the slave is delayed: nothing is taken over, and the answer says what is lost" {
  delay db3 600
  cut_off db2
  write db1 2
  fetched_all db3 db1
  dies

  opens_without

  has_transactions db2 6
}

# bats test_tags=any-mode
@test "the slave's replication leaves a table out: nothing is taken over, and the answer says what is lost" {
  only_on filters 'filters do not change while it runs'
  leaves_traces
  leave_out db3 app.blobs
  wait_for 5 runs_from db3 db1
  dies_ahead 2

  opens_without

  has_transactions db2 6
}

@test "applying has failed on the slave: writes stay closed while that is required, and open when it was repaired" {
  settings db2 'allow_write: { survivors: require }'
  cut_off db2
  fail_applier db3 db1
  write db1 2
  fetched_all db3 db1
  dies

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *db3*'
  is_read_only db2
  sql db3 'SET sql_log_bin = 0' 'DELETE FROM app.entries WHERE id = 1001'
  start_replica_thread db3
  gets OK db2 mysql_allow_write

  has_transactions db2 8
  has_note db2 theirs
  moves db3 db2
  all_agree
}

# bats test_tags=any-mode
@test "a slave that does not answer is not waited for, whatever is required; the journal names it" {
  settings db2 'allow_write: { survivors: require }'
  kill_server db1
  wait_for 5 has_lost db2
  freeze db3

  agent_call db2 mysql_allow_write

  expect_agent_read 0 'OK*'
  ((${milliseconds%.*} < 3500))
  is_open
  journal_says db2 'db3'
  thaw db3
  moves db3 db2
}

# bats test_tags=any-mode
@test "the old master was only cut off, and is back while a slave that does not answer is asked: the new master stays closed" {
  cut_off db2
  freeze db3

  at_once db2 mysql_allow_write
  wait_for 5 asks db3
  pass_packets db1
  reconnects_to db1
  they_answer >"$BATS_TEST_TMPDIR/answer"

  [[ $(<"$BATS_TEST_TMPDIR/answer") == 'ERROR: db1 still takes writes'* ]]
  is_read_only db2
}
# asks HOST — the new master is connected to it.
asks() { [[ $(in_host db2 ss -Htn state established dst "$(host_ip "$1")") ]]; }

# bats test_tags=any-mode
@test "a slave that is down is named in the journal; the new master opens" {
  dies_ahead 2
  kill_server db3

  takes_over

  journal_says db2 'db3'
  has_transactions db2 6
}

# bats test_tags=any-mode
@test "survivors: off asks nobody; the slave that has more is refused, and told how to see the difference" {
  settings db2 'allow_write: { survivors: off }'
  dies_ahead 2

  takes_over

  has_transactions db2 6
  refuses_to_move db3 db2 "$(unproved db2 'ERROR: db3 is ahead of db2: *mmm_difference db3 db2*')"
}

# bats test_tags=any-mode
@test "the slave was away while the new master opened: too late to take anything over, and it is told how to see the difference" {
  dies_ahead 2
  freeze db3
  gets 'OK*' db2 mysql_allow_write
  write db2 2
  thaw db3

  refuses_to_move db3 db2 "$(unproved db2 'ERROR: *mmm_difference db3 db2*')"
}

@test "the new master's channel keeps its delay, its heartbeat and how often it connects" {
  sql db2 'STOP SLAVE' \
    'CHANGE MASTER TO MASTER_DELAY = 1, MASTER_CONNECT_RETRY = 7, MASTER_HEARTBEAT_PERIOD = 1.5' 'START SLAVE'
  wait_for 5 runs_from db2 db1
  cut_off db2
  write db1 2
  caught_up db3 db1
  dies

  gets OK db2 mysql_allow_write

  has_transactions db2 8
  is_back
  [ "$(replica_field db2 SQL_Delay) $(replica_field db2 Connect_Retry) $(heartbeat_period db2)" = '1 7 1.500' ]
  leaves_traces
  all_agree
}

@test "the new master's server was restarted when the old one was dead already: it takes over all the same" {
  has_gtids || skip 'known refusal: without GTIDs, what was logged before a start of the server tells no place'
  dies_ahead 3
  stop_server db2
  start_server db2

  takes_over

  has_transactions db2 9
  moves db3 db2
  all_agree
}

@test "both were started again after the old master died, so that neither knows who that was: it takes over all the same" {
  has_gtids || skip 'known refusal: without GTIDs, what was logged before a start of the server tells no place'
  dies_ahead 3
  stop_server db2
  stop_server db3
  start_server db2
  start_server db3

  takes_over

  has_transactions db2 9
  moves db3 db2
  all_agree
}

# bats test_tags=any-mode
@test "the slave does not let the new master replicate from it: nothing is taken over, and the answer says what is lost" {
  leaves_traces
  dies_ahead 2
  set_password db3 "$REPLICATION_USER" other

  opens_without

  has_transactions db2 6
}

# bats test_tags=any-mode
@test "a dry run says what would be taken over, and changes nothing" {
  local before
  dies_ahead 3
  before=$(standing db2)$(standing db3)

  run_helper db2 mysql_allow_write --dry-run

  [ "$status" = 0 ]
  [[ $output$stderr == *db3* ]]
  is_read_only db2
  has_transactions db2 6
  [ "$(standing db2)$(standing db3)" = "$before" ]
  [ -z "$(left_behind)" ]
}

# stays_closed_until_back [OPTION…] — the slave dies while its rows are taken over: with `require` writes stay closed
# until its server is back, which is started with these options.
stays_closed_until_back() {
  is_taking_over 'allow_write: { survivors: require }' || return 1
  kill_server db3
  they_answer || return 1
  fast_network db2

  sleep 10
  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *' && is_read_only db2 || return 1
  start_server db3 "$@"
  gets OK db2 mysql_allow_write && has_all_parts db2 && is_back
}

@test "the slave dies while its rows are taken over: with require writes stay closed until it is back" {
  stays_closed_until_back
  # Without GTIDs, nothing shows the position of a slave that was started anew while its master was dead.
  if has_gtids; then
    all_agree
  else
    comes_back
    wait_for 10 is_whole_without_db3
  fi
}

@test "the same, and the slave's server forgets at its start what it had fetched: require loses nothing" {
  only_on MySQL 'MariaDB tells by its servers, not by what was fetched'
  has_gtids || skip 'by file and position, no set of what was fetched is compared'
  leaves_traces
  restart_server db3 --relay-log-recovery=1
  wait_for 10 replicates db3 db1
  stays_closed_until_back --relay-log-recovery=1
  all_agree
}

@test "applications leave the slave no connection for replication, for some seconds: its rows are waited for, and taken over" {
  leaves_traces
  dies_ahead 3
  takes_connections db3
  # One is for the agent, beside the one that is reserved.
  wait_for 5 frees_one db3

  agent_call db2 mysql_allow_write
  expect_agent_read 255 "ERROR: db2 takes over from db3 *, and is not done yet: *"
  is_read_only db2
  gives_connections_back db3
  gets OK db2 mysql_allow_write

  has_transactions db2 9
  is_back
  moves db3 db2
  all_agree
}

@test "applications leave the slave no connection: the new master waits half a minute, then opens and says so" {
  leaves_traces
  dies_ahead 3
  takes_connections db3
  agent_call db2 mysql_allow_write
  expect_agent_read 255 "ERROR: db2 takes over from db3 *, and is not done yet: *"
  is_read_only db2

  long_ago
  agent_call db2 mysql_allow_write
  expect_agent_read 0 'OK: db2 continues without *3 transactions* that only db3 has *'
  is_open
}

# frees_one HOST — a connection that an application has there.
frees_one() {
  local id
  id=$(sleepers "$1" | tail -n 1) && [[ $id ]] && sql "$1" "KILL $id"
}

# takes_the_last_connection HOST — the one that is reserved for administrators, until gives_it_back HOST.
takes_the_last_connection() {
  local until=$((SECONDS + 5))
  administrators=()
  # wait_for would ask in a subshell, and the session would end with that.
  until takes_one_more "$1"; do ((SECONDS < until)) || return 1; done
}
# An application may have left its connection in between, so one session may not be enough.
takes_one_more() {
  local session pipe=$BATS_TEST_TMPDIR/administrator.${#administrators[@]}
  mkfifo "$pipe"
  client_of "$(host_dir "$1")" <"$pipe" >/dev/null 2>&1 3>&- &
  exec {session}>"$pipe"
  administrators+=("$session")
  sleep 0.2
  ! sql "$1" 'DO 0' 2>/dev/null
}
gives_it_back() {
  local session
  for session in "${administrators[@]}"; do exec {session}>&-; done
  wait_for 5 sql "$1" 'DO 0'
}

@test "applications and an administrator leave the slave no connection: its rows are waited for, and taken over" {
  leaves_traces
  dies_ahead 3
  takes_connections db3
  takes_the_last_connection db3

  agent_call db2 mysql_allow_write
  expect_agent_read 255 "ERROR: db2 takes over from db3 *, and is not done yet: *Too many connections*"
  is_read_only db2
  gives_it_back db3
  gives_connections_back db3
  gets OK db2 mysql_allow_write

  has_transactions db2 9
}

# bats test_tags=any-mode
@test "nobody tells the address of the name by which the slave knows the old master: its rows are waited for, and taken over" {
  only_on MariaDB 'MySQL knows masters by their UUIDs, too'
  leaves_traces
  in_host db2 sh -c 'echo 10.77.0.11 master-one.example >>/etc/hosts'
  in_host db3 sh -c 'echo 10.77.0.11 master-one.example >>/etc/hosts'
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = 'master-one.example',
    $(place_in_mode "$(replica_field db3 Relay_Master_Log_File)" "$(replica_field db3 Exec_Master_Log_Pos)")" 'START SLAVE'
  wait_for 5 eval '[ "$(threads db3)" = "Yes Yes" ]'
  dies_ahead 3
  # Its server forgets the id of its master.
  restart_server db3
  wait_for 10 eval '[[ $(threads db3) == *" Yes" ]]'

  local fault
  for fault in 'exit 2' 'sleep 60'; do
    names db2 "$fault"
    agent_call db2 mysql_allow_write
    names_again db2
    expect_agent_read 255 'ERROR: *nobody knows whether db3 replicates from a host of the cluster*'
    is_read_only db2
  done
  gets OK db2 mysql_allow_write

  has_transactions db2 9
}

@test "the slave dies while its rows are taken over: the new master opens and says so, and gets the rest when the old one is back" {
  is_taking_over
  long_ago
  sleep 1.2
  kill_server db3
  they_answer
  fast_network db2

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *db3*waited for since *'
  long_ago
  killed_before 'SET GLOBAL read_only' mysql_allow_write
  gets 'OK: *db3*' db2 mysql_allow_write
  is_open
  agent_call db2 turn_on_slave
  stays_away_from_db3
  write db2
  comes_back
  gets 'OK*' db2 mysql_allow_write
  start_server db3

  # It was open before it had these: whether db3 can follow it depends on the server.
  has_the_rest
}
# long_ago — what was noted of the slave has been noted then: both when it got on and when it was heard.
long_ago() { in_host db2 sh -c 'sed -i "s/\(since\|heard\)=[0-9]*/\1=1/g" /var/lib/mysql-mmm/mysql-mmm-tail-db3-*'; }
# The old master sends it. Without GTIDs it may be unknown from where, and replication says so.
has_the_rest() {
  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK || return 1
  if has_gtids; then
    wait_for 10 is_whole_without_db3 && has_all_parts db2
  else
    wait_for 10 has_no_place && [[ $(sources db2) == "$(host_ip db1)" ]]
  fi
}
has_no_place() { [[ $(replica_field db2 Last_IO_Error) == *1236* && $(threads db2) == 'No Yes' ]]; }
stays_away_from_db3() { [[ $(sources db2) == "$(host_ip db1)" || $(threads db2) == 'No No' ]]; }
is_whole_without_db3() {
  is_back && [[ ! $(left_behind) ]] && runs_from db2 db1 && runs_from db1 db2 && caught_up db2 db1 && caught_up db1 db2 && same_rows db1 db2
}

@test "the old master comes back while the slave's rows are taken over: nothing is missing, nothing is there twice" {
  is_taking_over
  start_server db1
  fast_network db2
  they_answer

  gets OK db2 sync_with_master
  gets OK db2 mysql_allow_write
  has_all_parts db2
  reconnects_to db1
  gets OK db3 set_active_master db2
  is_whole
}

@test "the helper is killed while rows are taken over, everything else stays: the next call finishes it" {
  is_taking_over
  helper_dies

  gets OK db2 mysql_allow_write

  has_all_parts db2
  is_back
  all_agree
}

@test "the helper is killed while rows are taken over, the old master comes back and keeps the role: mysql_deny_write ends it" {
  is_taking_over
  helper_dies
  start_server db1

  agent_call db2 mysql_deny_write

  expect_agent_read 0 OK
  is_back
  reconnects_to db1
  gets OK db2 sync_with_master
  gets OK db2 mysql_allow_write
  has_all_parts db2
  gets OK db3 set_active_master db2
  is_whole
}

@test "the helper is killed while rows are taken over, then the slave dies, then the old master comes back" {
  is_taking_over
  helper_dies
  kill_server db3
  start_server db1

  agent_call db2 sync_with_master
  if ! has_gtids && [[ $answer == 'ERROR: no position in the log of db1 '* ]]; then
    is_read_only db2
    skip 'known refusal: a part of what only a slave had, executed without GTIDs, does not show the position in the old log'
  fi
  gets OK db2 sync_with_master
  gets OK db2 mysql_allow_write
  has_all_parts db2
  is_back
  start_server db3
  reconnects_to db1
  gets OK db3 set_active_master db2
  is_whole
}

@test "the helper is killed while rows are taken over, and writes are forced open: it does not stay with the slave" {
  is_taking_over
  helper_dies
  run_helper db2 mysql_allow_write --force
  expect_answer 0 'OK*'
  write db2

  agent_call db2 mysql_allow_write
  expect_agent_read 0 OK
  stays_away_from_db3
  comes_back

  has_the_rest
}

@test "the helper is killed while rows are taken over, writes are opened by hand and closed again: what is older does not follow" {
  is_taking_over
  helper_is_killed
  sql db2 'STOP SLAVE'
  open_writes db2
  write db2
  fast_network db2

  agent_call db2 mysql_deny_write
  expect_agent_read 0 'OK*'
  stays_away_from_db3
  has_some_parts
}

@test "the helper is killed before what it has pointed at the slave is started, beside an old error: the next call starts it" {
  dies_ahead 2
  # The error with which its attempts to reach the old master ended stays there.
  killed_before 'START ' mysql_allow_write
  [[ $(sources db2) == "$(host_ip db3)" ]]

  gets OK db2 mysql_allow_write

  has_transactions db2 8
  is_back
  all_agree
}

# bats test_tags=any-mode
@test "writes were opened by hand while rows are taken over, and the helper that goes back is killed: the old master is not left" {
  dies_ahead 2
  killed_before 'START ' sync_with_master
  open_writes db2
  killed_before 'START ' mysql_allow_write
  [[ $(sources db2) == "$(host_ip db1)" && $(threads db2) == 'No No' ]]

  agent_call db2 mysql_allow_write

  expect_agent_read 0 OK
  is_back
}

@test "the new master's server dies while it takes rows over: it goes on when it is back" {
  is_taking_over
  kill_server db2
  they_answer
  fast_network db2
  start_server db2

  gets OK db2 mysql_allow_write

  has_all_parts db2
  is_back
  all_agree
}

@test "the new master was open meanwhile and is opened again: what is older than its clients' writes is not taken over" {
  leaves_traces
  dies_ahead 2
  kill_server db3
  takes_over
  write db2 3
  start_server db3
  close_writes db2

  gets 'OK: db2 continues without *db3*taken writes since*' db2 mysql_allow_write

  has_transactions db2 9
  is_back
}

@test "of two slaves the one that has most dies before it has applied all: with require, the other does not open the new master" {
  leaves_traces
  second_slave
  settings db2 'allow_write: { survivors: require }'
  cut_off db2
  write db1 2
  all_caught_up db1 db3 client
  cut_off client
  hold db3
  write db1 3
  fetched_all db3 db1
  dies

  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *db3*'
  kill_server db3
  for _ in 1 2 3; do agent_call db2 mysql_allow_write; done

  expect_agent_read 255 'ERROR: only db3 has *mysql_allow_write --force'
  is_read_only db2
}

@test "what a slave was seen to have came by way of the old master after all: it is not missed later" {
  leaves_traces
  settings db2 'allow_write: { survivors: require }'
  cut_off db2
  hold db3
  write db1 3
  fetched_all db3 db1
  dies
  agent_call db2 mysql_allow_write
  expect_agent_read 255 'ERROR: *db3*'
  release db3
  start_server db1
  reconnects_to db1
  all_caught_up db1 db2 db3
  kill_server db3
  kill_server db1
  wait_for 5 has_lost db2

  gets OK db2 mysql_allow_write

  has_transactions db2 9
}
