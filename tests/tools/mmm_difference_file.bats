#!/usr/bin/env bats
# mmm_difference on real hosts: what one has executed and another has not is told row by row, saved, and applied.
# mmm_difference_gtid.bats is a link to this: the same with replication by GTID.

load ../lib/cluster
load ../lib/failover

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

# differs STATUS A B [OPTION…] — as db3 sees it.
differs() {
  run_bare db3 mmm_difference "${@:2}" && keeps_secrets || return 1
  [[ $status == "$1" ]] && return 0
  printf '%s\n' "$last_call: $status, expected: $1" "$output" "$stderr" >&2
  return 1
}

# says JQ-EXPRESSION — true of the last document.
says() {
  jq -e "$1" <<<"$output" >/dev/null && return 0
  printf '%s\n' "not true: $1" "$output" >&2
  return 1
}

# only_db3_gets COMMAND… — what db1 logs meanwhile reaches db3 and not db2.
only_db3_gets() {
  stop_replica_thread db2
  "$@"
  caught_up db3 db1
}

# read_log FILE, apply_log FILE HOST — by the server's own program, and by its own client.
read_log() { "${LOG_READER[@]}" --base64-output=decode-rows --verbose "$1"; }
apply_log() { "${LOG_READER[@]}" "$1" | client_of "$(host_dir "$2")" --binary-mode --max-allowed-packet=1G; }

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

@test "people read the same, with commands for these servers" {
  only_db3_gets write db1 2
  stop_replica_thread db1
  open_writes db2
  write db2
  differs 1 db3 db2 --limit 1
  [[ $output == *' of db1  at '*'app.entries: 2 inserted'*'and 1 transaction more'*'2 transactions are missing on db2'* ]]
  [[ $output == *'app.heap: 2 inserted'*'The other way, db2 has 1 transaction that db3 has not.'* ]]
  [[ $output == *'mmm_difference db3 db2 --save FILE'*"binlog FILE | "*" --host=$(host_ip db2) --port=3306"* ]]
  [[ $output == *'Mind that db2 takes writes already'*'Mind that db2 has 1 transaction that db3 lacks'*'Or rebuild db3 from db2'* ]]
  case $MMM_SERVER in
    mariadb-*) [[ $output == *'mariadb-backup --backup'*'mariadb-dump '*' --master-data=1 --gtid '*'MASTER_USE_GTID=slave_pos;'* ]] ;;
    mysql-5*) [[ $output != *CLONE* && $output == *'mysqldump '*' --master-data=1'*'STOP SLAVE;'* ]] ;;
    mysql-*) [[ $output == *'CLONE INSTANCE FROM '*'mysqldump '*' --source-data=1'*'STOP REPLICA;'* ]] ;;
  esac
}

@test "a transaction of a slave's own is found, though others came after it" {
  sql db3 "INSERT INTO app.heap VALUES ('db3', 'errant')"
  write db1 3
  all_caught_up db1 db2 db3
  differs 1 db3 db2 --format json
  says '[.transactions[].origin.host] == ["db3"] and .missing.in_log == 1 and .reverse.transactions == 0'
  # Without GTIDs, nobody knows what was in older logs.
  if has_gtids; then says '.missing.transactions == 1'; else says '.missing.transactions == null and .notes != []'; fi
  differs 0 db2 db3
}

@test "no terminal obeys a statement, and no password is shown" {
  # DDL is logged as it was written, whatever is done with rows.
  only_db3_gets sql db1 "CREATE USER hidden@localhost IDENTIFIED BY 'hunter2'" \
    "/* now */ $(flavour_password hidden@localhost hunter2)" \
    "CREATE TABLE app.hidden (id INT) COMMENT 'the password is hunter2'" \
    'SET NAMES latin1' $'CREATE TABLE app.hostile (a INT COMMENT \'a\e[2Jb\xc2\x9b1m\xe2\x80\xae\n\r\tx\')'
  local format
  for format in text json yaml; do
    differs 1 db3 db2 --format "$format"
    keeps_secrets hunter2
    ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' <<<"$output"
    [[ $output == *'CREATE USER ***'* && $output == *'CREATE ***'* && $output == *'CREATE TABLE app.hostile ('*2Jb* ]]
  done
}

@test "rows are counted whatever their columns are, and however many events hold them" {
  local columns='a TINYINT, b SMALLINT, c MEDIUMINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(30,10), i YEAR,
    j DATE, k TIME(2), l DATETIME(6), m TIMESTAMP(3) NULL, n CHAR(200), o VARCHAR(20), p VARCHAR(2000), q BINARY(16),
    r VARBINARY(300), s TINYBLOB, t BLOB, u MEDIUMTEXT, v LONGBLOB, w ENUM("x", "y"), x SET("x", "y"), y BIT(10), z POINT'
  local values="1, 2, 3, 4, 5, 1.5, 2.5, '-1234567890.0123456789', 2026, NOW(), '10:11:12.13', NOW(6), NOW(3), REPEAT('n', 200),
    'o', REPEAT('p', 2000), 'q', REPEAT('r', 300), 's', REPEAT('t', 300), REPEAT('u', 70000), 'v', 'x', 'x,y', 5, POINT(1, 2)"
  only_db3_gets sql db1 'SET SESSION binlog_format = ROW' "SET SESSION sql_mode = ''" \
    "CREATE TABLE app.types (id INT PRIMARY KEY, $columns) DEFAULT CHARSET utf8mb4" \
    "INSERT INTO app.types SELECT seq, $values FROM $(numbers 90)" \
    "INSERT INTO app.types (id) SELECT 1000 + seq FROM $(numbers 3000)" \
    "UPDATE app.types SET a = 9, p = 'q' WHERE id % 3 = 0" \
    'SET SESSION binlog_row_image = MINIMAL' "UPDATE app.types SET t = NULL, z = POINT(3, 4) WHERE id % 3 = 0" \
    "DELETE FROM app.types WHERE id % 3 = 0" 'DELETE FROM app.types'
  differs 1 db3 db2 --format json
  says '[.transactions[1:][].tables[0] | [.inserted, .updated, .deleted, .exact]] == [[90, 0, 0, true], [3000, 0, 0, true],
    [0, 1030, 0, true], [0, 1030, 0, true], [0, 0, 1030, true], [0, 0, 2060, true]]'
  says '.missing.tables == [{database: "app", table: "types", inserted: 3090, updated: 2060, deleted: 3090, exact: true}]'
}

@test "rows that a server packs, or tells in parts, are counted and saved as well" {
  case $MMM_SERVER in
    mysql-5*) skip 'this server packs nothing' ;;
    mysql-*)
      only_db3_gets sql db1 'CREATE TABLE app.packed (id INT PRIMARY KEY, body JSON, b TEXT)' \
        "INSERT INTO app.packed SELECT seq, JSON_OBJECT('a', seq, 'b', REPEAT('x', 200)), REPEAT('y', 200) FROM $(numbers 300)" \
        "SET SESSION binlog_row_value_options = PARTIAL_JSON, SESSION binlog_row_image = MINIMAL" \
        "UPDATE app.packed SET body = JSON_SET(body, '\$.a', 'z')" \
        'SET SESSION binlog_transaction_compression = 1' "UPDATE app.packed SET body = JSON_SET(body, '\$.a', 'y'), b = 'c'"
      ;;
    *)
      # Where it packs, every later session does.
      leaves_traces
      sql db1 'SET GLOBAL log_bin_compress = 1, GLOBAL log_bin_compress_min_len = 10'
      only_db3_gets sql db1 'SET SESSION binlog_format = ROW' 'CREATE TABLE app.packed (id INT PRIMARY KEY, b TEXT)' \
        "INSERT INTO app.packed SELECT seq, REPEAT('y', 200) FROM $(numbers 300)" \
        "UPDATE app.packed SET b = REPEAT('z', 100)" "UPDATE app.packed SET b = 'c'"
      ;;
  esac
  differs 1 db3 db2 --format json --save "$BATS_TEST_TMPDIR/file"
  says '[.transactions[1:][].tables[0] | [.inserted, .updated, .exact]] == [[300, 0, true], [0, 300, true], [0, 300, true]]'
  says '.transactions[0].statements[0].text | startswith("CREATE TABLE app.packed")'
  # Without GTIDs, it would come back to db1 as something new.
  stop_replica_thread db1
  apply_log "$BATS_TEST_TMPDIR/file" db2
  rows_equal db3 db2
}

@test "what was purged from the log is named, and never taken for nothing" {
  only_db3_gets write db1 2
  sql db3 'FLUSH LOGS'
  write db1
  caught_up db3 db1
  wait_for 5 purged db3
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
}

@test "a file that is there, or that a link leads to, is never written" {
  local folder=$BATS_TEST_TMPDIR/folder
  only_db3_gets write db1
  mkdir "$folder"
  echo mine >"$folder/file"
  ln -s target "$folder/link"
  local name
  for name in file link; do
    differs 2 db3 db2 --save "$folder/$name"
    [[ $output == *"$folder/$name is there already"*'(save-failed)'* ]]
  done
  [[ $(<"$folder/file") == mine && ! -e $folder/target ]]
  differs 2 db3 db2 --save "$folder/no/such"
  ln -s target "$folder/new.part"
  differs 2 db3 db2 --save "$folder/new"
  [[ $output == *'new.part is left of an earlier call; remove it'* ]]
  [ "$(ls "$folder")" = $'file\nlink\nnew.part' ]
}

@test "whoever asks wrongly, or a silent server, is told so" {
  local words
  for words in '' 'db3' 'db3 db9' 'db3 db3' 'db3 db2 no_such' 'db3 db2 --limit x'; do
    # shellcheck disable=SC2086
    differs 2 $words
    [[ -n $output$stderr ]]
  done
  freeze db2
  differs 2 db3 db2 --timeout 1 --format json
  within 3000
  says '.result == "unknown" and .error.code == "cannot-connect"'
  thaw db2
}
