#!/usr/bin/env bats
# Settings that lose data or time in a failover: mmm_preflight finds each of them, and none on a cluster that has what
# docs/PREFLIGHT.md recommends. mmm_preflight_settings_gtid.bats is a link to this: the same with replication by GTID.

load ../lib/cluster
load ../lib/answers
load ../lib/failover
load ../lib/preflight

setup_file() { recommended && cluster_in_mode && prepare; }
teardown_file() { end_cluster; }
setup() { good_cluster; }
teardown() { end_good_cluster; }

@test "a cluster with the recommended settings has no finding on any host" {
  local host
  for host in db1 db2 db3; do is_good "$host"; done
}

@test "a channel that waits long between two tries is found, and cured" {
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO MASTER_CONNECT_RETRY = 60' 'START SLAVE'
  wait_for 10 sees db1 1 retry-slow
  sees db1 1 retry-slow
  cured
  becomes_good db1
}

@test "no cure deletes what a slave alone has fetched from a dead master" {
  leaves_traces
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO MASTER_CONNECT_RETRY = 60' 'START SLAVE'
  local rows
  hold db3
  insert db1
  fetched_all db3 db1
  rows=$(row_count db1)
  kill_server db1
  look db3 --format json
  [[ $output == *'"retry-slow"'* ]]
  if [[ $FAMILY == MariaDB ]]; then [[ $output == *'not now: db1 does not answer'* ]]; fi
  cured retry-slow
  release db3
  wait_for 10 has_rows db3 "$rows"
}

@test "a channel that gives up its master soon is found, and cured" {
  [[ $FAMILY == MySQL ]] || skip 'MariaDB does not show it'
  sql db3 'STOP SLAVE' 'CHANGE MASTER TO MASTER_RETRY_COUNT = 10' 'START SLAVE'
  wait_for 10 sees db1 1 retry-gives-up
  sees db1 1 retry-gives-up
  cured
  becomes_good db1
}

@test "a server that takes writes after its next start is found on its own host" {
  local file
  file=$(host_dir db2)/my.cnf
  sed -i 's/^read_only = 1/# &/' "$file"
  sees db2 1 read-only-not-at-start
  is_good db1
  sed -i 's/^# read_only = 1/read_only = 1/' "$file"
  is_good db2
  echo 'skip_read_only' >>"$file"
  sees db2 1 read-only-not-at-start
  sed -i '/^skip_read_only/d' "$file"
  is_good db2
}

@test "what SET PERSIST says of the next start counts more than the option files" {
  [[ $MMM_SERVER == mysql-9 ]] || skip 'only MySQL since 8.0 has it'
  sql db2 'SET PERSIST_ONLY read_only = 0'
  sees db2 1 read-only-not-at-start
  sql db2 'RESET PERSIST read_only'
  is_good db2
}

@test "a master that may lose commits in a crash is found, and cured" {
  sql db2 'SET GLOBAL sync_binlog = 0'
  sees db3 1 log-not-synced
  cured
  is_good db3
  sql db1 'SET GLOBAL innodb_flush_log_at_trx_commit = 2'
  sees db3 1 commits-not-flushed
  cured
  is_good db3
}

@test "a slave may be quick instead" {
  sql db3 'SET GLOBAL sync_binlog = 0' 'SET GLOBAL innodb_flush_log_at_trx_commit = 2'
  is_good db1
  sql db3 'SET GLOBAL sync_binlog = 1' 'SET GLOBAL innodb_flush_log_at_trx_commit = 1'
}

@test "a MariaDB that mixes what two hosts wrote apart is found by GTID, and cured" {
  [[ $FAMILY == MariaDB ]] || skip 'only MariaDB has gtid_strict_mode'
  sql db3 'SET GLOBAL gtid_strict_mode = 0'
  if [[ $MMM_REPLICATION == gtid ]]; then sees db1 1 gtid-strict-mode-off; else is_good db1; fi
  sql db3 'SET GLOBAL gtid_strict_mode = 1'
  is_good db1
}

# keeps_logs HOST SECONDS
keeps_logs() {
  if [[ -n $(sql "$1" "SHOW VARIABLES LIKE 'binlog_expire_logs_seconds'") ]]; then
    sql "$1" "SET GLOBAL binlog_expire_logs_seconds = $2"
  else
    sql "$1" "SET GLOBAL expire_logs_days = $(($2 / 86400))"
  fi
}

@test "a master that keeps its logs only for hours is found, and cured" {
  [[ -n $(sql db2 "SHOW VARIABLES LIKE 'binlog_expire_logs_seconds'") ]] || skip 'its shortest time is a day'
  keeps_logs db2 3600
  sees db1 1 logs-kept-too-short
  cured
  is_good db1
}

@test "rows in a table without transactions are found on their host" {
  sql db1 'CREATE TABLE app.old (id INT) ENGINE = MyISAM'
  caught_up db3 db1
  is_good db3
  sql db1 'INSERT INTO app.old VALUES (1)'
  caught_up db3 db1
  wait_for 5 sees db3 1 tables-without-transactions
  look db3
  [[ $output == *app.old* ]]
  sql db1 'ALTER TABLE app.old ENGINE = InnoDB'
  caught_up db3 db1
  is_good db3
  sql db1 'DROP TABLE app.old'
  caught_up db3 db1
}

# On db1 alone: an event is passed on and sleeps on its slaves.
@test "an enabled event whose definer may ignore read_only is found, and no other one" {
  sql db1 'SET GLOBAL event_scheduler = ON'
  is_good db1
  sql db1 'CREATE EVENT app.tick ON SCHEDULE EVERY 1 HOUR DO DO 0'
  wait_for 5 sees db2 1 events-may-write
  # With these rights, the agent's account sees who the definers are.
  sql db1 'SET sql_log_bin = 0' "GRANT EVENT, SELECT ON *.* TO '$AGENT_USER'@'$NETWORK.%'"
  sees db2 1 events-may-write
  look db2 --format json
  [[ $output == *"events of 'root'@'localhost'"* ]]
  sql db1 'ALTER EVENT app.tick DISABLE'
  wait_for 5 is_good db2
  sql db1 "CREATE DEFINER = '$APP_USER'@'$NETWORK.%' EVENT app.tock ON SCHEDULE EVERY 1 HOUR DO DO 0"
  wait_for 5 is_good db2
  sql db1 'ALTER EVENT app.tick ENABLE'
  wait_for 5 sees db2 1 events-may-write
  leaves_traces
}

@test "a server with few free connections is found, and cured" {
  sql db2 'SET GLOBAL max_connections = 11'
  sees db1 1 connections-scarce
  cured
  is_good db1
}

@test "semi-synchronous masters that ask no slave for what only it has are found" {
  [[ $FAMILY == MariaDB ]] || skip 'MySQL loads a plugin for it'
  local host
  for host in db1 db2 db3; do
    sql "$host" 'SET GLOBAL rpl_semi_sync_master_enabled = 1, GLOBAL rpl_semi_sync_master_timeout = 1000' \
      'SET GLOBAL rpl_semi_sync_slave_enabled = 1' 'STOP SLAVE IO_THREAD' 'START SLAVE IO_THREAD'
  done
  becomes_good db1
  settings db1 'allow_write: { survivors: off }'
  sees db1 1 survivors-off
  leaves_traces
}
