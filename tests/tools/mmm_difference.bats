#!/usr/bin/env bats
# mmm_difference on real hosts, as far as it does not matter how transactions are numbered: rows, statements, files, and
# wrong usage.

load ../lib/cluster
load ../lib/failover
load ../lib/difference

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

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
    ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' <<<"$output" || false
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
