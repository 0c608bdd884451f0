#!/usr/bin/env bats
# A cluster of the server and mode that MMM_SERVER and MMM_REPLICATION name: the harness speaks its words, and
# the agent's account may do what helpers do there, by grants of which none is too many.

load cluster

setup_file() { cluster_for_file; }
teardown_file() {
  end_cluster
  [ ! -e "$CLUSTER_DIR" ]
}
teardown() { dump_on_failure; }

cluster() { "$REPOSITORY/tests/cluster" "$@"; }
agent_sql() { sql_as "$AGENT_USER" "$AGENT_PASSWORD" "$(host_ip "$1")" "${@:2}" 2>&1; }

arrives() { wait_for 20 has_entry "$1" "$2"; }
has_entry() { [[ $(sql "$1" "SELECT COUNT(*) FROM app.entries WHERE note = '$2'") == 1 ]]; }

all_run() { [[ "$(threads db1) $(threads db2) $(threads db3)" == "Yes Yes Yes Yes Yes Yes" ]]; }

@test "every host keeps its place as MMM_REPLICATION says, before and after a reset" {
  [ "$(replication_mode db1) $(replication_mode db2) $(replication_mode db3)" = \
    "$MMM_REPLICATION $MMM_REPLICATION $MMM_REPLICATION" ]
  sql db1 "INSERT INTO app.entries (note) VALUES ('before')"
  arrives db3 before
  sql db3 'STOP SLAVE' 'RESET SLAVE ALL'

  reset_cluster

  [ "$(sql db1 'SELECT @@read_only' 'SELECT COUNT(*) FROM app.entries')" = $'0\n0' ]
  [ "$(sql db3 'SELECT @@read_only' 'SELECT COUNT(*) FROM app.entries')" = $'1\n0' ]
  [ "$(replication_mode db3)" = "$MMM_REPLICATION" ]
  all_run
}

@test "rows of both masters reach every host and do not collide" {
  sql db1 "INSERT INTO app.entries (origin) VALUES ('db1'), ('db1')"
  sql db2 "INSERT INTO app.entries (origin) VALUES ('db2'), ('db2')"
  caught_up db2 db1
  caught_up db1 db2
  caught_up db3 db1
  rows_equal db1 db2 db3
  [ "$(sql db3 "SELECT COUNT(*), SUM(id % 2 = (origin = 'db1')) FROM app.entries WHERE origin != ''")" = $'4\t4' ]
}

@test "an application's account writes on the writer and nowhere else" {
  sql_as_app db1 "INSERT INTO app.entries (note) VALUES ('app')"
  arrives db2 app
  run sql_as_app db2 'INSERT INTO app.entries () VALUES ()'
  [ "$status" -ne 0 ]
  [[ $output == *read-only* ]]
}

@test "status names every host's source and threads" {
  run cluster status
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "db1  10.77.0.11/24  server running  read_only 0  replicates from 10.77.0.12, threads Yes Yes" ]
  [ "${lines[2]}" = "db3  10.77.0.13/24  server running  read_only 1  replicates from 10.77.0.11, threads Yes Yes" ]
}

@test "fields of the replication status go by their old names" {
  [ "$(replica_field db3 Master_Host)" = "$(host_ip db1)" ]
  [ "$(replica_field db3 Master_Port)" = 3306 ]
  [ "$(replica_field db3 Slave_SQL_Running)" = Yes ]
  [ "$(replica_field db3 Master_Log_File) $(replica_field db3 Read_Master_Log_Pos)" = "$(binlog_end db1)" ]
  [ "$(replica_field db3 Master_Server_Id)" = 1 ]
}

@test "the threads stop and start one by one" {
  stop_replica_thread db3 SQL_THREAD
  [ "$(threads db3)" = "Yes No" ]
  start_replica_thread db3
  wait_for 10 all_run
}

@test "a killed server comes back read-only and goes on replicating, and others from it once they are told" {
  kill_server db1
  [ "$(server_state db1)" = down ]
  [[ $(threads db3) == *' Yes' ]]
  start_server db1
  is_read_only db1
  reconnects_to db1
  wait_for 30 all_run
  sql db1 'SET GLOBAL read_only = 0' "INSERT INTO app.entries (note) VALUES ('back')"
  arrives db2 back
  arrives db3 back
}

@test "a frozen server answers nothing until it thaws" {
  freeze db2
  [ "$(server_state db2)" = frozen ]
  run timeout 1 "${CLIENT[@]}" --socket="$(host_dir db2)/mysqld.sock" --user=root -e 'DO 0'
  [ "$status" -eq 124 ]
  thaw db2
  sql db2 'DO 0'
}

# what_agent_lacks — a line for each thing that helpers do and the agent's account is refused. On db3, whose
# only source is db1.
what_agent_lacks() {
  local deed user kills=()
  (exec 3>&- 4>&-; sql_as_app db3 'DO SLEEP(30)') >/dev/null 2>&1 &
  (exec 3>&- 4>&-; sql db3 'DO SLEEP(30)') >/dev/null 2>&1 &
  for user in "$APP_USER" root; do
    wait_for 10 connection_of "$user"
    kills+=("KILL $(connection_of "$user")")
  done
  for deed in "${AGENT_DEEDS[@]}" "${kills[@]}"; do
    said=$(agent_sql db3 "$deed") || printf '%s: %s\n' "$deed" "$said"
  done
  # Without PROCESS there is no error, only nothing to see.
  [[ $(agent_sql db3 'SHOW PROCESSLIST') == *"Waiting for "* ]] || echo 'SHOW PROCESSLIST: sees itself alone'
  for deed in "${kills[@]}"; do sql db3 "$deed" 2>/dev/null || true; done
  wait
  sql db3 'START SLAVE' 'SET GLOBAL read_only = 1'
}
connection_of() {
  sql db3 "SELECT id FROM information_schema.processlist WHERE user = '$1' AND info LIKE 'DO SLEEP%'" | grep .
}

@test "the agent's account may do what helpers do" {
  run what_agent_lacks
  [ "$output" = "" ]
  wait_for 10 all_run
}

@test "the agent's account would miss each of its grants" {
  local grant account="'$AGENT_USER'@'$NETWORK.%'"
  for grant in "${AGENT_GRANTS[@]}"; do
    sql db3 'SET SESSION sql_log_bin = 0' "REVOKE $grant FROM $account"
    run what_agent_lacks
    printf 'without %s:\n%s\n' "$grant" "$output" | tee -a "${GRANT_REPORT:-/dev/null}"
    sql db3 'SET SESSION sql_log_bin = 0' "GRANT $grant TO $account"
    [ "$output" != "" ]
  done
  wait_for 10 all_run
}
