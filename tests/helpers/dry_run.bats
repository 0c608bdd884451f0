#!/usr/bin/env bats
# --dry-run and --format of every helper: a dry run says what the call would do and why, changes nothing on any
# server, interface or file, and ends as the call itself then does.

load ../lib/cluster
load ../lib/answers
load ../lib/clients

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() {
  reset_cluster
  insert db1
  caught_up db2 db1
  caught_up db3 db1
}
teardown() { dump_on_failure; end_clients; }

# watch HOST — what the agent's account sends there from now on; sent HOST: what of it changes something.
watch() {
  sql "$1" 'SET GLOBAL general_log = 0' "SET GLOBAL log_output = 'TABLE'" 'SET sql_log_bin = 0' \
    'TRUNCATE mysql.general_log' 'SET GLOBAL general_log = 1'
}
sent() {
  sql "$1" "SELECT CONVERT(argument USING utf8) FROM mysql.general_log
    WHERE command_type = 'Query' AND user_host LIKE '%$AGENT_USER%'
    AND CONVERT(argument USING utf8) NOT REGEXP '^(SELECT|SHOW|SET (SESSION |@)|XA RECOVER)'"
}

# everything — what a helper could change, of every host.
everything() {
  local host
  for host in "${HOSTS[@]}"; do
    echo "== $host"
    replica_status "$host" 'SHOW ALL SLAVES STATUS' |
      grep -E ' (Master_Host|Slave_(IO|SQL)_Running|(Exec|Read)_Master_Log_Pos|Using_Gtid|Auto_Position):'
    sql "$host" 'SELECT @@read_only' "SELECT id, command FROM information_schema.processlist
      WHERE $REPLICATION_THREADS OR user = '$APP_USER' ORDER BY id"
    in_host "$host" sh -c 'ip -br addr; iptables -S; ls /run/mysql-mmm-* /var/lib/mysql-mmm 2>/dev/null; true'
  done
}

# rehearse CODE PATTERN HOST HELPER [ARGUMENT…] — a dry run answers so and nothing else happens; its JSON is in $plan.
rehearse() {
  local code=$1 pattern=$2 host before after
  shift 2
  before=$(everything)
  for host in "${HOSTS[@]}"; do watch "$host"; done
  run_bare "$1" "$2" --dry-run --format json "mmm_agent_$1" "${@:3}"
  plan=$output
  keeps_secrets || return 1
  if [[ $status != "$code" ]] || ! jq -e -f "$REPOSITORY/tests/lib/document.jq" <<<"$plan" >/dev/null; then
    printf '%s\n' "$status" "$plan" "$stderr" >&2
    return 1
  fi
  run_bare "$1" "$2" --dry-run "mmm_agent_$1" "${@:3}"
  expect_answer "$code" "$pattern" && in_time && keeps_secrets || return 1
  after=$(everything)
  [[ $after == "$before" ]] || { diff <(echo "$before") <(echo "$after") >&2; return 1; }
  for host in "${HOSTS[@]}"; do
    [[ -z $(sent "$host") ]] || { echo "$host was sent: $(sent "$host")" >&2; return 1; }
    watch "$host"
  done
}

# would HOST [KIND] — what the dry run says it would do there.
would() { jq -r --arg host "$1" --arg kind "${2:-sql}" '.changes[] | select(.host == $host and .kind == $kind).what' <<<"$plan"; }

# does_as_planned CODE PATTERN HOST HELPER [ARGUMENT…] — the call itself, which sends what was shown.
does_as_planned() {
  local host
  run_helper "${@:3}"
  answers "$1" "$2" && in_time || return 1
  for host in "${HOSTS[@]}"; do
    [[ $(sent "$host" | comparable) == "$(would "$host" | comparable)" ]] && continue
    printf '%s\n' "planned on $host:" "$(would "$host")" sent: "$(sent "$host")" >&2
    return 1
  done
}

# MySQL writes a CHANGE with a password anew before it logs that, MariaDB logs it with the password.
comparable() {
  if [[ $FAMILY == MySQL ]]; then sed 's/^CHANGE .*/CHANGE/'; else sed "s/_PASSWORD='[^']*'/_PASSWORD='***'/"; fi
}

# documents CODE RESULT HOST HELPER [ARGUMENT…] — the JSON is as documented, and the YAML says the same.
documents() {
  local code=$1 result=$2 format
  shift 2
  for format in json yaml; do
    run_bare "$1" "$2" --format $format "mmm_agent_$1" "${@:3}"
    [[ $status == "$code" && -z $stderr ]] || { printf '%s\n' "$status" "$output" "$stderr" >&2; return 1; }
    echo "$output" >"$BATS_TEST_TMPDIR/$format"
  done
  jq -e --arg helper "$2" --arg result "$result" '.helper == $helper and .result == $result' "$BATS_TEST_TMPDIR/json" &&
    jq -e -f "$REPOSITORY/tests/lib/document.jq" "$BATS_TEST_TMPDIR/json" &&
    perl "$REPOSITORY/tests/lib/same_document.pl" "$BATS_TEST_TMPDIR/json" "$BATS_TEST_TMPDIR/yaml"
}

DRY='OK: dry run, nothing was changed'

@test "set_active_master --dry-run shows the very statements that the call then sends" {
  sql db1 'SET GLOBAL read_only = 1'
  rehearse 0 "$DRY" db3 set_active_master db2
  [[ $(would db3 | wc -l) == 3 && $(would db3) == *"_PASSWORD='***'"* ]]
  [[ $(jq -r .plan.action <<<"$plan") == 'let db3 replicate from db2, continue '* ]]
  [[ $output == *'because '* && $output == *"$(would db3 | sed -n 2p);"* ]]
  does_as_planned 0 OK db3 set_active_master db2
  runs_from db3 db2
}

@test "a dry run of a refused attach ends as the refusal does, with its code" {
  rehearse 255 'ERROR: db1 still takes writes *' db3 set_active_master db2
  [ "$(jq -r '"\(.code) \(.plan)"' <<<"$plan")" = 'old-master-writable null' ]
  run_helper db3 set_active_master db2
  answers 255 'ERROR: db1 still takes writes *'
  runs_from db3 db1
  rehearse 255 'ERROR: No config present *' db3 set_active_master db9
  [ "$(jq -r .code <<<"$plan")" = unknown-host ]
}

@test "a slave that stopped is only said to be started" {
  rehearse 0 "$DRY; the call would answer 'We are already a slave of the new master'" db3 set_active_master db1
  [ -z "$(would db3)" ]
  sql db3 'STOP SLAVE'
  rehearse 0 "$DRY; the call would answer 'We are already a slave of the new master'" db3 set_active_master db1
  does_as_planned 0 'OK: We are already a slave of the new master' db3 set_active_master db1
  sql db3 'STOP SLAVE'
  sql db1 'SET GLOBAL read_only = 1'
  rehearse 0 "$DRY" db3 set_active_master db2
  does_as_planned 0 OK db3 set_active_master db2
}

@test "turn_off_slave and turn_on_slave" {
  rehearse 0 "$DRY" db3 turn_off_slave
  does_as_planned 0 OK db3 turn_off_slave
  rehearse 0 "$DRY" db3 turn_on_slave
  does_as_planned 0 OK db3 turn_on_slave
  rehearse 0 "$DRY" db3 turn_on_slave
  [ -z "$(would db3)" ]

  fail_applier db3 db1
  caught_up db2 db1
  caught_up db1 db2
  rehearse 255 'ERROR: db3 cannot replicate from *SQL thread: error 1062: *' db3 turn_on_slave
  run_helper db3 turn_on_slave
  answers 255 'ERROR: db3 cannot replicate from *SQL thread: error 1062: *'
}

@test "mysql_deny_write lets every client live, and names the statements that end them" {
  open_session writer
  tells writer 'BEGIN'
  tells writer "INSERT INTO app.entries (note) VALUES ('open')"
  rehearse 0 "$DRY" db1 mysql_deny_write
  [[ $(would db1) == 'SET GLOBAL read_only = 1'$'\n''KILL '* ]]
  [[ $(jq -r '.observations[] | select(.what == "client sessions").value' <<<"$plan") == '1: '* ]]
  tells writer 'COMMIT'
  does_as_planned 0 OK db1 mysql_deny_write
}

@test "mysql_deny_write with a packet filter adds no rule, and names both commands" {
  configure db1 default blocking_type soft
  rehearse 0 "$DRY" db1 mysql_deny_write
  [[ $(would db1 command) == *iptables*' -I '*$'\n'*iptables*' -D '* ]]
  jq -e '[.changes[].kind] | first == "command" and last == "command"' <<<"$plan"
}

@test "what a killed call left is not mended, but named" {
  sql db1 'SET GLOBAL read_only = 1'
  in_host db2 sh -c 'echo "undo true 4711" >/run/mysql-mmm-deny-write-10.77.0.12-3306; chmod 600 /run/mysql-mmm-*'
  rehearse 0 "$DRY" db2 mysql_allow_write
  [[ $(would db2 file) == *'true 4711'* ]]
  run_helper db2 mysql_allow_write
  in_host db2 sh -c '! ls /run/mysql-mmm-*'
}

@test "mysql_allow_write and sync_with_master" {
  rehearse 255 'ERROR: db1 still takes writes *' db2 mysql_allow_write
  rehearse 255 'ERROR: db1 still takes writes *' db2 sync_with_master
  sql db1 'SET GLOBAL read_only = 1'
  rehearse 0 "$DRY" db2 sync_with_master
  does_as_planned 0 OK db2 sync_with_master
  rehearse 0 "$DRY" db2 mysql_allow_write
  does_as_planned 0 OK db2 mysql_allow_write
  [[ $(jq -r .plan.proof <<<"$plan") == 'the peer is read-only, '* ]]
}

@test "sync_with_master that would start replication says what it would then wait for" {
  sql db2 'STOP SLAVE'
  insert db1
  caught_up db3 db1
  sql db1 'SET GLOBAL read_only = 1'
  rehearse 0 "$DRY" db2 sync_with_master
  [[ $(jq -r .plan.proof <<<"$plan") == 'replication would be started, and waited for '* ]]
  does_as_planned 0 OK db2 sync_with_master
}

@test "configure_ip and clear_ip" {
  local ip=10.77.0.100
  rehearse 0 "$DRY" db1 configure_ip eth0 $ip
  [ "$(would db1 address | head -n 1)" = "add $ip/32 to eth0" ]
  run_helper db1 configure_ip eth0 $ip
  answers 0 OK
  has_address db1 $ip
  rehearse 0 "$DRY" db1 clear_ip eth0 $ip
  [ "$(would db1 address)" = "remove $ip/32 from eth0" ]
  run_helper db1 clear_ip eth0 $ip
  answers 0 OK
  rehearse 0 "$DRY; the call would answer 'IP address is not configured'" db1 clear_ip eth0 $ip
  rehearse 255 'ERROR: interface eth9 does not exist *' db1 configure_ip eth9 $ip
}

@test "a helper that changes nothing has no dry run" {
  run_helper db1 check_ip --dry-run eth0 10.77.0.100
  expect_answer 255 'ERROR: *--dry-run*'
  run_helper db1 mysql_may_write --dry-run
  expect_answer 255 'ERROR: *--dry-run*'
}

@test "every helper's document is as described, and the same as JSON and as YAML" {
  documents 1 ok db1 check_ip eth0 10.77.0.100
  documents 1 ok db1 mysql_may_write
  documents 0 ok db3 turn_on_slave
  documents 255 error db3 set_active_master db2
  sql db3 'STOP SLAVE'
  documents 0 ok db3 turn_off_slave
  documents 255 error db2 sync_with_master
  documents 255 error db2 mysql_allow_write
  sql db1 'SET GLOBAL read_only = 1'
  documents 0 ok db1 mysql_deny_write
  documents 1 usage db1 configure_ip eth0 10.77.0.100 null more
  documents 255 usage db1 check_ip eth0 10.77.0.100 null more
  documents 255 error db1 configure_ip eth9 10.77.0.100
  documents 255 error db1 clear_ip eth0 nonsense
}

@test "a call that is no dry run tells what it did" {
  sql db1 'SET GLOBAL read_only = 1'
  run_bare db3 set_active_master --format json mmm_agent_db3 db2
  jq -e '[.changes[].done] == [true, true, true]' <<<"$output"
  jq -e '[.steps[].what] | index("changed master")' <<<"$output"
  keeps_secrets
  runs_from db3 db2
}
