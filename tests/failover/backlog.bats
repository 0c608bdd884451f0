#!/usr/bin/env bats
# By GTID, a MariaDB whose replication threads are both stopped begins a new relay log when either of them
# starts. With a dead master, what was fetched and not yet applied would be lost for ever.

bats_require_minimum_version 1.5.0
load ../lib/cluster
load ../lib/clients

setup_file() {
  export MMM_REPLICATION=gtid
  cluster_for_file
}
setup() { only_on MariaDB 'others keep their relay log'; }
teardown_file() { end_cluster; }
teardown() { dump_on_failure; }

# backlog [STATEMENT] — db2 has fetched two rows more than it has applied; db1 ran this statement between the two.
backlog() {
  reset_cluster
  falls_behind "$@"
}
falls_behind() {
  sql db1 "CREATE TABLE app.backlog (id INT PRIMARY KEY)"
  wait_for 10 sql db2 "SELECT * FROM app.backlog"
  sql db2 "STOP SLAVE SQL_THREAD"
  sql db1 "INSERT INTO app.backlog VALUES (1)" "${1:-DO 0}" "INSERT INTO app.backlog VALUES (2)"
  wait_for 10 fetched_everything db2 db1
}
dead_master_with_backlog() {
  backlog
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

  nobody_starts_db2

  the_cure_is_one
}

# nobody_starts_db2 — no helper starts its threads, which would delete its relay log.
nobody_starts_db2() {
  local helper
  for helper in sync_with_master mysql_allow_write turn_on_slave; do
    run_helper db2 "$helper"
    expect_answer 255 "ERROR: db2 has fetched the log of * would throw the rest away. Apply it first: CHANGE MASTER *" || return 1
  done
  [[ $(sql db2 "SELECT @@read_only") == 1 ]]
}

# the_cure_is_one — what the last refusal names.
the_cure_is_one() {
  local cure=${line#*Apply it first: }
  sql db2 "${cure%%; when*}"
  wait_for 10 both_rows_are_there
}

# Log-ins are answered from memory. What db2 throws away, nobody can send it again.
@test "both threads stopped, and the master lets log-ins in and cannot read its log: no helper throws the backlog away" {
  backlog
  sql db2 "STOP SLAVE"
  local file
  file=$(host_dir db1)/data/$(sql db1 "SHOW MASTER STATUS" | cut -f 1)

  # A file of the log cannot be opened. The server has it open, and writes on.
  mv "$file" "$file.away"
  nobody_starts_db2
  # A disk hangs: who opens the file waits.
  mkfifo "$file"
  nobody_starts_db2
  server_end db1 KILL

  the_cure_is_one
}

@test "both threads stopped, and the master can send the backlog again: turn_on_slave starts them" {
  backlog "FLUSH LOGS"
  sql db2 "STOP SLAVE"

  run_helper db2 turn_on_slave
  expect_answer 0 OK

  wait_for 10 both_rows_are_there
}

# Only the server can log in with that, so the agent's account reads the log.
@test "both threads stopped, and the channel has a certificate: the master can send the backlog again, and turn_on_slave starts them" {
  reset_cluster
  sql db1 "SET sql_log_bin = 0" "GRANT REPLICATION SLAVE ON *.* TO '$AGENT_USER'@'$NETWORK.%'"
  sql db2 "STOP SLAVE" "CHANGE MASTER TO MASTER_SSL_CERT = '/etc/mysql/replica.pem'" "START SLAVE"
  falls_behind
  sql db2 "STOP SLAVE"
  # What the helpers have of the account is refused.
  sed -i 's/replication_password.*/replication_password other/' "$(host_dir db2)/mysql-mmm/mmm_common.conf"

  run_helper db2 turn_on_slave
  expect_answer 0 OK

  wait_for 10 both_rows_are_there
}

@test "both threads stopped, and the master can send the backlog again: sync_with_master and mysql_allow_write do it, too" {
  local helper
  for helper in sync_with_master mysql_allow_write; do
    backlog
    sql db1 "SET GLOBAL read_only = 1"
    sql db2 "STOP SLAVE"

    run_helper db2 "$helper"
    expect_answer 0 OK

    both_rows_are_there
  done
}

# From its CHANGE MASTER on, the server shows all that it has fetched as applied.
@test "both threads stopped, and somebody does what the refusal says: writes open when all is applied" {
  dead_master_with_backlog
  sql db2 "STOP SLAVE"
  nobody_starts_db2
  local cure=${line#*Apply it first: }
  sql db2 'LOCK TABLES app.backlog WRITE' 'DO SLEEP(5)' 3>&- &
  wait_for 5 executes db2 'DO SLEEP(5)'

  sql db2 "${cure%%; START*}"
  run_helper db2 mysql_allow_write
  expect_answer 255 'ERROR: *'
  [[ $(sql db2 "SELECT @@read_only") == 1 ]]

  wait "$!"
  wait_for 10 run_helper_is_ok db2 mysql_allow_write
  both_rows_are_there
}
run_helper_is_ok() { run_helper "$@" && [[ $line == OK* ]]; }

# With sync_binlog=0, as MariaDB has it, a machine that loses power loses what a slave has fetched.
@test "both threads stopped, and the master's log was cut in a crash: no helper throws away what only the slave has" {
  backlog
  sql db2 "STOP SLAVE"
  local file position
  read -r file position <<<"$(sql db2 "SHOW SLAVE STATUS" | cut -f 10,22)"
  server_end db1 KILL
  truncate -s "$position" "$(host_dir db1)/data/$file"
  server_start db1

  nobody_starts_db2

  the_cure_is_one
}

# backlog_is_shown — the server's positions say that something is fetched and not applied.
backlog_is_shown() {
  local fetched applied
  read -r fetched applied <<<"$(sql db2 "SHOW SLAVE STATUS" | cut -f 7,22)"
  [[ $fetched != "$applied" && $(threads db2) == 'No No' ]]
}

@test "both threads stopped, and the slave was told to pass over the backlog: turn_on_slave starts them" {
  backlog
  sql db2 "STOP SLAVE" "SET GLOBAL gtid_slave_pos = '$(sql db1 "SELECT @@gtid_binlog_pos")'"
  backlog_is_shown

  run_helper db2 turn_on_slave
  expect_answer 0 OK
}

# It fetches its own transactions back, and passes over them.
@test "both threads of a writer stopped, and its passive master has nothing of its own: turn_on_slave starts them" {
  reset_cluster
  sql db2 "STOP SLAVE" "CHANGE MASTER TO MASTER_USE_GTID = current_pos" "START SLAVE"
  wait_for 10 threads_run db2
  sql db2 "STOP SLAVE SQL_THREAD" "SET GLOBAL read_only = 0" "INSERT INTO app.entries (origin) VALUES ('db2')"
  wait_for 10 eval '[[ $(sql db1 "SELECT COUNT(*) FROM app.entries") == 1 ]]'
  wait_for 10 fetched_everything db2 db1
  sql db2 "STOP SLAVE"
  backlog_is_shown

  run_helper db2 turn_on_slave
  expect_answer 0 OK
}

# By GTID, the server writes its positions down only in order: behind a crash they are of an earlier moment.
@test "both threads stopped behind a crash of the slave, which has applied all: turn_on_slave starts them" {
  reset_cluster
  sql db1 "CREATE TABLE app.backlog (id INT PRIMARY KEY)" "INSERT INTO app.backlog VALUES (1)"
  wait_for 10 sql db2 "SELECT * FROM app.backlog"
  sql db2 "STOP SLAVE" "START SLAVE"
  wait_for 10 threads_run db2
  sql db1 "INSERT INTO app.backlog VALUES (2)"
  wait_for 10 both_rows_are_there
  server_end db2 KILL
  server_start db2 --skip-slave-start
  backlog_is_shown

  run_helper db2 turn_on_slave
  expect_answer 0 OK

  both_rows_are_there
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
