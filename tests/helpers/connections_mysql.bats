#!/usr/bin/env bats
# How the helpers log in to MySQL's own accounts, with TLS and without. Needs a server of MySQL 8 or newer:
# MMM_SERVER=mysql-9 tests/run tests/helpers/connections_mysql.bats

load ../lib/cluster
load ../lib/answers
load ../lib/certificates

setup_file() {
  [[ $MMM_SERVER == mysql-[89]* ]] || return 0
  cluster_for_file
}
teardown_file() { end_cluster; }
setup() { [[ $MMM_SERVER == mysql-[89]* ]] || skip 'caching_sha2_password is of MySQL 8 and newer'; }
teardown() { dump_on_failure; }

# The server has forgotten who logged in: the next client has to send the password itself, in TLS or under the
# server's key. After that a hash of it is enough.
forget_logins() { sql db1 'FLUSH PRIVILEGES'; }

@test "caching_sha2_password is served without TLS, by the server's key and from its memory" {
  [ "$(sql db1 "SELECT plugin FROM mysql.user WHERE user = '$AGENT_USER'")" = caching_sha2_password ]
  forget_logins
  gets_in db1 ''
  gets_in db1 ''

  forget_logins
  agent_account db1 "IDENTIFIED BY 'other_secret'"
  is_refused db1 '' '*Access denied*error 1045?'
  agent_account db1 "IDENTIFIED BY '$AGENT_PASSWORD'"
}

@test "caching_sha2_password is served in TLS, by the password and from the server's memory" {
  agent_account db1 'REQUIRE SSL'
  forget_logins
  is_refused db1 '' '*Access denied*'
  gets_in db1 'tls: {mode: required}'
  gets_in db1 'tls: {mode: required}'
  forget_logins
  gets_in db1 'tls: {mode: preferred}'
  agent_account db1 'REQUIRE NONE'
}

@test "the certificates that MySQL makes for itself do for verify-ca, not for verify-identity" {
  local ca
  ca=$(host_dir db1)/data/ca.pem
  gets_in db1 "tls: {mode: verify-ca, ca: $ca}"
  is_refused db1 "tls: {mode: verify-ca, ca: $(host_dir db2)/data/server-key.pem}" '*no certificate in PEM'
  is_refused db1 "tls: {mode: verify-identity, ca: $ca}" '*not made out to 10.77.0.11*'
}

@test "caching_sha2_password is served through the socket" {
  sql db1 'SET sql_log_bin = 0' "CREATE USER '$AGENT_USER'@localhost IDENTIFIED BY '$AGENT_PASSWORD'"
  gets_in db1 "local: {socket: $(host_dir db1)/mysqld.sock}"
}

@test "a slave without TLS fetches the new master's key, whatever its channel did before" {
  # db1 remembers the slave's login by the time that it may not ask for the key.
  local key
  for key in 1 0; do
    sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_SSL = 0, GET_MASTER_PUBLIC_KEY = $key" 'START SLAVE'
    wait_for 5 runs_from db3 db1
  done
  sql db1 'SET GLOBAL read_only = 1'
  run_helper db3 set_active_master db2
  answers 0 OK

  sql db2 'FLUSH PRIVILEGES'
  sql db3 'STOP SLAVE IO_THREAD' 'START SLAVE IO_THREAD'
  wait_for 5 runs_from db3 db2
}

# keys — what db3's channel does about its master's key: whether it asks for one, and the file that it has.
keys() { echo "$(replica_field db3 Get_Master_public_key) $(replica_field db3 Master_public_key_path)"; }

@test "a key that a slave's channel has pinned stays pinned when it moves" {
  local pinned
  pinned=$(host_dir db1)/data/public_key.pem
  channel "GET_MASTER_PUBLIC_KEY = 0, MASTER_PUBLIC_KEY_PATH = '$pinned'"
  sql db2 'SET GLOBAL read_only = 1'
  run_helper db3 set_active_master db1
  answers 0 OK
  [ "$(keys)" = "0 $pinned" ]
  sql db1 'FLUSH PRIVILEGES'
  sql db3 'STOP SLAVE IO_THREAD' 'START SLAVE IO_THREAD'
  wait_for 5 runs_from db3 db1
}

@test "a move that fails leaves the channel's keys and its heartbeat as they were" {
  local account="'$REPLICATION_USER'@'$NETWORK.%'"
  channel "GET_MASTER_PUBLIC_KEY = 0, MASTER_PUBLIC_KEY_PATH = '', MASTER_HEARTBEAT_PERIOD = 1.5"
  sql db1 'SET GLOBAL read_only = 1'
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM $account"
  run_helper db3 set_active_master db2
  answers 255 'ERROR: db3 cannot replicate from db2: *; it replicates from db1 as before'
  [ "$(keys) $(heartbeat_period db3)" = '0  1.500' ]
  sql db2 'SET sql_log_bin = 0' "GRANT REPLICATION SLAVE ON *.* TO $account"
}

# channel OPTIONS — db3's, from the master that it has, which remembers its login, so that no key is needed for now.
channel() {
  local source
  source=$(replica_field db3 Master_Host)
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_SSL = 0, $1" 'START SLAVE'
  wait_for 5 eval "[[ \$(threads db3) == 'Yes Yes' && \$(replica_field db3 Master_Host) == $source ]]"
}
