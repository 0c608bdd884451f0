#!/usr/bin/env bats
# sync_with_master on real servers: it ends well only when this host has everything that its peer has written,
# and waits for that no longer than a call may take.

load ../lib/cluster
load ../lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { fresh; }
teardown() { dump_on_failure; }

# fresh — as after up, with db1's writes ended: the moment before db2 becomes the writer.
fresh() {
  reset_cluster
  sql db1 'SET GLOBAL read_only = 1'
}

in_sync() {
  run_helper db2 sync_with_master "$@"
  answers 0 OK && rows_equal db1 db2
}

# not_in_sync PATTERN [OPTION…] — what it says.
not_in_sync() {
  run_helper db2 sync_with_master "${@:2}"
  answers 255 "ERROR: $1" && in_time && keeps_secrets
}

later() { { sleep "$1"; "${@:2}"; } >/dev/null 2>&1 3>&- 4>&- & }

@test "a host that has everything of its peer is in sync at once" {
  insert db1; insert db1
  caught_up db2 db1
  in_sync
  within 2000
}

@test "what the peer has written is waited for" {
  hold db2
  insert db1; insert db1; insert db1
  later 1.2 release db2
  in_sync
  ((milliseconds >= 1000))
  has_rows db2 3
}

@test "sync_with_master changes nothing but what it waits for: writes stay closed on both" {
  insert db1
  in_sync
  is_read_only db1
  is_read_only db2
  runs_from db2 db1
  runs_from db1 db2
}

@test "a peer that still takes writes is never in sync" {
  sql db1 'SET GLOBAL read_only = 0'
  not_in_sync 'db1 still takes writes (read_only is off); this host is not in sync; run mysql_deny_write on db1 first, then try again'
  within 2000
}

@test "what is not applied when the time is up is an error that says how much is missing, and where" {
  settings db2 'limits: {call: 2s}'
  hold db2
  insert db1; insert db1
  fetched_all db2 db1
  local applied end
  applied="$(replica_field db2 Relay_Master_Log_File):$(replica_field db2 Exec_Master_Log_Pos)"
  end=$(binlog_end db1)

  not_in_sync "$(missing 2) from db1 not yet applied ($applied of ${end#* }); this host is not in sync (its SQL thread: *)"
  within 3000
  ((milliseconds >= 1500))

  agent_call db2 sync_with_master
  expect_agent_read 255 "ERROR: $(missing 2) from db1 not yet applied*"
  has_rows db2 0
}

@test "without settings the wait ends within the 8 seconds that a call may take" {
  hold db2
  insert db1
  not_in_sync "$(missing 1) from db1 not yet applied*"
  ((milliseconds >= 6000))
}

@test "a stopped SQL thread is no success (MASTER_POS_WAIT says NULL): it is started and waited for" {
  sql db2 'STOP SLAVE SQL_THREAD'
  insert db1; insert db1
  fetched_all db2 db1
  in_sync
  has_rows db2 2
  runs_from db2 db1
}

@test "a SQL thread that somebody stops during the wait is no success" {
  only_on early_stop 'stopping waits there until the transaction is applied'
  hold db2
  insert db1
  fetched_all db2 db1
  later 1 sql db2 'STOP SLAVE SQL_THREAD'
  later 1.5 release db2
  not_in_sync "$(missing 1) from db1 not yet applied*the SQL thread is stopped*"
}

@test "applying that has failed is no success, and is said at once with the server's error" {
  fail_applier db2 db1
  not_in_sync '*from db1 not yet applied*SQL thread: error 1062: *'
  within 2000
}

@test "applying that fails during the wait is no success" {
  sql db1 'CREATE TABLE app.clash (id INT PRIMARY KEY)'
  caught_up db2 db1
  sql db2 'SET sql_log_bin = 0' 'INSERT INTO app.clash VALUES (1)'
  hold db2
  insert db1
  sql db1 'INSERT INTO app.clash VALUES (1)'
  later 1 release db2
  not_in_sync "$(missing 1) from db1 not yet applied*SQL thread: error 1062: *"
  ((milliseconds >= 800))
  within 6000
}

@test "an I/O thread that its source refuses is no success while the peer lives" {
  settings db2 'limits: {call: 2s}'
  sql db2 'STOP SLAVE'
  set_password db1 "$REPLICATION_USER" other
  insert db1
  sql db2 'START SLAVE'
  not_in_sync "$(missing 1) from db1 not yet applied*I/O thread: error *"
}

@test "a stopped I/O thread is started and waited for" {
  sql db2 'STOP SLAVE'
  insert db1
  in_sync
  has_rows db2 1
  runs_from db2 db1
}

@test "of a dead peer, all that was fetched counts" {
  sql db2 'STOP SLAVE SQL_THREAD'
  insert db1; insert db1
  fetched_all db2 db1
  kill_server db1
  run_helper db2 sync_with_master
  answers 0 OK
  has_rows db2 2
}

@test "of a dead peer, what was fetched and cannot be applied is no success" {
  settings db2 'limits: {call: 2s}'
  hold db2
  insert db1
  fetched_all db2 db1
  kill_server db1
  not_in_sync '*from db1 not yet applied*'

  release db2
  run_helper db2 sync_with_master
  answers 0 OK
  has_rows db2 1
}

@test "of a dead peer, rows that met an error are no success" {
  fail_applier db2 db1
  kill_server db1
  not_in_sync 'replication from db1 does not run on db2: *SQL thread: error 1062: *; this host is not in sync*'
  within 3000
}

@test "a peer that is frozen or cut off counts as dead once a heartbeat is overdue" {
  insert db1
  caught_up db2 db1
  freeze db1
  run_helper db2 sync_with_master
  answers 0 OK
  within 6000
  thaw db1

  fresh
  drop_packets db2 db1
  run_helper db2 sync_with_master
  answers 0 OK
  within 6000
}

@test "a peer that freezes during the wait counts as dead, and the call still ends in time" {
  settings db2 'limits: {call: 4s}'
  set_password db1 "$REPLICATION_USER" other
  hold db2
  insert db1
  later 1 freeze db1
  not_in_sync '*from db1 not yet applied*'
  within 5000
}

@test "a host that replicates from somebody else than its peer is not in sync, and never waits" {
  sql db2 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '$(host_ip db3)', $(place_in_mode binlog.000001 4)" 'START SLAVE'
  not_in_sync 'db2 does not replicate from its peer db1 but from db3 (10.77.0.13:3306)*'
  within 2000

  sql db2 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '10.77.0.99'"
  not_in_sync 'Invalid master host in show slave status*10.77.0.99*'
  within 2000
}

@test "a log of the peer that was reset since it was fetched is no success" {
  insert db1; insert db1
  caught_up db2 db1
  sql db2 'STOP SLAVE IO_THREAD'
  sql db1 'RESET MASTER'
  not_in_sync 'the log of db1 ends at *, but db2 has fetched it to *'
}

@test "a host that replicates from nobody has nothing to wait for, and the journal warns" {
  sql db2 'STOP SLAVE' 'RESET SLAVE ALL'
  run_helper db2 sync_with_master
  answers 0 OK
  journal_says db2 'WARN  db2 replicates from nobody'
}

@test "a host without a peer in its configuration is told so" {
  run_helper db3 sync_with_master
  answers 255 'ERROR: No peer defined for host db3*'
}

@test "a peer that refuses the agent's account is no success" {
  configure db2 db1 agent_password wrong_secret
  not_in_sync 'cannot tell what db1 has written: *Access denied*; this host is not in sync*'
  keeps_secrets wrong_secret
}

@test "sync_with_master ends with an error in time where the host's own server is silent" {
  freeze db2
  not_in_sync "Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*"
  thaw db2

  stop_server db2
  not_in_sync "Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)!*"
  agent_call --joined db2 sync_with_master
  expect_agent_read 255 "ERROR: Can't connect to MySQL*"
}

@test "the host's own server freezing during the wait ends the call in time" {
  settings db2 'limits: {call: 3s}'
  hold db2
  insert db1
  later 1 freeze db2
  not_in_sync '*'
  within 4000
  thaw db2
}

@test "by hand, --wait says how long the call may take" {
  hold db2
  insert db1
  not_in_sync "$(missing 1) from db1 not yet applied*" --wait 1
  within 2000
  settings db2 'limits: {call: 1s}'
  later 3 release db2
  in_sync --wait=forever
  ((milliseconds >= 2000))
}

@test "sync_with_master without an argument uses mmm_agent, as MMM 2.0 calls it" {
  run_bare db2 sync_with_master
  answers 0 OK
}

@test "sync_with_master called wrongly prints its usage" {
  run_bare db2 sync_with_master mmm_agent_db2 db1
  expect_answer 1 "Usage: $MMM_AGENT_DIR/sync_with_master <config_file>"
  run_bare db2 sync_with_master --force
  expect_answer 1 'Usage: *'
  run_bare db2 sync_with_master --wait soon
  expect_answer 1 'Usage: *'
  run_bare db2 sync_with_master ''
  answers 255 'ERROR: *empty*'
  run_bare db2 sync_with_master mmm_agent_nobody
  answers 255 'ERROR: *mmm_agent_nobody.conf*'
}

@test "the agent syncs a new writer and then finds it in step" {
  sql db1 'SET GLOBAL read_only = 0'
  local row
  for row in {1..20}; do insert db1 "$row"; done
  sql db1 'SET GLOBAL read_only = 1'
  agent_call db2 sync_with_master
  expect_agent_read 0 OK
  rows_equal db1 db2
  has_rows db2 20
}
