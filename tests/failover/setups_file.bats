#!/usr/bin/env bats
# Moving a slave of every make: how its channel, its new master and the configuration may be set up. Named by
# the rows of docs/ORDERS.md.

load ../lib/cluster
load ../lib/failover

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

@test "A13: the new master cannot be reached, is down, or is frozen; the slave was not even stopped" {
  settings db3 'limits: { connect: 1s }'
  ends_writing
  drop_packets db2 db3
  refuses_to_move db3 db2 "ERROR: Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)! *"
  pass_packets db2

  freeze db2
  refuses_to_move db3 db2 "ERROR: Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)! *"
  thaw db2

  kill_server db2
  refuses_to_move db3 db2 "ERROR: Can't connect to MySQL (host = 10.77.0.12:3306, user = mmm_agent)! *"
}

@test "A13: the new master writes no binary log; the slave was not even stopped" {
  only_on bare 'by GTID, this server needs a log'
  ends_writing
  restart_server db2 --skip-log-bin --skip-log-slave-updates
  refuses_to_move db3 db2 'ERROR: db2 has no binary log*'
}

@test "A13: the agent's account lacks a privilege on the new master; the slave was not even stopped" {
  only_on narrow 'SUPER is for all'
  leaves_traces
  ends_writing
  may_not db2 log status
  refuses_to_move db3 db2 "ERROR: '$AGENT_USER'@'*' lacks * on db2 (*): SET SESSION sql_log_bin = 0; GRANT *"
}

@test "A13: the new master refuses the replication account; the slave was not even stopped" {
  leaves_traces
  ends_writing
  set_password db2 "$REPLICATION_USER" other

  refuses_to_move db3 db2 "ERROR: db2 refuses replication_user 'replication': Access denied *"
}

@test "A13: the replication account may not replicate from the new master; the slave is back on the old one" {
  leaves_traces
  ends_writing
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"

  move db3 db2
  expect_agent_read 255 'ERROR: db3 cannot replicate from db2: *I/O thread*; it replicates from db1 as before'

  wait_for 5 replicates db3 db1
  open_writes db1
  nothing_lost db1 db3
}

@test "A15: a move leaves a slave's way to keep its place as it was" {
  ends_writing
  moves db3 db2
  [ "$(replication_mode db3)" = "$MMM_REPLICATION" ]
}

@test "A15: current_pos is kept, too" {
  only_on MariaDB 'current_pos is MariaDB'"'"'s'
  stop_replica_thread db3
  sql db3 'CHANGE MASTER TO MASTER_USE_GTID = current_pos'
  start_replica_thread db3
  ends_writing

  move db3 db2

  expect_agent_read 0 OK
  replicates db3 db2 current_pos
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A17: a second channel, named, from a server outside the cluster goes on undisturbed" {
  leaves_traces
  archive_channel db3
  note_archive
  ends_writing

  moves db3 db2

  archive_is_untouched db3
  sql db3 "STOP SLAVE 'archive'" 'SET sql_log_bin = 0' 'DROP DATABASE archive'
  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A17: the second channel keeps its GTID domain to itself" {
  only_on MariaDB 'no other server has domains'
  leaves_traces
  archive_channel db3
  sql client 'CREATE DATABASE archive' 'CREATE TABLE archive.notes (id INT PRIMARY KEY)'
  wait_for 5 sql db3 'SELECT * FROM archive.notes'
  note_archive
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  close_writes db1
  kill_server db1
  open_writes db2
  write db2 2

  moves db3 db2

  archive_is_untouched db3
  [[ $(sql db3 'SELECT @@gtid_slave_pos') == *,9-90-* ]]
  sql db3 "STOP SLAVE 'archive'" 'SET sql_log_bin = 0' 'DROP DATABASE archive'
  nothing_lost db2 db3
}

@test "A17: only the channel from a cluster host is started again when its threads are stopped" {
  leaves_traces
  archive_channel db3
  ends_writing
  moves db3 db2
  sql db3 'STOP ALL SLAVES'

  move db3 db2
  expect_agent_read 0 'OK: We are already a slave of the new master'

  replicates db3 db2
  [ "$(channel_threads db3 archive)" = 'No No' ]
}

@test "A17: the channel from the cluster has a name" {
  only_on channels 'channels have no names'
  local file position
  stop_replica_thread db3
  caught_up db2 db1
  read -r file position <<<"$(binlog_end db1)"
  sql db3 'RESET SLAVE ALL'
  change_source db3 main db1 "$(place_in_mode "$file" "$position")"
  sql db3 "START SLAVE 'main'"
  wait_for 5 runs_from db3 db1 main
  write db1
  close_writes db1
  caught_up db2 db1

  move db3 db2
  expect_agent_read 0 OK

  runs_from db3 db2 main
  [ "$(replication_mode db3 main)" = "$MMM_REPLICATION" ]
  [ "$(sql db3 'SHOW ALL SLAVES STATUS' | wc -l)" = 1 ]
  open_writes db2
  write db2
  wait_for 5 same_rows db2 db3
}

@test "A18: the slave's channel names its master by host name" {
  leaves_traces
  in_host db3 sh -c 'echo 10.77.0.11 database-one.example >>/etc/hosts'
  stop_replica_thread db3
  sql db3 "CHANGE MASTER TO MASTER_HOST = 'database-one.example',
      $(place_in_mode "$(replica_field db3 Relay_Master_Log_File)" "$(replica_field db3 Exec_Master_Log_Pos)")"
  start_replica_thread db3
  wait_for 5 eval '[ "$(threads db3)" = "Yes Yes" ]'

  move db3 db1
  expect_agent_read 0 'OK: We are already a slave of the new master'
  ends_writing
  moves db3 db2

  open_writes db2
  nothing_lost db2 db1 db3
}

@test "A18: two hosts have one address and are told apart by their ports" {
  leaves_traces
  forward_port db1 3307 db2
  configure db3 db2 ip "$(host_ip db1)"
  configure db3 db2 mysql_port 3307
  ends_writing

  move db3 db2
  expect_agent_read 0 OK

  [ "$(replica_field db3 Master_Host) $(replica_field db3 Master_Port)" = "$(host_ip db1) 3307" ]
  [ "$(replica_field db3 Master_Server_Id)" = 2 ]
  open_writes db2
  nothing_lost db2 db1 db3
}

# forward_port HOST PORT OTHER — connections to that port of HOST reach the server of OTHER.
forward_port() {
  in_host "$1" sh -c "echo 1 >/proc/sys/net/ipv4/ip_forward
    iptables -t nat -A PREROUTING -p tcp --dport $2 -j DNAT --to-destination $(host_ip "$3"):3306
    iptables -t nat -A POSTROUTING -p tcp -d $(host_ip "$3") -j MASQUERADE"
}

@test "A19: the replication password has quotes, backslashes and blanks, under both meanings of a backslash" {
  leaves_traces
  local password="it's \"a\\' pass\\\\word\\" literal host
  literal=${password//\\/\\\\}
  literal=${literal//\'/\\\'}
  for host in "${HOSTS[@]}"; do
    set_password "$host" "$REPLICATION_USER" "$literal"
    configure "$host" default replication_password "$password"
  done
  ends_writing
  moves db3 db2

  sql db3 "SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',NO_BACKSLASH_ESCAPES')"
  move db3 db1
  expect_agent_read 0 OK
  wait_for 5 replicates db3 db1

  run grep -F -e "$password" -e "$literal" -e "pass\\" -e "word\\" "$(host_dir db3)/log/mmm_helpers.log"
  [ "$status" -eq 1 ]
  open_writes db1
  nothing_lost db1 db3
}

@test "A23: the new master leaves tables out when it replicates; the slave was not even stopped" {
  only_on filters 'filters want a restart'
  leaves_traces
  leave_out db2 app.heap
  write db1
  ends_writing

  refuses_to_move db3 db2 'ERROR: db2 filters what it replicates or logs (Replicate_Ignore_Table=app.heap)*'
}

@test "A23: the new master leaves a database out of its log; the slave was not even stopped" {
  leaves_traces
  restart_server db2 --binlog-ignore-db=other
  ends_writing

  refuses_to_move db3 db2 'ERROR: db2 filters what it replicates or logs (Binlog_Ignore_DB=other)*'
}

@test "A23: all hosts leave the same database out of their logs; slaves move, and the rest of the rows arrives" {
  leaves_traces
  all_log_without other
  write db1
  sql db1 'USE other' 'INSERT INTO notes VALUES (1)'
  write db1
  sql db1 'USE other' 'INSERT INTO notes VALUES (2)'
  ends_writing

  moves db3 db2

  open_writes db2
  write db2 2
  sql db2 'USE other' 'INSERT INTO notes VALUES (3)'
  all_caught_up db2 db1 db3
  kill_server db2
  moves db3 db1
  open_writes db1
  forgets_database other db1 db3
  nothing_lost db1 db3
}

@test "A23: the old master is dead, and nobody can tell what it left out of its log; only a slave with all of it moves" {
  moves_once_the_filters_are_known ''
}

@test "A23: the same, and the operator says that all hosts leave out the same" {
  moves_once_the_filters_are_known 'attach: {log_filters_agree: true}'
}

# moves_once_the_filters_are_known SETTINGS — of db3; without, db1 is started.
moves_once_the_filters_are_known() {
  leaves_traces
  all_log_without other
  stop_replica_thread db3
  write db1
  caught_up db2 db1
  kill_server db1

  move db3 db2
  expect_agent_read 255 'ERROR: db2 leaves databases out of its log (Binlog_Ignore_DB=other), and db1 does not answer *'
  [ "$(replica_field db3 Master_Host)" = "$(host_ip db1)" ]

  if [[ $1 ]]; then settings db3 "$1"; else start_server db1 --binlog-ignore-db=other; fi
  moves db3 db2
  open_writes db2
  forgets_database other db2 db3
  nothing_lost db2 db3
}

# all_log_without DATABASE — every host has it, and leaves it out of its log; each its own rows.
all_log_without() {
  local host
  for host in "${HOSTS[@]}"; do
    restart_server "$host" --binlog-ignore-db="$1"
    sql "$host" 'SET sql_log_bin = 0' "CREATE DATABASE $1" "CREATE TABLE $1.notes (a INT) ENGINE = InnoDB"
  done
  for host in "${HOSTS[@]}"; do sql "$host" 'STOP SLAVE' 'START SLAVE'; done
  for host in "${HOSTS[@]}"; do wait_for 10 threads_run "$host"; done
}
forgets_database() {
  local host
  for host in "${@:2}"; do sql "$host" 'SET sql_log_bin = 0' "DROP DATABASE $1"; done
}

@test "A23: slave and new master have the same filter; it loses nothing that the slave would have kept" {
  only_on filters 'filters want a restart'
  leaves_traces
  local host
  for host in db2 db3; do leave_out "$host" app.scratch; done
  sql db1 'CREATE TABLE app.scratch (a INT)' 'INSERT INTO app.scratch VALUES (1)'
  write db1 2
  all_caught_up db1 db2 db3
  stop_replica_thread db3
  for _ in {1..400}; do echo "INSERT INTO scratch VALUES (1); INSERT INTO heap VALUES ('db1', 'kept');"; done |
    client_of "$(host_dir db1)" app
  caught_up db2 db1
  close_writes db1
  call_limit db3 4

  moves_behind_backlog db3 db2

  open_writes db2
  nothing_lost db2 db3
}

# Its position and its log are read one after the other. A transaction that both leave out may be the last one that it
# executed, and the next one is logged.
@test "A23: at no moment while it applies is a slave with the filter of the new master called different from it" {
  only_on filters 'filters want a restart'
  leaves_traces
  local host asked=0
  for host in db2 db3; do leave_out "$host" app.scratch; done
  sql db1 'CREATE TABLE app.scratch (a INT)'
  all_caught_up db1 db2 db3
  stop_replica_thread db3 SQL_THREAD
  for _ in {1..3000}; do echo "INSERT INTO scratch VALUES (1); INSERT INTO heap VALUES ('db1', 'kept');"; done |
    client_of "$(host_dir db1)" app
  caught_up db2 db1
  close_writes db1
  fetched_all db3 db1
  settings db3 'attach: { patience: 20ms }'
  start_replica_thread db3 SQL_THREAD

  # A dry run looks and does not stop it.
  until [[ $(replica_field db3 Exec_Master_Log_Pos) == "$(replica_field db3 Read_Master_Log_Pos)" ]]; do
    agent_call db3 set_active_master db2 --dry-run
    [[ $answer == 'OK: dry run'* || $answer == 'ERROR: '*'still applies what it fetched'* ]] || { echo "answered $code $answer" >&2; return 1; }
    asked=$((asked + 1))
  done
  ((asked > 5))
  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A23: slave and new master have the same filter, and the last transaction was one that both left out" {
  only_on filters 'filters want a restart'
  leaves_traces
  local host
  for host in db2 db3; do leave_out "$host" app.scratch; done
  sql db1 'CREATE TABLE app.scratch (a INT) ENGINE = InnoDB' 'INSERT INTO app.scratch VALUES (1)'
  write db1 2
  sql db1 'INSERT INTO app.scratch VALUES (2)' 'INSERT INTO app.scratch VALUES (3)'
  ends_writing
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"
  move db3 db2
  expect_agent_read 255 'ERROR: db3 cannot replicate from db2: *; it replicates from db1 as before'
  sql db2 'SET sql_log_bin = 0' "GRANT REPLICATION SLAVE ON *.* TO '$REPLICATION_USER'@'$NETWORK.%'"

  moves db3 db2

  open_writes db2
  nothing_lost db2 db3
}

@test "A23: the same, and the old master is dead and the new one has gone on; the late slave gets what it lacks" {
  only_on filters 'filters want a restart'
  leaves_traces
  local host
  for host in db2 db3; do leave_out "$host" app.scratch; done
  sql db1 'CREATE TABLE app.scratch (a INT) ENGINE = InnoDB'
  write db1 2
  sql db1 'INSERT INTO app.scratch VALUES (1)'
  all_caught_up db1 db2 db3
  stop_replica_thread db3 IO_THREAD
  write db1
  sql db1 'INSERT INTO app.scratch VALUES (2)'
  caught_up db2 db1
  kill_server db1
  open_writes db2
  write db2 2
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"
  local executed
  executed=$(executed_by db3)
  move db3 db2
  expect_agent_read 255 'ERROR: db3 cannot replicate from db2: *; it replicates from db1 as before'
  [ "$(executed_by db3)" = "$executed" ]
  sql db2 'SET sql_log_bin = 0' "GRANT REPLICATION SLAVE ON *.* TO '$REPLICATION_USER'@'$NETWORK.%'"

  moves db3 db2

  nothing_lost db2 db3
}

executed_by() {
  if [[ $FAMILY == MariaDB ]]; then sql "$1" 'SELECT @@gtid_slave_pos'; else sql "$1" "SELECT $SERVER_GTIDS"; fi
}

@test "A23: with equal filters, what is missing at the end of the slave's log is not taken for what both leave out" {
  only_on MariaDB 'with the GTIDs of MySQL no log is needed for that'
  leaves_traces
  stop_replica_thread db2 SQL_THREAD
  logs_nothing db3 write db1 2
  close_writes db1
  for host in db2 db3; do leave_out "$host" app.scratch; done
  stop_replica_thread db2 SQL_THREAD

  move db3 db2
  expect_agent_read 255 'ERROR: no position in the log of db2 can be proved to be right*'

  start_replica_thread db2 SQL_THREAD
  caught_up db2 db1
  move db3 db2
  expect_agent_read 255 'ERROR: no position in the log of db2 can be proved to be right*'
  open_writes db1
  nothing_lost db1 db2 db3
}

@test "A23: the old master is dead, and slave and new master left out of their logs what it sent last; a failed move doubles nothing" {
  only_on MariaDB 'a MySQL logs without rows what it leaves out'
  leaves_traces
  sql db1 'CREATE DATABASE other' 'CREATE TABLE other.notes (a INT) ENGINE = InnoDB'
  all_caught_up db1 db2 db3
  local host
  for host in db2 db3; do restart_server "$host" --binlog-ignore-db=other; done
  for host in db2 db3; do wait_for 10 threads_run "$host"; done
  write db1
  sql db1 'USE other' 'INSERT INTO notes VALUES (1)'
  ends_writing
  kill_server db1
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"

  move db3 db2
  expect_agent_read 255 'ERROR: *'

  start_server db1
  reconnects_to db1
  wait_for 10 replicates db3 db1
  open_writes db1
  nothing_lost db1 db3
  [ "$(sql db3 'SELECT COUNT(*) FROM other.notes')" = 1 ]
}

@test "A23: the slave leaves a database out of its own log, which then tells nothing; it moves from a living and a dead master" {
  leaves_traces
  restart_server db3 --binlog-ignore-db=other
  wait_for 10 replicates db3 db1
  sql db1 'CREATE DATABASE other' 'CREATE TABLE other.notes (a INT) ENGINE = InnoDB'
  write db1 2
  sql db1 'USE other' 'INSERT INTO notes VALUES (1)'
  ends_writing

  moves db3 db2

  open_writes db2
  write db2 2
  sql db2 'USE other' 'INSERT INTO notes VALUES (2)'
  all_caught_up db2 db1 db3
  kill_server db2
  moves db3 db1
  open_writes db1
  nothing_lost db1 db3
}

@test "A24: the new master does not log what it replicates; only at a standstill is there a place, and only for file and position" {
  only_on bare 'by GTID, this server needs log_slave_updates'
  restart_server db2 --skip-log-slave-updates
  write db1 2
  ends_writing

  if [[ $MMM_REPLICATION == gtid ]]; then
    refuses_to_move db3 db2 'ERROR: db2 does not log what it replicates*'
  else
    moves db3 db2
    open_writes db2
    nothing_lost db2 db1 db3
  fi
}

@test "A24: the new master does not log what it replicates, and has begun to write; the late slave stays" {
  only_on bare 'by GTID, this server needs log_slave_updates'
  call_limit db3 2
  restart_server db2 --skip-log-slave-updates
  stop_replica_thread db3
  write db1 2
  all_caught_up db1 db2
  kill_server db1
  open_writes db2
  write db2

  move db3 db2

  expect_agent_read 255 'ERROR: *'
  [ "$(replica_field db3 Master_Host)" = "$(host_ip db1)" ]
}

@test "A24: neither old nor new master logs what it replicates; the slave has no row of the new master's and stays" {
  only_on bare 'by GTID, this server needs log_slave_updates'
  call_limit db3 2
  restart_server db1 --skip-log-slave-updates
  restart_server db2 --skip-log-slave-updates
  write db2
  caught_up db1 db2
  write db1
  wait_for 10 eval '[ "$(threads db3)" = "Yes Yes" ]'
  ends_writing

  move db3 db2

  expect_agent_read 255 'ERROR: *'
  replicates db3 db1
}

@test "the slave ignores what the new master writes (IGNORE_SERVER_IDS); it was not even stopped" {
  stop_replica_thread db3
  sql db3 'CHANGE MASTER TO IGNORE_SERVER_IDS = (2)'
  start_replica_thread db3
  # Then its position is after what it has applied, and no longer where it began.
  write db1
  ends_writing

  refuses_to_move db3 db2 'ERROR: db3 ignores events of server id 2, which is db2*'
}

@test "every option of the channel survives the move" {
  only_on filters 'filters want a restart'
  leaves_traces
  local before domains=''
  if [[ $FAMILY$MMM_REPLICATION == MariaDBgtid ]]; then domains=', IGNORE_DOMAIN_IDS = (5)'; fi
  leave_out db3 scratch.none
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 1.25, MASTER_CONNECT_RETRY = 7, MASTER_DELAY = 1,
      IGNORE_SERVER_IDS = (77), MASTER_SSL = 0, MASTER_SSL_CA = '/tmp/ca.pem', MASTER_SSL_CIPHER = 'AES256-SHA',
      MASTER_SSL_VERIFY_SERVER_CERT = 0$domains"
  start_replica_thread db3
  ends_writing
  before=$(options)
  [[ $before == *'Connect_Retry: 7'*'SQL_Delay: 1'*$'\n'1.250* ]]

  moves db3 db2

  diff <(echo "$before") <(options)
}

# What CHANGE MASTER and the filters have set, except for source and position.
options() {
  replica_status db3 'SHOW ALL SLAVES STATUS' |
    grep -E '^ *(Connect_Retry|SQL_Delay|Master_SSL|Replicate_|Using_Gtid|Auto_Position)'
  heartbeat_period db3
}
