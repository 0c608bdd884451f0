# shellcheck shell=bash disable=SC2154
# What holds for every answer of a helper that talks to servers, and the states in which servers are asked.
#   load ../lib/cluster
#   load ../lib/answers

# answers CODE PATTERN — of the last run_helper or run_bare; the answer is the only line on both streams.
answers() {
  expect_answer "$@" || return 1
  [[ $output == "$line" && -z $stderr ]] && return 0
  printf '%s\n' "$last_call says more than its answer" "stdout:" "$output" "stderr:" "$stderr" >&2
  return 1
}

# within MILLISECONDS — the last call was answered in that time.
within() {
  ((milliseconds <= $1)) && return 0
  printf '%s took %s ms, allowed are %s\n' "$last_call" "$milliseconds" "$1" >&2
  return 1
}

# in_time — as the contract wants it of every call: limits.call (8 s) and a second.
in_time() { within 9000; }

# keeps_secrets [SECRET…] — no password in the last answer or in any journal.
keeps_secrets() {
  local secret
  for secret in "$AGENT_PASSWORD" "$REPLICATION_PASSWORD" "$@"; do
    if grep -rHF -e "$secret" "$CLUSTER_DIR"/*/log "$BATS_TEST_TMPDIR/stdout" "$BATS_TEST_TMPDIR/stderr" >&2; then
      return 1
    fi
  done
}

# journal_says HOST TEXT
journal_says() {
  journal "$1" | grep -qF -e "$2" && return 0
  printf 'the journal of %s does not say: %s\n' "$1" "$2" >&2
  journal "$1" | tail -n 20 >&2
  return 1
}

# configure HOST SECTION KEY VALUE — in HOST's configuration; SECTION is a host's, or `default`.
configure() {
  # A later section of the same name wins (docs/CONTRACT.md, 4.4).
  printf '\n<host %s>\n\t%s\t%s\n</host>\n' "$2" "$3" "$4" >>"$(host_dir "$1")/mysql-mmm/mmm_common.conf"
}

# settings HOST TEXT — HOST's mmm_helpers.yaml.
settings() {
  local file
  file=$(host_dir "$1")/mysql-mmm/mmm_helpers.yaml
  printf '%s\n' "$2" >"$file"
  chmod 640 "$file"
}

# may_not HOST [WHAT…] — the agent's account there has all that helpers need, without SUPER where there are finer
# privileges, but not those for WHAT (a key of PRIVILEGE).
may_not() {
  local account="'$AGENT_USER'@'$NETWORK.%'" grant what grants=()
  for grant in "${NARROW_GRANTS[@]}"; do
    for what in "${@:2}"; do
      if [[ $grant == "${PRIVILEGE[$what]} ON "* ]]; then continue 2; fi
    done
    grants+=("GRANT $grant TO $account")
  done
  sql "$1" 'SET sql_log_bin = 0' "REVOKE ALL PRIVILEGES, GRANT OPTION FROM $account" "${grants[@]}"
}

# lacks WHAT HOST — as a pattern, what a helper says of that.
lacks() {
  local account="'$AGENT_USER'@'$NETWORK.%'"
  local named=${NAMED[$1]:-${PRIVILEGE[$1]}}
  echo "$account lacks $named on $2 (${FAMILY}*): SET SESSION sql_log_bin = 0; GRANT *PROCESS* ON \*.\* TO $account"
}

# set_password HOST USER PASSWORD — in that host's server alone; a quote in PASSWORD is doubled.
set_password() { sql "$1" 'SET sql_log_bin = 0' "$(flavour_password "'$2'@'$NETWORK.%'" "$3")"; }

# numbers COUNT — a table of that many rows with a column `seq`, from 1 on; for a FROM.
numbers() {
  local digits='(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4
    UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)'
  echo "(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS seq
    FROM $digits a, $digits b, $digits c, $digits e HAVING seq <= $1) numbers"
}

# insert HOST [NOTE] — one row, one transaction.
insert() { sql "$1" "INSERT INTO app.entries (origin, note) VALUES ('$1', '${2:-}')"; }

# row_count HOST
row_count() { sql "$1" 'SELECT COUNT(*) FROM app.entries'; }

# has_rows HOST COUNT
has_rows() {
  local count
  count=$(row_count "$1")
  [[ $count == "$2" ]] && return 0
  printf '%s has %s rows, expected were %s\n' "$1" "$count" "$2" >&2
  return 1
}

# channel_threads HOST CHANNEL — as `Yes Yes`.
channel_threads() {
  printf '%s %s\n' "$(channel_field "$1" "$2" Slave_IO_Running)" "$(channel_field "$1" "$2" Slave_SQL_Running)"
}

# runs_from HOST SOURCE [CHANNEL] — HOST replicates from SOURCE's address, and both threads run.
runs_from() {
  local now
  now="$(channel_field "$1" "${3:-}" Master_Host) $(channel_threads "$1" "${3:-}")"
  [[ $now == "$(address_of "$2") Yes Yes" ]] && return 0
  printf '%s should replicate from %s; it has: %s\n' "$1" "$2" "$now" >&2
  return 1
}

# by_file_and_position HOST SOURCE — its channel, behind all that it has of SOURCE, whatever the cluster's mode.
by_file_and_position() {
  local file position
  caught_up "$1" "$2"
  read -r file position <<<"$(binlog_end "$2")"
  sql "$1" 'STOP SLAVE' \
    "CHANGE MASTER TO MASTER_AUTO_POSITION = 0, MASTER_LOG_FILE = '$file', MASTER_LOG_POS = $position" 'START SLAVE'
  wait_for 5 runs_from "$1" "$2"
}

# follows HOST SOURCE — and what SOURCE writes from now on arrives.
follows() {
  local note=follows-$RANDOM-$RANDOM
  runs_from "$1" "$2" || return 1
  sql "$2" "INSERT INTO app.entries (note) VALUES ('$note')"
  wait_for 5 has_note "$1" "$note"
}

has_note() { [[ $(sql "$1" "SELECT COUNT(*) FROM app.entries WHERE note = '$2'") == 1 ]]; }

# fetched_all HOST SOURCE — HOST's relay log holds all that SOURCE has logged by now, applied or not.
# A source may log more meanwhile, as a MariaDB does some moments after FLUSH LOGS.
fetched_all() { wait_for 5 has_fetched "$1" "$2"; }
has_fetched() {
  local end
  end=$(binlog_end "$2")
  [[ "$(replica_field "$1" Master_Log_File) $(replica_field "$1" Read_Master_Log_Pos)" == "$end" ]]
}

# hold HOST — app.entries is locked there until `release HOST`, so what is replicated waits.
hold() {
  sql "$1" 'LOCK TABLES app.entries READ' 'DO SLEEP(50)' >/dev/null 2>&1 3>&- 4>&- &
  wait_for 5 holding "$1"
}
holding() { [[ -n $(lock_holder "$1") ]]; }
lock_holder() { sql "$1" "SELECT id FROM information_schema.processlist WHERE info LIKE 'DO SLEEP(50)%'"; }
release() { sql "$1" "KILL $(lock_holder "$1")"; }

# busy HOST LOCK — another helper, by its account, holds that lock there, until `release HOST`.
busy() {
  sql_as "$AGENT_USER" "$AGENT_PASSWORD" "$(host_ip "$1")" "DO GET_LOCK('mmm_agent_helpers.$2', 0)" 'DO SLEEP(50)' \
    >/dev/null 2>&1 3>&- 4>&- &
  wait_for 5 holding "$1"
}

# squat HOST LOCK — sessions of an application hold that lock there, and wait in line for it.
squat() {
  for _ in 1 2 3; do
    sql_as_app "$1" "DO GET_LOCK('mmm_agent_helpers.$2', 100)" 'DO SLEEP(50)' >/dev/null 2>&1 3>&- 4>&- &
  done
  wait_for 5 in_line "$1" "$2"
}
in_line() {
  [[ $(sql "$1" "SELECT IS_USED_LOCK('mmm_agent_helpers.$2') > 0, COUNT(*) FROM information_schema.processlist
    WHERE state = 'User lock' AND info LIKE 'DO %.$2%'") == $'1\t2' ]]
}

# fail_applier HOST SOURCE — a row of SOURCE meets one that HOST has already: error 1062, the SQL thread stops.
fail_applier() {
  sql "$1" 'SET sql_log_bin = 0' "INSERT INTO app.entries (id, note) VALUES (1001, 'own')"
  sql "$2" "INSERT INTO app.entries (id, note) VALUES (1001, 'theirs')"
  wait_for 5 applier_failed "$1"
}
applier_failed() { [[ $(replica_field "$1" Last_SQL_Errno) == 1062 && $(threads "$1") == *' No' ]]; }

# foreign_server — a server that no configuration knows, on `client`, with a GTID domain of its own where there
# are domains.
foreign_server() {
  server_end client KILL
  server_data client "$(template)"
  sed -i 's/^server_id = .*/server_id = 90\nloose_gtid_domain_id = 9/' "$(host_dir client)/my.cnf"
  server_start client
  sql client 'SET GLOBAL read_only = 0'
}

# archive_channel HOST — HOST also replicates from the foreign server, over a channel named `archive`. Only db3
# may get rows from there: between db1 and db2, events of a third server would go round for ever.
archive_channel() {
  only_on channels 'a second channel'
  foreign_server
  change_source "$1" archive client "MASTER_USE_GTID = no, MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4"
  sql "$1" "START SLAVE 'archive'"
  wait_for 5 archive_runs "$1"
}
archive_runs() { runs_from "$1" client archive; }

# foreign_default CHANNEL — db3's own channel replicates from the foreign server, one of this name from db1.
foreign_default() {
  local file position
  only_on channels 'channels have no names'
  foreign_server
  read -r file position <<<"$(binlog_end db1)"
  sql db3 'STOP SLAVE' "CHANGE MASTER TO MASTER_HOST = '$CLIENT_IP', MASTER_USE_GTID = no,
    MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4" 'START SLAVE'
  change_source db3 "$1" db1 "$(place_in_mode "$file" "$position")"
  sql db3 "START SLAVE '$1'"
  wait_for 5 runs_from db3 db1 "$1"
  wait_for 5 runs_from db3 client
}

# archive_is_untouched HOST — it never stopped, and what the foreign server writes arrives.
archive_is_untouched() {
  archive_runs "$1" || return 1
  [[ $(sql client "SELECT COUNT(*) FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'
      AND id = ${archive_connection:-0}") == 1 ]] || { echo "the archive channel was reconnected" >&2; return 1; }
  sql client 'CREATE DATABASE IF NOT EXISTS archive' 'CREATE TABLE IF NOT EXISTS archive.notes (id INT PRIMARY KEY)' \
    'INSERT INTO archive.notes SELECT COUNT(*) FROM archive.notes'
  wait_for 5 eval "[[ \$(sql $1 'SELECT COUNT(*) FROM archive.notes') == $(sql client 'SELECT COUNT(*) FROM archive.notes') ]]"
}

# second_channel HOST — also from db2, never started.
second_channel() {
  only_on channels 'a second channel'
  sql "$1" "CHANGE MASTER 'second' TO MASTER_HOST = '$(host_ip db2)', MASTER_USER = '$REPLICATION_USER'"
}

# note_archive — remembers the archive channel's connection, for archive_is_untouched.
note_archive() {
  archive_connection=$(sql client "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'")
}
