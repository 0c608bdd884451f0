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
