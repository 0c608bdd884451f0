#!/usr/bin/env bats
# A slave joins late on servers without GTIDs: it gets exactly what it lacks, or is refused with nothing changed
# (docs/FAILOVER.md, 2.6). db1 was the writer, db2 is it, db3 follows.
# MMM_ROUNDS says how often what is random is tried (5), MMM_PLACES at how many positions of a log a slave stops (3),
# MMM_LARGE how many megabytes a large transaction has (30; 200 before a release).

load ../lib/cluster
load ../lib/failover
load ../lib/certificates

ROUNDS=${MMM_ROUNDS:-5}
PLACES=${MMM_PLACES:-3}
LARGE=${MMM_LARGE:-30}
WRITERS=4

setup_file() {
  cluster_in_mode
}
teardown_file() { end_cluster; }
setup() {
  is_for_this_server || skip 'MariaDB has GTIDs always'
  begins
}
teardown() {
  is_for_this_server || return 0
  stops_writing
  end_order
}

# MariaDB uses this method only if its GTIDs are lost (forgets_gtids).
ON_MARIADB='^(the slave is behind by (statements|what|rows)|the same, and the log)'
is_for_this_server() { [[ $FAMILY == MySQL || $BATS_TEST_DESCRIPTION =~ $ON_MARIADB ]]; }

# forgets_gtids HOST — as after a copy that had only files and positions.
forgets_gtids() {
  [[ $FAMILY == MySQL ]] || sql "$1" "SET GLOBAL gtid_slave_pos = ''"
}

begins() {
  fresh_order
  sql db1 'CREATE TABLE app.keyed (token VARCHAR(32), part INT, PRIMARY KEY (token, part)) ENGINE = InnoDB'
  all_caught_up db1 db2 db3
}

# As the library's, with values that are the same on every server in every format of the log.
writing() {
  local number
  for ((number = 0; number < ${2:-1}; number++)); do
    printf '%s' "BEGIN; INSERT INTO app.entries (origin, note) VALUES ('$1', '$RANDOM'), ('$1', '$RANDOM'); " \
      "INSERT INTO app.heap VALUES ('$1', '$RANDOM $RANDOM'); COMMIT; "
  done
}

# starts_writing HOST — with several sessions, until stops_writing.
starts_writing() {
  folder=$(mktemp -d "$BATS_TEST_TMPDIR/writers.XXXXXX")
  in_host client perl "$REPOSITORY/tests/lib/transactions.pl" "$(host_ip "$1")" "$APP_USER" "$APP_PASSWORD" \
    "$WRITERS" "$folder" >"$folder/log" 2>&1 &
  writers=$!
  wait_for 10 eval 'grep -q ^done "$folder"/outcomes.*'
}
stops_writing() {
  [[ ${writers:-} ]] || return 0
  : >"$folder/stop"
  wait "$writers" || true
  writers=
}

chance() { ((RANDOM % 2)); }
# pause MILLISECONDS — a random time up to that.
pause() { sleep "$(printf '0.%03d' "$((RANDOM % $1))")"; }

# is_drained HOST — it has applied everything that it got from the dead master.
is_drained() { [[ $(replica_field "$1" Slave_SQL_Running_State) == *'has read all relay log'* ]]; }

# has_reached HOST OTHER — in their source's log HOST is as far as OTHER.
has_reached() {
  local file position
  file=$(replica_field "$2" Relay_Master_Log_File)
  position=$(replica_field "$2" Exec_Master_Log_Pos)
  [[ $(sql "$1" "SELECT MASTER_POS_WAIT('$file', $position, 20)") =~ ^[0-9]+$ ]]
}

# stops_at FILE POSITION — db3 executes db1's log up to there and then has no more of it, not even in its relay log;
# it tries to connect again. The transaction at POSITION is executed as a whole.
stops_at() {
  sql db3 "START SLAVE UNTIL MASTER_LOG_FILE = '$1', MASTER_LOG_POS = $2"
  wait_for 20 eval '[[ $(threads db3) == *" No" ]]'
  sql db3 'STOP SLAVE'
  [[ -z $(replica_field db3 Last_SQL_Error) ]]
}
forgets_relay_log() {
  change_source db3 '' db1 "$(place_in_mode "$(replica_field db3 Relay_Master_Log_File)" \
    "$(replica_field db3 Exec_Master_Log_Pos)")"
}

# loses_db1 — db3 cannot reach db1, which lives on and gets what db2 writes.
loses_db1() {
  forgets_gtids db3
  reject_packets db1 db3
  sql db3 'START SLAVE'
  wait_for 5 eval '[[ $(threads db3) == *" Yes" ]]'
}

# is_exact — db3, a slave of db2's now, has all rows; db1, too. It becomes db1's again, stopped.
is_exact() {
  nothing_lost db2 db1 db3 || return 1
  pass_packets db1
  sql db3 'STOP SLAVE'
  local file position
  read -r file position <<<"$(binlog_end db1)"
  change_source db3 '' db1 "$(place_in_mode "$file" "$position")"
}

# is_moved — db3 is somewhere in db1's log; db2 writes.
is_moved() {
  forgets_relay_log
  loses_db1
  write db2 2
  moves db3 db2 && is_exact
}

# is_moved_or_refused — counts in $refused. A refusal leaves db3 where it is, and it continues from there.
is_moved_or_refused() {
  write db2 2
  move db3 db2
  if [[ $answer == OK* ]]; then replicates db3 db2 && is_exact; return; fi
  expect_agent_read 255 "$(unproved db2)" || return 1
  refused=$((refused + 1))
  echo "refused: $answer"
  [[ "$(replica_field db3 Master_Host)" == "$(host_ip db1)" ]] || return 1
  pass_packets db1
  sql db3 'STOP SLAVE' 'START SLAVE'
  nothing_lost db2 db1 && caught_up db3 db1 && same_rows db1 db3 && sql db3 'STOP SLAVE'
}

# ends_of FROM — where events end in the rest of db1's log file.
ends_of() { sql db1 "SHOW BINLOG EVENTS IN '${1% *}' FROM ${1#* }" | cut -f5; }

# behind STATEMENTS PART WHOLE — db1 executes what STATEMENTS prints; db3 stops behind that part of it.
behind() {
  local from ends
  from=$(binlog_end db1)
  "$1" | client_of "$(host_dir db1)" --comments app
  caught_up db2 db1
  mapfile -t ends < <(ends_of "$from")
  echo "behind $2/$3 of the events from $from on"
  stops_at "${from% *}" "${ends[$2 * ${#ends[@]} / $3]}"
}

# each_place STATEMENTS CHECK — repeated, and db3 stops later each time.
each_place() {
  local number
  stop_replica_thread db3
  open_writes db2
  for ((number = 1; number <= PLACES; number++)); do
    behind "$1" "$number" $((PLACES + 1)) && "$2" || return 1
  done
}

# formatted FORMAT — what hosts write, and what they pass on, is logged that way.
formatted() {
  local host
  leaves_traces
  for host in "${HOSTS[@]}"; do
    sql "$host" 'STOP SLAVE' "SET GLOBAL binlog_format = $1" 'START SLAVE'
  done
}

# rows_of TOKEN — a file of more than one block of a log.
rows_of() { for ((row = 0; row < 2000; row++)); do printf '%s\t%060d\n' "$1" "$row"; done; }

# A bit of everything that a log can hold; $token makes its rows new ones.
contents() {
  local token=$RANDOM$RANDOM file
  file=$(host_dir db1)/tmp/rows
  rows_of "$token" >"$file"
  cat <<EOS
CREATE TABLE made (a INT PRIMARY KEY, b VARCHAR(99)) ENGINE = InnoDB;
CREATE TABLE plain (a INT, b VARCHAR(99)) ENGINE = MyISAM;
CREATE INDEX made_b ON made (b);
INSERT INTO made VALUES (1, '$token'), (2, 'ü€''\\\\');
INSERT INTO plain VALUES (1, '$token'), (2, '$token');
UPDATE plain SET b = 'x' WHERE a = 1;
BEGIN;
INSERT INTO entries (note) VALUES ('$token');
ALTER TABLE made ADD c INT;
INSERT INTO made VALUES (3, '', 3);
COMMIT;
BEGIN;
COMMIT;
BEGIN;
DELETE FROM made WHERE a = 99;
COMMIT;
UPDATE made SET b = '$token' WHERE a = 98;
/* a comment */;
DROP TABLE IF EXISTS absent /* a comment */;
/* another */ INSERT INTO heap VALUES ('$token', 'commented');
BEGIN;
INSERT INTO heap VALUES ('$token', '1');
SAVEPOINT one;
INSERT INTO heap VALUES ('$token', '2');
ROLLBACK TO one;
SAVEPOINT two;
INSERT INTO heap VALUES ('$token', '3');
RELEASE SAVEPOINT two;
COMMIT;
BEGIN;
INSERT INTO heap VALUES ('$token', '4');
INSERT INTO plain VALUES (4, '$token');
ROLLBACK;
BEGIN;
INSERT INTO heap VALUES ('$token', '5');
SAVEPOINT one;
INSERT INTO plain VALUES (5, '$token');
ROLLBACK TO one;
COMMIT;
SET @value = 'of a variable';
INSERT INTO heap VALUES ('$token', @value);
INSERT INTO heap VALUES ('$token', RAND(7));
INSERT INTO entries (note) VALUES ('$token'), (LAST_INSERT_ID());
CREATE TABLE copied ENGINE = InnoDB AS SELECT * FROM made;
LOAD DATA INFILE '$file' INTO TABLE heap;
LOAD DATA INFILE '$file' INTO TABLE plain (b, a);
XA START 'prepared$token';
INSERT INTO heap VALUES ('$token', 'prepared');
XA END 'prepared$token';
XA PREPARE 'prepared$token';
XA COMMIT 'prepared$token';
XA START 'one$token';
INSERT INTO heap VALUES ('$token', 'one phase');
XA END 'one$token';
XA COMMIT 'one$token' ONE PHASE;
XA START 'back$token';
INSERT INTO heap VALUES ('$token', 'rolled back');
XA END 'back$token';
XA PREPARE 'back$token';
XA ROLLBACK 'back$token';
FLUSH TABLES;
ANALYZE TABLE made;
CREATE TRIGGER made_too AFTER INSERT ON made FOR EACH ROW INSERT INTO heap VALUES (NEW.a, 'trigger');
INSERT INTO made VALUES (7, '$token', 7);
CREATE PROCEDURE both_times (n INT) INSERT INTO heap VALUES ('$token', n), ('$token', n + 1);
CALL both_times(8);
DROP PROCEDURE both_times;
CREATE VIEW seen AS SELECT * FROM made;
DROP VIEW seen;
REPLACE INTO made VALUES (1, 'replaced', 1);
INSERT INTO made VALUES (1, 'again', 1) ON DUPLICATE KEY UPDATE b = 'updated';
UPDATE made, copied SET made.b = 'joined', copied.b = 'joined' WHERE made.a = copied.a;
TRUNCATE TABLE plain;
RENAME TABLE made TO renamed;
DROP TABLE renamed, plain, copied;
EOS
}

# rounds [COMMAND…] — which is run when db3 has been stopped.
rounds() {
  local round
  for ((round = 1; round <= ROUNDS; round++)); do
    ((round == 1)) || begins
    anywhere "$@" || { echo "round $round" >&2; return 1; }
  done
}

@test "the old master is killed under load, the slave is behind anywhere; the new master writes under load" {
  rounds
}

@test "the same, and the server of the slave was restarted: exactly, or refused" {
  rounds restart_server db3 --skip-slave-start
}

@test "the server of the slave was started, its threads were not: its relay log shows that its log tells all" {
  write db2
  caught_up db1 db2
  write db1
  sleep 1
  write db1
  caught_up db3 db1
  stop_replica_thread db3
  write db1 2
  caught_up db2 db1
  restart_server db3 --skip-slave-start
  kill_server db1
  open_writes db2
  write db2 2

  moves db3 db2

  nothing_lost db2 db3
}

# The maximum length of a replication password is shorter than that of an account's.
@test "the old master is dead, and the server refuses the CHANGE; what is held back is applied no further" {
  only_on narrow 'MySQL 5.6 takes the beginning of such a password'
  leaves_traces
  local password host
  password=$(printf 'x%.0s' {1..40})
  for host in db2 db3; do configure "$host" default replication_password "$password"; done
  set_password db2 "$REPLICATION_USER" "$password"
  stop_replica_thread db3 SQL_THREAD
  stop_replica_thread db2 IO_THREAD
  write db1 2
  fetched_all db3 db1
  kill_server db1
  open_writes db2
  write db2
  local before
  before=$(replica_field db3 Exec_Master_Log_Pos)

  move db3 db2
  expect_agent_read 255 'ERROR: *applies nothing more*'
  [ "$(replica_field db3 Master_Host) $(replica_field db3 Exec_Master_Log_Pos)" = "$(host_ip db1) $before" ]
}

# anywhere [COMMAND…]
anywhere() {
  starts_writing db1
  pause 999
  if chance; then sql db3 'FLUSH LOGS'; fi
  if chance; then sql db2 'FLUSH LOGS'; fi
  pause 999
  case $((RANDOM % 3)) in
    0) stop_replica_thread db3 ;;
    1) stop_replica_thread db3 SQL_THREAD ;;
    2) stop_replica_thread db3 IO_THREAD ;;
  esac
  pause 999
  "$@"
  if chance; then sql db2 'FLUSH LOGS'; fi
  has_reached db2 db3
  kill_server db1
  stops_writing
  wait_for 20 is_drained db2
  open_writes db2
  starts_writing db2
  pause 999
  if chance; then sql db2 'FLUSH LOGS'; fi
  if chance; then sql db3 'FLUSH LOGS'; fi

  move db3 db2 || return 1
  stops_writing
  # Started anew, with nothing executed since, a server may not be able to show what it had executed.
  if (($#)) && [[ $answer == ERROR* ]]; then
    echo "refused: $answer"
    expect_agent_read 255 "$(unproved db2)"
    return
  fi
  expect_agent_read 0 OK && replicates db3 db2 && nothing_lost db2 db3
}

@test "the slave is behind by statements" {
  formatted STATEMENT
  each_place contents is_moved
}

@test "the slave is behind by what was logged in mixed format" {
  formatted MIXED
  each_place contents is_moved
}

@test "the slave is behind by rows" {
  formatted ROW
  each_place contents is_moved
}

# A server that passes the last statement on in rows logs a transaction for the second table that has none in it; the
# next server does not log that.
without_rows() {
  cat <<EOS
CREATE TABLE made (a INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE plain (a INT) ENGINE = MyISAM;
CREATE TRIGGER made_too AFTER INSERT ON made FOR EACH ROW INSERT INTO plain VALUES (NEW.a);
INSERT INTO made VALUES (1);
INSERT INTO made VALUES (1) ON DUPLICATE KEY UPDATE a = 2;
INSERT INTO heap VALUES ('$RANDOM', 'after that');
DROP TABLE made, plain;
EOS
}

@test "the slave has got transactions without rows from the new master's log, or has not, and is behind again" {
  formatted MIXED
  each_place without_rows is_moved
}

# Statements take with them what the session's variable held before, and a replica's session lasts until its SQL thread
# stops.
with_variable() {
  rows_of "$RANDOM" >"$(host_dir db1)/tmp/rows"
  echo 'CREATE TABLE loaded (a INT, b VARCHAR(99)) ENGINE = InnoDB;'
  echo "LOAD DATA INFILE '$(host_dir db1)/tmp/rows' INTO TABLE loaded (b, @number) SET a = @number;"
  echo "INSERT INTO heap VALUES ('$RANDOM', 'after that'); DROP TABLE loaded;"
}

@test "the slave is behind by files that were loaded through a variable" {
  formatted STATEMENT
  each_place with_variable is_moved
}

# They end with a statement in the log of their own server, and with the number of a transaction elsewhere.
prepared() {
  echo "XA START 'x'; INSERT INTO heap VALUES ('$RANDOM', 'prepared'); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x';"
  echo "XA START 'x'; INSERT INTO heap VALUES ('$RANDOM', 'one'); XA END 'x'; XA COMMIT 'x' ONE PHASE;"
}

@test "the new master has written XA transactions before the old one wrote what the slave lacks" {
  open_writes db2
  prepared | client_of "$(host_dir db2)" app
  caught_up db1 db2
  caught_up db3 db1
  each_place contents is_moved
}

large_transaction() {
  local number
  echo 'SET SESSION binlog_format = ROW;'
  echo "INSERT INTO heap VALUES ('large', 'before'); BEGIN;"
  for ((number = 0; number < LARGE; number++)); do
    echo "INSERT INTO large SELECT CONCAT($number, REPEAT('x', 1000)) FROM $(numbers 1000);"
  done
  echo "COMMIT; INSERT INTO heap VALUES ('large', 'behind');"
}

@test "the slave is behind by a large transaction; it stands behind one" {
  sql db1 'CREATE TABLE app.large (body VARCHAR(2000)) ENGINE = InnoDB'
  stop_replica_thread db3
  open_writes db2
  behind large_transaction 0 1
  is_large
  behind large_transaction 1 2
  is_large
}

is_large() {
  forgets_relay_log
  loses_db1
  write db2
  moves db3 db2 || return 1
  echo "$milliseconds ms"
  caught_up db3 db2
  [[ $(sql db3 'CHECKSUM TABLE app.large') == "$(sql db2 'CHECKSUM TABLE app.large')" ]] || return 1
  sql db2 'TRUNCATE TABLE app.large'
  is_exact
}

@test "checksums of the log differ from host to host" {
  leaves_traces
  sql db1 'SET GLOBAL binlog_checksum = CRC32'
  sql db2 'SET GLOBAL binlog_checksum = NONE'
  sql db3 'SET GLOBAL binlog_checksum = CRC32'
  each_place contents is_moved
  start_replica_thread db3
  caught_up db3 db1
  sql db1 'SET GLOBAL binlog_checksum = NONE'
  sql db2 'SET GLOBAL binlog_checksum = CRC32'
  sql db3 'SET GLOBAL binlog_checksum = NONE'
  each_place contents is_moved
}

@test "transactions are compressed, by all or by the new master alone" {
  [[ $MMM_SERVER != mysql-5.6 ]] || skip 'compression is of MySQL 8.0.20 and newer'
  leaves_traces
  local host
  for host in "${HOSTS[@]}"; do
    sql "$host" 'SET GLOBAL binlog_transaction_compression = ON' 'STOP SLAVE' 'START SLAVE'
  done
  each_place contents is_moved
  for host in db1 db3; do sql "$host" 'SET GLOBAL binlog_transaction_compression = OFF'; done
  each_place contents is_moved
}

@test "the replication account has to use TLS; the helper does, or reads with the agent's account" {
  [[ $MMM_SERVER != mysql-5.6 ]] || skip 'it has TLS 1.0 at most'
  leaves_traces
  local host mode
  for host in "${HOSTS[@]}"; do
    sql "$host" 'SET sql_log_bin = 0' "ALTER USER '$REPLICATION_USER'@'$NETWORK.%' REQUIRE SSL"
    sql "$host" 'STOP SLAVE' 'CHANGE MASTER TO MASTER_SSL = 1' 'START SLAVE'
  done
  stop_replica_thread db3
  open_writes db2
  for mode in preferred required off; do
    settings db3 "tls: { mode: $mode }"
    behind contents 1 2
    is_moved
  done
}

# Transactions with the same bytes, and without a commit time of their own: the session's clock is stopped.
alike() {
  local number
  echo 'SET TIMESTAMP = UNIX_TIMESTAMP();'
  for ((number = 1; number <= 6; number++)); do echo "${before_last[number]:-}INSERT INTO heap VALUES ('alike', '');"; done
}

# alike_on_db1 — sets file, where they are, and ends, where each ends.
alike_on_db1() {
  local from
  from=$(binlog_end db1)
  alike | client_of "$(host_dir db1)" app
  file=${from% *}
  mapfile -t ends < <(sql db1 "SHOW BINLOG EVENTS IN '$file' FROM ${from#* }" | awk '$3 == "Xid" { print $5 }')
  ((${#ends[@]} == 6))
}

# stops_behind COUNT — of them.
stops_behind() { (($1 == 0)) || stops_at "$file" "${ends[$1 - 1]}"; }

# alike_places CHECK — repeated; db3 stops behind each of them (behind every third if few positions are wanted).
alike_places() {
  local number step=$((PLACES < 3 ? 3 : 1))
  stop_replica_thread db3
  open_writes db2
  refused=0
  for ((number = 0; number <= 6; number += step)); do
    echo "behind $number of 6"
    alike_on_db1
    caught_up db2 db1
    "$1" "$number" || return 1
  done
  echo "$refused refused"
}

alike_lacking() { stops_behind "$1" && is_moved; }

@test "the same row again and again in one second: the slave gets those that it lacks" {
  alike_places alike_lacking
}

alike_on_both() {
  stops_behind "$1"
  is_moved || return 1
  alike | client_of "$(host_dir db2)" app
  caught_up db1 db2
  start_replica_thread db3
  caught_up db3 db1
  stop_replica_thread db3
}

@test "the same, while the new master writes rows like that, too" {
  alike_places alike_on_both
}

alike_in_short_log() {
  stops_behind $(($1 > 1))
  sql db3 'FLUSH LOGS' "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY"
  stops_behind "$1"
  forgets_relay_log
  loses_db1
  is_moved_or_refused
}

@test "the same, and the log of the slave begins with one of them: never a wrong place" {
  alike_places alike_in_short_log
}

alike_by_relay_log() {
  stops_behind "$1"
  reject_packets db1 db3
  is_moved_or_refused
}

@test "the same, and the slave keeps no log but its relay log: never a wrong place" {
  leaves_traces
  restart_server db3 --skip-log-slave-updates
  wait_for 10 replicates db3 db1
  alike_places alike_by_relay_log
}

@test "the slave keeps no log, and its server gives up at its start what it had fetched: never a wrong place" {
  local options=(--skip-log-slave-updates --relay-log-recovery=1)
  leaves_traces
  restart_server db3 "${options[@]}"
  wait_for 10 replicates db3 db1
  write db1 3
  all_caught_up db1 db2 db3
  stop_replica_thread db3 SQL_THREAD
  write db1 3
  fetched_all db3 db1
  caught_up db2 db1
  kill_server db3
  # It fetches nothing again.
  kill_server db1
  server_start db3 "${options[@]}"
  wait_for 10 eval '[[ $(threads db3) == *" Yes" ]]'
  open_writes db2
  write db2 2

  move db3 db2

  if [[ $answer == OK* ]]; then
    replicates db3 db2
    nothing_lost db2 db3
  else
    expect_agent_read 255 "$(unproved db2)"
  fi
}

# restarts_at COUNT OPTIONS… — the server of db3, when it has executed that many of them.
restarts_at() {
  stops_behind "$1"
  restart_server db3 --skip-slave-start "${@:2}"
}

alike_unlogged() {
  restarts_at $(($1 / 2)) --skip-log-slave-updates
  restarts_at "$1"
  # Otherwise it executes and logs the rest of that when it is started.
  if (($1 % 2 == 0)); then forgets_relay_log; fi
  if chance; then sql db3 'FLUSH LOGS'; fi
  loses_db1
  is_moved_or_refused
}

@test "the slave kept no log of what it executed last, and keeps one again: never a wrong place" {
  leaves_traces
  alike_places alike_unlogged
}

alike_around_a_gap() {
  # It has logged the first two and those from the fifth on.
  if (($1 < 5)); then sql db3 'START SLAVE'; caught_up db3 db1; sql db3 'STOP SLAVE'; return; fi
  restarts_at 2 --skip-log-slave-updates
  restarts_at 4
  stops_behind "$1"
  forgets_relay_log
  loses_db1
  is_moved_or_refused
}

@test "the slave kept no log for a while; what it logged since looks like what it logged before: never a wrong place" {
  leaves_traces
  alike_places alike_around_a_gap
}

@test "the slave leaves a database out of its own log: what it executed last is not in there" {
  leaves_traces
  sql db1 'CREATE DATABASE other' 'CREATE TABLE other.notes (a INT) ENGINE = InnoDB'
  all_caught_up db1 db2 db3
  restart_server db3 --binlog-ignore-db=other
  wait_for 10 replicates db3 db1
  write db2 2
  caught_up db1 db2
  write db1 3
  sql db1 'USE other' 'INSERT INTO notes VALUES (1)' 'INSERT INTO notes VALUES (2)'
  all_caught_up db1 db2 db3
  kill_server db1
  write db2 2

  moves db3 db2

  nothing_lost db2 db3
}

@test "the slave is ahead by a row like the last one of the new master; it stays" {
  local before_last=([6]='DO SLEEP(2);')
  later 1 stop_replica_thread db2 IO_THREAD
  alike_on_db1
  caught_up db3 db1
  [ "$(sql db2 'SELECT COUNT(*) FROM app.heap WHERE origin = "alike"')" = 5 ]
  kill_server db1
  open_writes db2
  write db2 2

  refuses_to_move db3 db2 "$(unproved db2)"
}

# wrote_early COUNT — db2 wrote before it had applied all of db1's, which then wrote COUNT transactions more; db1, and
# so db3, has never got that row.
wrote_early() {
  local number
  writes_early
  for ((number = 0; number < $1; number += 100)); do write db1 $(($1 < 100 ? $1 : 100)); done
  all_caught_up db1 db2 db3
}

# behind_by COUNT — db3 lacks that many of the dead db1's transactions, and has both threads running.
behind_by() {
  stop_replica_thread db3 IO_THREAD
  write db1 "$1"
  caught_up db2 db1
  kill_server db1
  open_writes db2
  start_replica_thread db3 IO_THREAD
  wait_for 5 eval '[[ $(threads db3) == "Connecting Yes" ]]'
}

@test "the new master wrote early, among what is compared; the slave stays" {
  wrote_early 20
  behind_by 5
  write db2 2

  refuses_to_move db3 db2 "$(unproved db2)"
}

@test "the new master wrote early, 1200 transactions before; the slave stays" {
  wrote_early 1200
  kill_server db1
  open_writes db2
  write db2 2

  refuses_to_move db3 db2 "$(unproved db2)"
}

@test "the new master wrote early, but after what the slave has; it gets that, too" {
  stop_replica_thread db1
  stop_replica_thread db3
  stop_replica_thread db2 SQL_THREAD
  write db1 2
  write db2
  start_replica_thread db2 SQL_THREAD
  caught_up db2 db1
  kill_server db1
  open_writes db2
  write db2 2

  moves db3 db2

  nothing_lost db2 db3
}

@test "the new master has purged what the slave lacks; it stays" {
  behind_by 3
  write db2 2
  sql db2 'FLUSH LOGS' 'PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY'
  [ "$(sql db2 'SHOW BINARY LOGS' | wc -l)" = 1 ]

  refuses_to_move db3 db2 "$(unproved db2)"
}

@test "the slave has neither a log nor a relay log; it stays" {
  restart_server db3 --skip-log-slave-updates
  wait_for 10 replicates db3 db1
  write db1 3
  caught_up db3 db1
  sql db3 'STOP SLAVE'
  forgets_relay_log
  kill_server db1
  sql db3 'START SLAVE'
  open_writes db2
  write db2 2

  refuses_to_move db3 db2 "$(unproved db2)"
}

@test "the new master applies in parallel and commits in any order; the slave stays" {
  leaves_traces
  in_any_order db2
  behind_by 3
  write db2 2

  refuses_to_move db3 db2 "$(unproved db2)"
}

@test "the new master did so for a while: never a wrong place" {
  [[ $MMM_SERVER != mysql-5.6 ]] || skip 'it keeps the order of one database'
  leaves_traces
  local round
  open_writes db2
  refused=0
  for ((round = 1; round <= ROUNDS; round++)); do
    start_replica_thread db3
    in_any_order db2
    starts_writing db1
    pause 999
    stop_replica_thread db3
    pause 500
    stops_writing
    caught_up db2 db1
    in_order db2
    forgets_relay_log
    loses_db1
    is_moved_or_refused
  done
  echo "$refused refused"
}

@test "the old master lives and follows, the new one writes under load; the slave has been stopped for long" {
  local old=db1 new=db2 round
  starts_writing db1
  for ((round = 1; round <= ROUNDS; round++)); do
    echo "round $round: from $old to $new"
    if chance; then stop_replica_thread db3; else stop_replica_thread db3 IO_THREAD; fi
    pause 999
    close_writes "$old"
    stops_writing
    caught_up "$new" "$old"
    open_writes "$new"
    starts_writing "$new"
    sleep 1
    if chance; then sql "$new" 'FLUSH LOGS'; fi
    pause 999

    moves db3 "$new" || return 1

    stops_writing
    nothing_lost "$new" "$old" db3 || return 1
    read -r old new <<<"$new $old"
    starts_writing "$old"
  done
}

@test "killed at random moments while the new master writes; the next call ends well" {
  local round delay
  stop_replica_thread db3
  open_writes db2
  for ((round = 1; round <= ROUNDS; round++)); do
    behind contents $((RANDOM % 8)) 8
    forgets_relay_log
    loses_db1
    starts_writing db2
    delay=$((RANDOM * 20))
    echo "killed after $delay microseconds"
    killed_after "$delay" db2

    move db3 db2
    expect_agent_read 0 'OK*'
    echo "$answer, $milliseconds ms"
    replicates db3 db2
    stops_writing
    is_exact
  done
}
