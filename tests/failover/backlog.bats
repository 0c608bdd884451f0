#!/usr/bin/env bats
# By GTID, a MariaDB whose replication threads are both stopped begins a new relay log when either of them
# starts. With a dead master, what was fetched and not yet applied would be lost for ever.

bats_require_minimum_version 1.5.0
load ../lib/cluster

setup_file() {
  export MMM_REPLICATION=gtid
  cluster_for_file
}
setup() { only_on MariaDB 'others keep their relay log'; }
teardown_file() { end_cluster; }
teardown() { dump_on_failure; }

# db2 has fetched two rows more than it has applied, db1 is dead.
dead_master_with_backlog() {
  reset_cluster
  sql db1 "CREATE TABLE app.backlog (id INT PRIMARY KEY)"
  wait_for 10 sql db2 "SELECT * FROM app.backlog"
  sql db2 "STOP SLAVE SQL_THREAD"
  sql db1 "INSERT INTO app.backlog VALUES (1)" "INSERT INTO app.backlog VALUES (2)"
  wait_for 10 fetched_everything db2 db1
  server_end db1 KILL
}

fetched_everything() {
  local end
  end=$(sql "$2" "SHOW MASTER STATUS" | cut -f 2)
  [[ $(sql "$1" "SHOW SLAVE STATUS" | cut -f 7) == "$end" ]]
}

@test "both threads stopped: neither sync_with_master, mysql_allow_write nor turn_on_slave throws the backlog away" {
  dead_master_with_backlog
  sql db2 "STOP SLAVE"

  for helper in sync_with_master mysql_allow_write turn_on_slave; do
    run_helper db2 "$helper"
    expect_answer 255 "ERROR: db2 has fetched the log of * would throw the rest away. Apply it first: CHANGE MASTER *"
  done

  [[ $(sql db2 "SELECT @@read_only") == 1 ]]
  # The cure that the refusal names is one.
  cure=${line#*Apply it first: }
  sql db2 "${cure%%; when*}"
  wait_for 10 both_rows_are_there
}

@test "the applying thread alone stopped: sync_with_master has the backlog applied, then writes open" {
  dead_master_with_backlog

  run_helper db2 sync_with_master
  expect_answer 0 OK
  run_helper db2 mysql_allow_write
  expect_answer 0 OK

  both_rows_are_there
}

both_rows_are_there() { [[ $(sql db2 "SELECT COUNT(*) FROM app.backlog") == 2 ]]; }
