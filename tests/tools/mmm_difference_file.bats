#!/usr/bin/env bats
# mmm_difference on real hosts: what one has executed and another has not is shown, saved and applied.
# mmm_difference_gtid.bats is a link to this: the same with replication by GTID.

load ../lib/cluster
load ../lib/failover
load ../lib/difference

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

# purged HOST — of its log, one file is left; MariaDB keeps the one before it for a moment.
purged() {
  sql "$1" "PURGE BINARY LOGS TO '$(binlog_end "$1" | cut -d' ' -f1)'"
  [[ $(sql "$1" 'SHOW BINARY LOGS' | wc -l) == 1 ]]
}

# of_each_kind — transactions of db1: rows of two tables, an update, a deletion, DDL, statements, and 32 MB.
of_each_kind() {
  sql db1 'SET SESSION binlog_format = ROW' \
    'BEGIN' "INSERT INTO app.entries (origin, note) VALUES ('x', 'a'), ('x', 'b'), ('x', 'c')" \
    "INSERT INTO app.heap VALUES ('x', 'd')" "UPDATE app.entries SET note = 'e' WHERE note IN ('a', 'b')" 'COMMIT' \
    "DELETE FROM app.entries WHERE note = 'c'" \
    'CREATE TABLE app.others (id INT PRIMARY KEY)' \
    'SET SESSION binlog_format = STATEMENT' 'INSERT INTO app.others VALUES (1), (2)'
  write_large db1
}

@test "where both have the same, nothing is missing on either, and no file is made" {
  differs 0 db3 db2 --save "$BATS_TEST_TMPDIR/file"
  [[ $output == *'Nothing is missing on db2.'* && ! -e $BATS_TEST_TMPDIR/file ]]
  differs 0 db2 db3 --format json
  says '.schema == 1 and .result == "nothing-missing" and .exit_code == 0 and .transactions == [] and .saved == null'
  differs 0 db1 db3
}

@test "what only a slave has got is told, saved, and applied to the new master" {
  local file=$BATS_TEST_TMPDIR/only-db3 before
  only_db3_gets of_each_kind
  kill_server db1
  before=$(standing db2; binlog_end db2; binlog_end db3)
  differs 1 db3 db2 --format json --save "$file"
  says '.result == "missing" and .missing.transactions == 5 and .missing.in_log == 5 and .error == null'
  says '[.transactions[].origin.host] == ["db1", "db1", "db1", "db1", "db1"]'
  says '[.transactions[0].tables[] | [.database, .table, .inserted, .updated, .deleted, .exact]]
    == [["app", "entries", 3, 2, 0, true], ["app", "heap", 1, 0, 0, true]]'
  says '.transactions[1].tables[0] | .table == "entries" and .deleted == 1'
  says '.transactions[2].statements[0].text == "CREATE TABLE app.others (id INT PRIMARY KEY)"'
  # A slave may log rows for the statements that it executes.
  says '.transactions[3] | .statements[0].text == "INSERT INTO app.others VALUES (1), (2)" or .tables[0].inserted == 2'
  says '.transactions[4].tables[0] | .table == "blobs" and .inserted == 256 and .exact'
  says '.missing.bytes > 32e6 and .missing.bytes < 36e6 and .reverse.transactions == 0'
  says '(.transactions[0].time | fromdate) > (now - 60)'
  if has_gtids; then says "[.transactions[].gtid] | all(. != null) and (unique | length) == 5"; fi
  [ "$(standing db2; binlog_end db2; binlog_end db3)" = "$before" ]

  [ "$(stat -c '%a %h' "$file")" = '600 1' ]
  says ".saved == {file: \"$file\", bytes: $(stat -c %s "$file"), transactions: 5}"
  local packet
  packet=$(sql db2 'SELECT @@GLOBAL.max_allowed_packet')
  says '[.advice[0].steps[] | select(. == "on db2, SQL: SET GLOBAL max_allowed_packet = 1073741824;")]
    | length == if '"$packet"' < 48e6 then 1 else 0 end'
  only_on log_reader 'this server came without its own mysqlbinlog'
  [ "$(read_log "$file" | grep -c '^### INSERT INTO .app.\..blobs.')" = 256 ]
  sql db2 'SET GLOBAL max_allowed_packet = 1073741824'
  apply_log "$file" db2
  sql db2 "SET GLOBAL max_allowed_packet = $packet"
  rows_equal db3 db2
  if has_gtids; then differs 0 db3 db2; fi
}

@test "what replication will bring is never applied by hand, and no writer is rebuilt from its slave" {
  local how
  for how in late stopped; do
    hold db3
    write db1 2
    fetched_all db3 db1
    if [[ $how == stopped ]]; then stop_replica_thread db3 IO_THREAD; fi
    differs 1 db1 db3 --format json
    says '[.advice[].name] == ["replicate", "rebuild"]'
    says '.advice[0].text | startswith("Let db3 apply it: ") and contains("it would be executed twice")'
    says '.advice[0].steps[0] | startswith("on db3, shell: ") and endswith("agent/turn_on_slave mmm_agent")'
    # db1 takes writes.
    says '.advice[1].text | startswith("Or rebuild db3 from db1. Take db3 out")'
    release db3
    start_replica_thread db3 IO_THREAD
    caught_up db3 db1
  done
  differs 0 db1 db3 --format json
  says '.notes == [] and [.advice[].name] == ["nothing"]'
}

@test "people read the same, with commands for these servers" {
  only_db3_gets write db1 2
  stop_replica_thread db1
  open_writes db2
  write db2
  differs 1 db3 db2 --limit 1
  [[ $output == *' of db1  at '*'app.entries: 2 inserted'*'and 1 transaction more'*'2 transactions are missing on db2'* ]]
  [[ $output == *'app.heap: 2 inserted'*'The other way, db2 has 1 transaction that db3 has not.'* ]]
  [[ $output == *'mmm_difference db3 db2 --save FILE'*"binlog "*"FILE | "*" --host=$(host_ip db2) --port=3306"* ]]
  [[ $output == *'Mind that db2 takes writes already'*'Mind that db2 has 1 transaction that db3 lacks'*'Or rebuild db3 from db2'* ]]
  local place
  case $MMM_SERVER in
    mysql-5*) place=--master-data=1 ;;
    *) place=--source-data=1 ;;
  esac
  if by_sets; then place=--set-gtid-purged=ON; fi
  case $MMM_SERVER in
    mariadb-*) [[ $output == *'mariadb-backup --backup'*'mariadb-dump '*' --master-data=1 --gtid '*'MASTER_USE_GTID=slave_pos;'* ]] ;;
    mysql-5*) [[ $output != *CLONE* && $output == *'mysqldump '*" $place >FILE.sql"*'STOP SLAVE;'*'RESET SLAVE;'* ]] ;;
    mysql-*) [[ $output == *'CLONE INSTANCE FROM '*'mysqldump '*" $place >FILE.sql"*'STOP REPLICA;'*'RESET REPLICA;'* ]] ;;
  esac
}

@test "a transaction of a slave's own is found, though others came after it" {
  sql db3 "INSERT INTO app.heap VALUES ('db3', 'errant')"
  write db1 3
  all_caught_up db1 db2 db3
  differs 1 db3 db2 --format json
  says '[.transactions[].origin.host] == ["db3"] and .missing.in_log == 1 and .reverse.transactions == 0'
  # Without GTIDs, it is unknown what was in older logs.
  if has_gtids; then says '.missing.transactions == 1'; else says '.missing.transactions == null and .notes != []'; fi
  differs 0 db2 db3
  # And of others, that only this slave has got.
  only_db3_gets write db1 2
  differs 1 db3 db2 --format json --save "$BATS_TEST_TMPDIR/file"
  says '[.transactions[].origin.host] == ["db3", "db1", "db1"]'
  only_on log_reader 'this server came without its own mysqlbinlog'
  # Without GTIDs, it would come back over db1 as something new.
  stop_replica_thread db1
  apply_log "$BATS_TEST_TMPDIR/file" db2
  same_rows db3 db2
}

@test "what was purged from the log is named, and never taken for nothing" {
  only_db3_gets write db1 2
  sql db3 'FLUSH LOGS'
  write db1
  caught_up db3 db1
  wait_for 20 purged db3
  if has_gtids; then
    differs 1 db3 db2 --format json
    says '.missing.in_log == 1 and (.missing.purged | length) > 5 and ([.advice[].name] == ["apply", "rebuild"])'
  else
    differs 2 db3 db2 --format json
    says '.result == "unknown" and .error.code == "cannot-tell"'
  fi
}

@test "a slave that keeps no log of what it replicates says so, and what it has not applied yet" {
  if [[ $MMM_SERVER$MMM_REPLICATION == mysql-5.6gtid ]]; then skip 'by GTID, this server must log it'; fi
  leaves_traces
  restart_server db3 --skip-log-slave-updates
  wait_for 10 eval "[[ \$(threads db3) == 'Yes Yes' ]]"
  only_db3_gets write db1 2
  stop_replica_thread db3 SQL_THREAD
  write db1
  fetched_all db3 db1
  if has_gtids; then differs 1 db3 db2; else differs 2 db3 db2; fi
  [[ $output == *'db3 does not log what it replicates'*'db3 has fetched the log of '*': the rest is in its relay log'* ]]
  [[ $output != *'may be in its relay log'* ]]
  start_replica_thread db2 IO_THREAD
  fetched_all db2 db1
  run_bare db3 mmm_difference db3 db2
  [[ $output == *'db2 has fetched more of the log of '*': what is missing may be in its relay log'* ]]
}

@test "a slave whose SQL thread has failed is rebuilt by the dump, word by word as advised, and has nothing of its own" {
  only_on log_reader 'this server came without its own mysqldump'
  leaves_traces
  fail_applier db3 db1
  differs 1 db1 db3 --format json
  rebuilt_by_dump db3 db1
  wait_for 10 eval "[[ \$(threads db3) == 'Yes Yes' ]]"
  write db1
  caught_up db3 db1
  rows_equal db3 db1
  # Without GTIDs, its new log does not show what came with the dump.
  if has_gtids; then
    differs 0 db1 db3
    # The import is no transaction of its own.
    differs 0 db3 db1
  fi
}
