#!/usr/bin/env bats
# mmm_preflight sees behind a writer that takes writes: what a failover would be refused for once the writer is closed,
# and what somebody wrote on a host beside replication. mmm_preflight_foresees_gtid.bats is a link to this: the same
# with replication by GTID.

load ../lib/cluster
load ../lib/answers
load ../lib/failover

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { fresh_order; }
teardown() { end_order; }

# look HOST — what mmm_preflight there says, as a document.
look() { run_bare "$1" mmm_preflight --format json && keeps_secrets; }

# found CODE [HOST] — the texts of such findings in the last look.
found() { jq -r --arg c "$1" --arg h "${2:-}" '.checks[].findings[] | select(.code == $c and ($h == "" or .host == $h)) | .text' <<<"$output"; }

# foreseen HOST DEED [OTHER] — what a rehearsal of the last look came to.
foreseen() { jq -r --arg h "$1" --arg d "$2" --arg o "${3:-}" '.rehearsals[] | select(.host == $h and .deed == $d and (.other // "") == $o) | .result' <<<"$output"; }

# alarms — the findings of the last look about what is behind the writer.
alarms() { jq -r '.checks[] | select(.name == "rehearsal" or .name == "errant" or .name == "moving") | .findings[] | "\(.code) \(.host): \(.text)"' <<<"$output"; }

# all_standings — what no look may change: sources, threads, rows and openness of all hosts. A server may move positions
# by itself: it logs its checkpoints late.
all_standings() {
  local host
  for host in "${HOSTS[@]}"; do
    standing "$host" | grep -Ev '_Pos:|Relay_Log_Space:'
    sql "$host" 'SELECT @@read_only' && threads "$host" && row_count "$host"
  done
}

# has_gtids — the servers name transactions.
has_gtids() { [[ $FAMILY == MariaDB ]] || by_sets; }

@test "while the writer writes nothing, every move, opening and takeover is proved, and nothing is changed" {
  local before host
  before=$(all_standings)
  for host in db1 db2 db3; do
    look "$host"
    [ -z "$(alarms)" ]
    [ "$(foreseen db2 open)" = proved ]
    if has_gtids || [[ $host == db3 ]]; then [ "$(foreseen db3 follow db2)" = proved ]; fi
    if has_gtids || [[ $host == db2 ]]; then [ "$(foreseen db2 take-over db3)" = proved ]; fi
  done
  diff <(echo "$before") <(all_standings)
}

@test "a healthy busy cluster raises no alarm in ten looks" {
  local number proved=''
  keeps_writing db1 4
  for number in {1..10}; do
    look "db$((number % 3 + 1))"
    alarms
    [ -z "$(alarms)" ]
    [[ $(foreseen db3 follow db2) == @(proved|moving|not-judged) && $(foreseen db2 open) == @(proved|moving|not-judged) ]]
    [[ $(foreseen db2 open) != proved ]] || proved=1
  done
  [ "$proved" ]
  stops_writing
}

# errant_gtid HOST — the last transaction that this host wrote itself.
errant_gtid() {
  if [[ $FAMILY == MariaDB ]]; then
    sql "$1" 'SELECT @@gtid_binlog_state' | tr ',' '\n' | grep -E "^0-$(host_number "$1")-"
  else
    sql "$1" 'SELECT @@server_uuid'
  fi
}

@test "an errant transaction on a slave is found with its GTID while clients write, from every host" {
  has_gtids || skip 'only GTIDs show it'
  local host
  keeps_writing db1 2
  # Into a table without a key: db1's clients are about to use db3's next ids too.
  sql db3 "INSERT INTO app.heap VALUES ('db3', UUID())"
  for host in db1 db2 db3; do
    look "$host"
    [[ $(found errant-transaction db3) == *"$(errant_gtid db3)"* ]]
    [ -z "$(found errant-transaction db2)" ]
    [ "$status" != 0 ]
    # It explains why nothing could be taken over from there, and nobody is told to rebuild a master from that slave.
    [ -z "$(found takeover-would-be-refused)" ]
    [[ $output != *'rebuild db2'* && $output != *'rebuild db1'* ]]
  done
  stops_writing
}

@test "an errant transaction on the other master is found with its GTID while clients write" {
  has_gtids || skip 'only GTIDs show it'
  keeps_writing db1 2
  stop_replica_thread db1
  write db2
  look db3
  [[ $(found errant-transaction db2) == *"$(errant_gtid db2)"* ]]
  [ -z "$(found errant-transaction db3)" ]
  start_replica_thread db1
  stops_writing
  caught_up db1 db2
  look db3
  [ -z "$(found errant-transaction)" ]
}

@test "what is only under way is told without advice" {
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  look db2
  [ "$(foreseen db2 take-over db3)" = moving ]
  jq -e '[.rehearsals[] | select(.result == "moving") | .message | select(test("rebuild|mmm_difference|;"))] == []' <<<"$output"
  start_replica_thread db3
}

@test "a log that the other master has purged before a slave has its rows is found while the writer writes" {
  delay db3 600
  keeps_writing db1
  write db1 3
  caught_up db2 db1
  sql db2 'FLUSH LOGS'
  write db1 3
  caught_up db2 db1
  sql db2 'FLUSH LOGS'
  # A MariaDB keeps the file before the last one for a moment.
  wait_for 20 purges db2
  wait_for 20 refuses_move_of_db3
  stops_writing
}
purges() {
  sql "$1" "PURGE BINARY LOGS TO '$(sql "$1" 'SHOW BINARY LOGS' | tail -1 | cut -f1)'"
  [[ $(sql "$1" 'SHOW BINARY LOGS' | wc -l) == 1 ]]
}
refuses_move_of_db3() {
  look db3
  [[ -n $(found move-would-be-refused db3) ]] || [[ -n $(found move-refused db3) ]]
}

@test "a filter of the other master is found while the writer writes" {
  leaves_traces
  keeps_writing db1
  restart_server db2 --binlog-ignore-db=none
  look db3
  [ -n "$(found master-filters db2)" ]
  [ "$(foreseen db3 follow db2)" = refused ]
  restart_server db2
  stops_writing
}

@test "a privilege that only the move needs is found while the writer writes" {
  leaves_traces
  keeps_writing db1
  sql db2 'SET sql_log_bin = 0' "REVOKE REPLICATION SLAVE ON *.* FROM '$REPLICATION_USER'@'$NETWORK.%'"
  look db3
  [ -n "$(found replication-privilege-missing db2)" ]
  stops_writing
}

@test "a move that only the paused SQL thread of the old master can prove is not judged, and is carried out" {
  ! has_gtids || skip 'GTIDs prove it'
  leaves_traces
  close_writes db1
  open_writes db2
  write db2 2
  caught_up db1 db2
  caught_up db3 db1
  # As of a copy: its logs begin after all that it has.
  begins_new_log db3
  local file offset
  read -r file offset < <(binlog_end db1)
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_LOG_FILE = '$file', MASTER_LOG_POS = $offset" 'START SLAVE'
  wait_for 5 eval "[[ \$(threads db3) == 'Yes Yes' ]]"
  look db3
  alarms
  [ -z "$(found move-would-be-refused)" ]
  [ "$(foreseen db3 follow db2)" = not-judged ]
  moves db3 db2
  journal_says db3 'paused the SQL thread of db1'
}

@test "where no host takes writes, no takeover from a slave of the master itself is judged, and no writer is spoken of" {
  close_writes db1
  stop_replica_thread db2
  # db3 has more of db1's log than db2, and db1 itself has it.
  sql db1 'SET GLOBAL read_only = 0' "$(writing db1 2)" 'SET GLOBAL read_only = 1'
  caught_up db3 db1
  look db1
  [ "$(foreseen db1 take-over db3)" = not-judged ]
  [ -z "$(found takeover-would-be-refused db1)" ]
  [[ $output != *'if the writer were closed now'* ]]
  start_replica_thread db2
}
