#!/usr/bin/env bats
# mmm_journal: what the helpers did on a host, read back, on a real journal and on a written one.

load ../lib/cluster
load ../lib/answers

setup_file() {
  cluster_for_file
  # A role move by hand, a refusal, a call that is killed, and what an agent asks all the time.
  local number
  for number in 1 2 3; do
    run_helper db1 mysql_may_write
    run_helper db1 check_ip eth0 10.77.0.100
  done
  run_helper db1 configure_ip eth0 10.77.0.100
  run_helper db3 set_active_master db9
  sql db2 'SET GLOBAL read_only = 0'
  run_helper db3 set_active_master db2
  sql db2 'SET GLOBAL read_only = 1'
  run_helper db1 mysql_deny_write
  run_helper db1 clear_ip eth0 10.77.0.100
  run_helper db2 sync_with_master
  run_helper db2 mysql_allow_write
  run_helper db2 mysql_allow_write
  run_helper db2 configure_ip eth0 10.77.0.100
  freeze db1
  kill_a_call
  thaw db1
  run_helper db3 turn_on_slave
}
teardown_file() { end_cluster; }
teardown() { dump_on_failure; }

# A helper that waits for a frozen server, ended without warning.
kill_a_call() {
  settings db2 'limits: {connect: 1h}'
  in_host db2 "$MMM_AGENT_DIR/sync_with_master" mmm_agent_db2 --wait forever >/dev/null 2>&1 &
  wait_for 5 waits_for_db1
  local process
  process=$(journal db2 | sed -n 's/.* sync_with_master\[\([0-9]*\)\] .*--wait.*/\1/p')
  running=$(tool db2 --format json)
  in_host db2 kill -KILL "$process"
  wait "$!" || true
  rm "$(host_dir db2)/mysql-mmm/mmm_helpers.yaml"
  printf '%s\n' "$running" >"$BATS_FILE_TMPDIR/running"
}
waits_for_db1() { journal db2 | grep -A 2 -e --wait | grep -q 'connected to db2'; }

# tool HOST ARGUMENTS… — as its operator would run it.
tool() {
  local host=$1
  shift
  in_host "$host" env TZ=UTC "${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal" "$@"
}

# timeline HOST FILTER — what jq finds in the document.
timeline() { tool "$1" --format json | jq -r "$2"; }

# written TEXT — a journal at $written.
written() {
  written=$BATS_TEST_TMPDIR/mmm_helpers.log
  printf '%s' "$1" >"$written"
}
read_written() {
  (cd "${written%/*}" && TZ=UTC "${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal" --file "${written##*/}" "$@")
}

@test "a role that was moved by hand is one move on each host, with its calls and what they did" {
  [ "$(timeline db1 '.timeline[] | select(.kind == "move") | .title + ": " + .outcome')" = \
    $'Taking an address, 10.77.0.100: ok\nGiving the writer role away, 10.77.0.100: ok' ]
  [ "$(timeline db1 '.timeline[] | select(.what == "give") | .calls[].helper')" = $'mysql_deny_write\nclear_ip' ]
  [ "$(timeline db2 '[.timeline[] | select(.what == "take")][0].calls[:3][].helper')" = \
    $'sync_with_master\nmysql_allow_write\nconfigure_ip' ]
  run tool db1
  [[ $status == 0 && $output == *'set read_only: '*'confirmed that nothing is written: '*'removed from eth0'* ]]
  [[ $output == 'Role moves of db1, from /var/log/mysql-mmm/mmm_helpers.log, times in UTC'* ]]
}

@test "what an agent asks all the time is counted, and is no move" {
  [ "$(timeline db1 '.timeline[0] | .kind, (.calls[] | "\(.helper) \(.times)")')" = \
    $'checks\nmysql_may_write 3\ncheck_ip 3' ]
  run tool db1
  [[ $output == *'3 times, the same answer, until '* ]]
}

@test "a refusal says why" {
  [ "$(timeline db3 '.timeline[0].calls[0] | "\(.outcome) \(.exit_code)"')" = 'error 255' ]
  run tool db3
  # However it is broken into lines.
  read -rd '' -a words <<<"$output" || true
  [[ ${words[*]} == *FAILED*"ERROR: No config present for host 'db9'; hosts in the configuration: db1, db2, db3"* ]]
  [[ ${words[*]} == *'ERROR: db1 still takes writes'* && ${words[*]} != *'error: not moved'* ]]
}

@test "a call that was killed is shown as killed, and as running while it ran" {
  jq -e '[.timeline[] | select(.kind == "move")][-1].calls[-1] | .outcome == "running" and .helper == "sync_with_master"' "$BATS_FILE_TMPDIR/running"
  [ "$(timeline db2 '[.timeline[] | select(.kind == "move")][-1] | .outcome, (.calls[-1] | .outcome, .answer)')" = $'killed\nkilled\nnull' ]
  run tool db2
  [[ $output == *KILLED*'connected to db2'*'no answer: it was killed here, or the host went down'* ]]
}

@test "every call by itself, with every line, on demand" {
  run tool db1 --all
  [ "$(grep -c mysql_may_write <<<"$output")" = 3 ]
  [[ $output == *'connected to db1 (10.77.0.11:3306): '*'configure_ip, process '* ]]
  tool db1 --all --format json | jq -e '[.timeline[].kind] | unique == ["call", "line"]'
}

@test "what is older than --since is left out" {
  [ "$(tool db1 --since 0s --format json | jq '.timeline | length')" = 0 ]
  [ "$(tool db1 --since 1h --format json | jq '.timeline | length')" -gt 0 ]
  written "$(failover)"
  [ "$(read_written --since '2026-11-22 03:00:06' --all --format json | jq -r '.since, .timeline[0].helper')" = \
    $'2026-11-22T03:00:06.000Z\nsync_with_master' ]
  run tool db1 --since soon
  [[ $status == 2 && $output == *"'2026-11-22 03:00'"* ]]
}

@test "no line is wider than 80 columns, none is coloured without a terminal" {
  local host
  for host in db1 db2 db3; do
    for how in --moves=5 --all; do
      tool "$host" "$how" >"$BATS_TEST_TMPDIR/out"
      [ "$(wc -L <"$BATS_TEST_TMPDIR/out")" -le 80 ]
      run grep -c $'\e' "$BATS_TEST_TMPDIR/out"
      [ "$output" = 0 ]
    done
  done
}

@test "a terminal gets colours, unless NO_COLOR is set" {
  written "$(failover)"
  run script -qec "TERM=xterm '${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal' --file '$written'" /dev/null
  [[ $output == *$'\e[31mFAILED\e[0m'* ]]
  run script -qec "TERM=xterm NO_COLOR=1 '${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal' --file '$written'" /dev/null
  [[ $output == *FAILED* && $output != *$'\e'* ]]
}

# why FILTER ARGUMENTS… — what jq finds in the answer; journals are read where the hosts have them.
why() {
  TZ=UTC "${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal" --why "${@:2}" --format json | jq -r "$1"
}

# journal_of HOST — its file.
journal_of() { echo "$(host_dir "$1")/log/mmm_helpers.log"; }

# anew — every host as at the beginning, with an empty journal.
anew() {
  reset_cluster
  journals=()
  local host
  for host in db1 db2 db3; do
    journals+=("$(journal_of "$host")")
    : >"$(journal_of "$host")"
  done
}

@test "--why: a failover that went well is told across three hosts' journals" {
  anew
  sql db2 'SET GLOBAL read_only = 1'
  run_helper db1 mysql_deny_write
  run_helper db1 clear_ip eth0 10.77.0.100
  run_helper db2 sync_with_master
  run_helper db2 mysql_allow_write
  run_helper db2 configure_ip eth0 10.77.0.100
  run_helper db3 set_active_master db2
  [ "$(why '.failover | .result, .closed.host, .opened.host, (.hindrances | length), .addresses[]' --file "${journals[@]}")" = \
    $'done\ndb1\ndb2\n0\n10.77.0.100' ]
  [ "$(why '.failover.asked[] | "\(.on) \(.helper)"' --file "${journals[@]}")" = "db1 mysql_deny_write
db1 clear_ip
db2 sync_with_master
db2 mysql_allow_write
db2 configure_ip
db3 set_active_master" ]
  # The pause is from one host's closing to the other's opening, and both are in the journals.
  why '.failover | ((.opened.at | .[:19] + "Z" | fromdate) - (.closed.at | .[:19] + "Z" | fromdate) - .pause_milliseconds / 1000 | fabs) <= 1' \
    --file "${journals[@]}" | grep -x true
  # One host's own journal does not know when the other was closed.
  [ "$(why '.failover | .closed, .pause_milliseconds' --file "${journals[1]}")" = $'null\nnull' ]
  run env TZ=UTC "${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal" --why --file "${journals[@]}"
  read -rd '' -a words <<<"$output" || true
  [[ ${words[*]} == *'went well'*'db1 took no more writes from '*'and db2 took writes from '*'nobody could write for '*'Nothing stood in the way.'* ]]
  [ "$(wc -L <<<"$output")" -le 80 ]
}

@test "--why: one that is stuck says since when, how often, by which error, and the cure of docs/ERRORS.md" {
  anew
  # Both masters take writes: neither the slave nor the new writer may go on.
  run_helper db2 mysql_deny_write
  run_helper db2 mysql_allow_write
  run_helper db2 mysql_allow_write
  run_helper db3 set_active_master db2
  local filter='.failover | .result, (.hindrances[] | "\(.host) \(.code) \(.times) \(.stands) \(.helpers[]) \(.new_master)")'
  [ "$(why "$filter" --file "${journals[@]}")" = "stuck
db2 peer-writable 2 true mysql_allow_write null
db3 old-master-writable 1 true set_active_master db2" ]
  [ "$(why '.failover.hindrances[0] | .means, .cure' --file "${journals[@]}")" = \
    $'the peer still takes writes\nrun \'mysql_deny_write\' there first, then try again' ]
  [ "$(why '.failover.hindrances[0].since == .failover.asked[1].started' --file "${journals[@]}")" = true ]
  # As the operator asks, on the host itself.
  run tool db2 --why
  read -rd '' -a words <<<"$output" || true
  [[ $status == 0 && ${words[*]} == *'is stuck.'*'mysql_allow_write on db2 has been refused since '*', 2 times, the last one at '*'(peer-writable): "db1 still takes writes'*"What cures it: run 'mysql_deny_write' there first, then try again."* ]]
  # What was cured is over.
  sql db1 'SET GLOBAL read_only = 1'
  run_helper db2 mysql_allow_write
  run_helper db3 set_active_master db2
  [ "$(why "$filter" --file "${journals[@]}")" = "done
db2 peer-writable 2 false mysql_allow_write null
db3 old-master-writable 1 false set_active_master db2" ]
}

@test "--why HOST and --why ADDRESS choose the last failover of that host or address" {
  anew
  sql db2 'SET GLOBAL read_only = 1'
  run_helper db1 configure_ip eth0 10.77.0.101
  run_helper db1 clear_ip eth0 10.77.0.101
  run_helper db3 set_active_master db9
  [ "$(why '.failover.addresses[]' 10.77.0.101 --file "${journals[@]}")" = 10.77.0.101 ]
  [ "$(why '.failover.hindrances[0].code' db3 --file "${journals[@]}")" = unknown-host ]
  [ "$(why '.failover' db2 --file "${journals[@]}")" = null ]
  run env TZ=UTC "${MMM_TOOLS_DIR:-$MMM_AGENT_DIR}/mmm_journal" --why db2 --file "${journals[@]}"
  [[ $status == 0 && $output == *'No failover of db2'* ]]
}

@test "--why: a call that was killed, and refusals of an older release, which have no names" {
  written "$(failover)"
  run read_written --why
  read -rd '' -a words <<<"$output" || true
  [[ $status == 0 && ${words[*]} == *'ended with a call that was killed.'*'configure_ip on db2 began at 03:00:13 and was killed'* ]]
  # A journal of an older release has no names of errors, and the answer no cure.
  [ "$(read_written --why --format json | jq -r '.failover.hindrances[0] | .code, .cure, .text[:14]')" = \
    $'null\nnull\n3 transactions' ]
  read_written --why --format json >"$BATS_TEST_TMPDIR/json"
  read_written --why --format yaml >"$BATS_TEST_TMPDIR/yaml"
  perl "$REPOSITORY/tests/lib/same_document.pl" "$BATS_TEST_TMPDIR/json" "$BATS_TEST_TMPDIR/yaml"
  run read_written --file "$written" --file "$written"
  [[ $status == 2 && $output == *'with --why only'* ]]
}

failover() {
  cat <<'EOF'
2026-11-22T03:00:00.000Z check_ip[101] INFO  called with ["mmm_agent", "eth0", "10.0.0.100"]
2026-11-22T03:00:00.001Z check_ip[101] INFO  answered "OK: IP address is not configured", exit 1, 0.9 ms in all
2026-11-22T03:00:03.000Z check_ip[102] INFO  called with ["mmm_agent", "eth0", "10.0.0.100"]
2026-11-22T03:00:03.001Z check_ip[102] INFO  answered "OK: IP address is not configured", exit 1, 1.2 ms in all
2026-11-22T03:00:05.000Z sync_with_master[103] INFO  called with ["mmm_agent"]
2026-11-22T03:00:05.001Z sync_with_master[103] INFO  this host is db2
2026-11-22T03:00:08.002Z sync_with_master[103] WARN  db1 does not answer: connection timed out
2026-11-22T03:00:13.000Z sync_with_master[103] INFO  answered "ERROR: 3 transactions that were fetched are not applied here after 8 s; this host is not in sync", exit 255, 8000.2 ms in all
2026-11-22T03:00:13.100Z mysql_allow_write[104] INFO  called with ["mmm_agent"]
2026-11-22T03:00:13.101Z mysql_allow_write[104] INFO  this host is db2
2026-11-22T03:00:13.105Z mysql_allow_write[104] WARN  db1 does not answer: connection timed out
2026-11-22T03:00:13.110Z mysql_allow_write[104] INFO  opened writes: 0.4 ms
2026-11-22T03:00:13.111Z mysql_allow_write[104] INFO  answered "OK", exit 0, 10.8 ms in all
what somebody wrote into it
2026-11-22T03:00:13.200Z configure_ip[105] INFO  called with ["mmm_agent", "eth0", "10.0.0.100"]
2026-11-22T03:00:13.201Z configure_ip[105] INFO  add 10.0.0.100 to eth0: 0.1 ms
EOF
}

@test "a failover reads as a person expects, at 80 columns" {
  written "$(failover)"
  diff <(read_written) - <<'EOF'
Role moves of db2, from mmm_helpers.log, times in UTC

2026-11-22 03:00:00  Asked only, nothing changed                         2 calls
  03:00:00.000 check_ip mmm_agent eth0 10.0.0.100                    OK   0.9 ms
               OK: IP address is not configured
               2 times, the same answer, until 03:00:03; slowest 1.2 ms

2026-11-22 03:00:05  Taking the writer role, 10.0.0.100          KILLED    8.2 s
  03:00:05.000 sync_with_master mmm_agent                        FAILED    8.0 s
               warning: db1 does not answer: connection timed out
               ERROR: 3 transactions that were fetched are not applied here
               after 8 s; this host is not in sync
  03:00:13.100 mysql_allow_write mmm_agent                           OK  10.8 ms
               opened writes: 0.4 ms
  03:00:13.200 configure_ip mmm_agent eth0 10.0.0.100            KILLED   1.0 ms
               add 10.0.0.100 to eth0: 0.1 ms
               no answer: it was killed here, or the host went down

1 line of the journal could not be read.
EOF
}

@test "rotated journals are read with it, packed ones too" {
  written "$(failover | tail -n 8)"
  failover | head -n 8 >"$written.1"
  before=$(read_written --format json | jq -c .timeline)
  gzip "$written.1"
  mv "$written.1.gz" "$written.2.gz"
  [ "$(read_written --format json | jq -c .timeline)" = "$before" ]
  jq -e '[.[] | select(.kind == "move") | .calls[].helper] == ["sync_with_master", "mysql_allow_write", "configure_ip"]' \
    <<<"$before"
  rm "$written"
  read_written --format json | jq -e '.timeline | length == 2'
  # One that ends in the middle is read up to there.
  truncate -s -20 "$written.2.gz"
  run read_written
  [[ $status == 0 && $output == *'.2.gz was not read to its end'* ]]
}

@test "what is no journal is no reason to fall over" {
  written "$(head -c 300000 /dev/urandom | base64 -w 0; echo; head -c 100000 /dev/urandom | tr -d '\0'; failover)"
  run read_written
  [[ $status == 0 && $output == *'Taking the writer role'* && $output == *'could not be read'* ]]
  written $'2026-11-22T03:00:00.000Z check_ip[1] ERROR x\e[2Jy\n'
  run read_written --all
  [[ $status == 0 && $output == *'error: x\u{1b}[2Jy'* ]]
  written ''
  run read_written
  [[ $status == 0 && $output == *'No role moves.'* ]]
}

@test "a journal that is not there is an error that says where it would be" {
  rm -f "${written:=$BATS_TEST_TMPDIR/mmm_helpers.log}"
  run read_written
  [[ $status == 1 && $output == *'mmm_helpers.log cannot be read: No such file'*log.file* ]]
}

@test "log.file of the settings says where the journal is" {
  settings db1 'log: {file: /var/log/mysql-mmm/other.log}'
  failover >"$(host_dir db1)/log/other.log"
  run tool db1
  rm "$(host_dir db1)/mysql-mmm/mmm_helpers.yaml"
  [[ $output == 'Role moves of db2, from /var/log/mysql-mmm/other.log'* ]]
}
