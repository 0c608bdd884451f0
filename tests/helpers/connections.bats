#!/usr/bin/env bats
# How the helpers reach their servers: TLS, accounts, the socket.

load ../lib/cluster
load ../lib/answers
load ../lib/certificates

setup_file() {
  local host
  cluster_for_file
  authority ours
  authority theirs
  for host in "${HOSTS[@]}"; do certificate "$host" ours "IP:$(host_ip "$host")"; done
  certificate elsewhere ours DNS:db1.example.com,IP:10.77.0.99
  certificate expired ours IP:10.77.0.11 20210101
  certificate agent ours DNS:agent
}
teardown_file() { end_cluster; }
teardown() { dump_on_failure; }

# with_tls [CERTIFICATE [LINE…]] — db1 offers TLS, and its agent's account is as ever; db2 offers none.
with_tls() {
  serve db1 "${1:-db1}" ours "${@:2}"
  agent_account db1 "IDENTIFIED BY '$AGENT_PASSWORD' REQUIRE NONE"
}

# verifying MODE [AUTHORITY] — as settings.
verifying() { printf 'tls: {mode: %s, ca: %s}\n' "$1" "$(tls_file "${2:-ours}")"; }

@test "an account that wants TLS is reached in every mode but off" {
  with_tls
  agent_account db1 'REQUIRE SSL'

  is_refused db1 '' '*Access denied*error 1045?'
  gets_in db1 'tls: {mode: preferred}'
  gets_in db1 'tls: {mode: required}'
  gets_in db1 "$(verifying verify-ca)"
  gets_in db1 "$(verifying verify-identity)"
  gets_in db1 'tls: {mode: off, hosts: {db1: required}}'
}

@test "a certificate of another authority is refused wherever one is asked for" {
  with_tls

  gets_in db1 'tls: {mode: required}'
  is_refused db1 "$(verifying verify-ca theirs)" "*signed by no authority in $(tls_file theirs) (tls.ca)"
  is_refused db1 "$(verifying verify-identity theirs)" "*signed by no authority in $(tls_file theirs) (tls.ca)"
}

@test "no authority is believed but those in the file: none is built in" {
  run grep -lF 'ISRG Root X1' "$MMM_AGENT_DIR/mysql_may_write"
  [ "$status" = 1 ]
}

@test "verify-identity wants the host's address in the certificate, verify-ca does not" {
  with_tls elsewhere

  is_refused db1 "$(verifying verify-identity)" '*not made out to 10.77.0.11*verify-ca'
  gets_in db1 "$(verifying verify-ca)"
}

@test "an expired certificate is refused wherever it is looked at" {
  with_tls expired

  is_refused db1 "$(verifying verify-ca)" '*has expired; renew it there'
  gets_in db1 'tls: {mode: required}'
}

@test "a server without TLS is reached by preferred, and named by required" {
  gets_in db2 'tls: {mode: preferred}'
  journal_says db2 'db2: continuing without TLS'
  is_refused db2 'tls: {mode: required}' '*offers no TLS*tls: {hosts: {db2: off}} in mmm_helpers.yaml'
  is_refused db2 "$(verifying verify-ca)" '*offers no TLS*'

  gets_in db2 'tls: {mode: required, hosts: {db2: off}}'
}

@test "a server whose TLS is too old is reached by preferred, and named by required" {
  # Too old for the machine's own client, too.
  CLIENT+=(--skip-ssl)
  with_tls db1 'tls_version = TLSv1.1'

  is_refused db1 'tls: {mode: required}' '*older than TLS 1.2*tls: {hosts: {db1: off}} in mmm_helpers.yaml'
  gets_in db1 'tls: {mode: preferred}'
  journal_says db1 'db1: continuing without TLS'
}

@test "an account that wants a certificate is shown ours" {
  local shown
  shown="cert: $(tls_file agent), key: $(tls_file agent-key)"
  with_tls
  agent_account db1 'REQUIRE X509'

  is_refused db1 'tls: {mode: required}' '*Access denied*'
  gets_in db1 "tls: {mode: required, $shown}"
  gets_in db1 "tls: {mode: verify-identity, ca: $(tls_file ours), $shown}"
  is_refused db1 "tls: {mode: required, cert: $(tls_file agent), key: $(tls_file db1-key)}" \
    "*cannot be used: $(tls_file agent), $(tls_file db1-key): the key is not that of the certificate"
  is_refused db1 "tls: {mode: required, cert: $(tls_file theirs), key: $(tls_file theirs-key)}" '*another tls.cert?'
}

@test "files that hold no certificate and hosts that there are not are named" {
  with_tls

  is_refused db1 "$(verifying verify-ca db1-key)" "*cannot be used: $(tls_file db1-key): it holds no certificate in PEM"
  ask db1 "$(verifying verify-ca none)"
  answers 255 "ERROR: Invalid settings in '/etc/mysql-mmm/mmm_helpers.yaml': ca of tls, $(tls_file none), cannot be read: No such file*"
  ask db1 'tls: {hosts: {db9: required}}'
  answers 255 'ERROR: tls.hosts in mmm_helpers.yaml names db9, which is not a host of this configuration; correct it: the hosts are db1, db2, db3'
}

@test "a peer is reached as its own mode says" {
  with_tls
  agent_account db1 'REQUIRE SSL'
  settings db2 "tls: {hosts: {db1: verify-identity}, ca: $(tls_file ours)}"
  run_helper db2 sync_with_master
  answers 0 'OK*'

  settings db2 ''
  run_helper db2 sync_with_master
  answers 255 'ERROR: *Access denied*'
}

@test "a living peer whose certificate is refused is not taken for dead" {
  with_tls
  settings db2 "tls: {hosts: {db1: verify-ca}, ca: $(tls_file theirs)}"

  run_helper db2 mysql_allow_write
  answers 255 'ERROR: *signed by no authority*'
  is_read_only db2
  settings db2 ''
}

@test "nobody on the way to a verified server can answer in its place before TLS begins" {
  with_tls
  sql db1 'SET GLOBAL read_only = 1'
  configure db1 db1 mysql_port 3307
  in_host db1 perl "$REPOSITORY/tests/lib/tamper.pl" 10.77.0.11 3307 "$BATS_TEST_TMPDIR/ready" 3>&- &
  wait_for 5 test -e "$BATS_TEST_TMPDIR/ready"

  ask db1 "$(verifying verify-identity)"
  answers 255 "ERROR: Can't connect to MySQL (host = 10.77.0.11:3307, user = $AGENT_USER)! *tampers with it"
  write_configuration db1
}

@test "the socket is the way to this host's own server, and to no other" {
  sql db2 'SET sql_log_bin = 0' "CREATE USER '$AGENT_USER'@localhost IDENTIFIED BY '$AGENT_PASSWORD'"
  sql db2 'SET sql_log_bin = 0' "GRANT ${AGENT_GRANTS[0]} TO '$AGENT_USER'@localhost"
  sql db1 'SET GLOBAL read_only = 1'
  reject_packets db2 db2
  is_refused db2 '' '*refused*'

  gets_in db2 "local: {socket: $(host_dir db2)/mysqld.sock}"
  gets_in db2 "{local: {socket: $(host_dir db2)/mysqld.sock}, tls: {mode: required}}"
  journal_says db2 "connected to db2 ($(host_dir db2)/mysqld.sock)"
  settings db2 "local: {socket: $(host_dir db2)/mysqld.sock}"
  run_helper db2 sync_with_master
  answers 0 'OK*'
  journal_says db2 'connected to db1 (10.77.0.11:3306)'
  pass_packets db2
}

@test "a server that is frozen or gone behind its socket is told in time" {
  local refused
  refused="ERROR: Can't connect to MySQL (host = $(host_dir db3)/mysqld.sock, user = $AGENT_USER)!"
  freeze db3
  ask db3 "{limits: {connect: 500ms}, local: {socket: $(host_dir db3)/mysqld.sock}}"
  answers 255 "$refused *frozen?"
  within 1500
  thaw db3

  stop_server db3
  run_helper db3 mysql_may_write
  answers 255 "$refused *"
  start_server db3
}

@test "an account of MariaDB's ed25519 plugin is reached, and its password tested" {
  sql db3 "INSTALL SONAME 'auth_ed25519'"
  agent_account db3 "IDENTIFIED VIA ed25519 USING PASSWORD('$AGENT_PASSWORD')"
  gets_in db3 ''

  agent_account db3 "IDENTIFIED VIA ed25519 USING PASSWORD('other_secret')"
  is_refused db3 '' '*Access denied*error 1045?'
  agent_account db3 "IDENTIFIED BY '$AGENT_PASSWORD'"
  gets_in db3 ''
}

@test "an account whose plugin the helpers do not know is told so" {
  sql db3 "INSTALL SONAME 'auth_pam'"
  agent_account db3 'IDENTIFIED VIA pam'
  is_refused db3 '' '*logs in by dialog, which the helpers do not know (docs/CONNECTIONS.md)*'
  agent_account db3 "IDENTIFIED BY '$AGENT_PASSWORD'"
}

# between HOST AFTER AT HOW — somebody stands before HOST's server on port 3307; see hostile.pl.
between() {
  ready=$BATS_TEST_TMPDIR/ready
  rm -f "$ready"
  in_host "$1" perl "$REPOSITORY/tests/lib/hostile.pl" "$(host_ip "$1")" 3307 "$ready" "${@:2}" 3>&- &
  wait_for 5 test -e "$ready"
}

@test "whatever a server sends once replication is stopped, the call ends in time and replication runs again" {
  local how
  sql db1 'SET GLOBAL read_only = 1'
  wait_for 5 runs_from db3 db1
  settings db3 'limits: {call: 3s}'
  configure db3 db3 mysql_port 3307
  for how in trickle empty columns nothing; do
    between db3 'STOP SLAVE' . "$how"
    run_helper db3 set_active_master db2
    in_host db3 kill "$(<"$ready.pid")"
    [ "$(<"$ready")" = "$how" ]
    answers 255 'ERROR: *'
    # The call's 3 s, and at most 1.7 s to put back what it stopped.
    within 6000
    wait_for 3 runs_from db3 db1
  done
  write_configuration db3
  settings db3 ''
}

@test "a server that sends its answer byte by byte is given up in time" {
  settings db3 'limits: {call: 2s}'
  configure db3 db3 mysql_port 3307
  between db3 . read_only trickle
  run_helper db3 mysql_may_write
  in_host db3 kill "$(<"$ready.pid")"
  [ -s "$ready" ]
  answers 255 'ERROR: db3 did not answer within *'
  within 2500
  write_configuration db3
  settings db3 ''
}

@test "the replication account is tried on the new master with TLS where the settings want it for that host" {
  serve db2 db2 ours
  settings db3 "tls: {hosts: {db2: verify-ca}, ca: $(tls_file ours)}"
  configure db3 db2 mysql_port 3307
  between db2 '' "$REPLICATION_USER" empty
  run_helper db3 set_active_master --dry-run db2
  in_host db2 kill "$(<"$ready.pid")"
  # The agent's account first, then that one, of which nobody on the way hears.
  [ "$(journal db3 | grep -cF "connected to db2 ($(host_ip db2):3307)")" = 2 ]
  [ ! -s "$ready" ]
  write_configuration db3
  settings db3 ''
}

@test "the writer moves with TLS everywhere" {
  local host
  for host in "${HOSTS[@]}"; do
    serve "$host" "$host" ours
    agent_account "$host" "IDENTIFIED BY '$AGENT_PASSWORD' REQUIRE SSL"
    settings "$host" "$(verifying verify-identity)"
  done
  for host in "${HOSTS[@]}"; do wait_for 5 replicates "$host"; done
  sql db1 'SET GLOBAL read_only = 0'

  run_helper db1 mysql_deny_write
  answers 0 'OK*'
  run_helper db3 set_active_master db2
  answers 0 'OK*'
  run_helper db2 sync_with_master
  answers 0 'OK*'
  run_helper db2 mysql_allow_write
  answers 0 'OK*'

  insert db2
  caught_up db3 db2
  caught_up db1 db2
  rows_equal db1 db2 db3
}

replicates() { [[ $(threads "$1") == 'Yes Yes' ]]; }
