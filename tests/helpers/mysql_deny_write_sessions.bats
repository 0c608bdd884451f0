#!/usr/bin/env bats
# What mysql_deny_write does to the sessions of a real server: no write is lost after it was
# acknowledged, none stays on one host alone, and no session delays it.

load ../lib/cluster
load ../lib/answers
load ../lib/clients

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() {
  reset_cluster
  note_replicas db1
}
teardown() { dump_on_failure; end_clients; }

# closes_in MILLISECONDS — mysql_deny_write on db1: OK, no client left, replicas still connected as before.
closes_in() {
  run_helper db1 mysql_deny_write
  answers 0 OK && within "$1" && keeps_secrets || return 1
  [[ $(clients_of db1) == 0 ]] || { echo "$(clients_of db1) sessions are left" >&2; return 1; }
  replicas_stayed db1 || return 1
  closed db1
}

# A row for each of so many numbers, on db1 and its replicas.
fill() { sql db1 "INSERT INTO app.entries (note) SELECT seq FROM $(numbers "$1")"; }

note_count() { sql "$1" "SELECT COUNT(*) FROM app.entries WHERE note = '$2'"; }

@test "idle sessions end, and replicas stay connected and get the tail" {
  idle_clients 20
  start_clients local "$(host_dir db1)/mysqld.sock" root '' idle 3
  insert db1 tail
  closes_in 1000
  [ "$(note_count db2 tail)" = 1 ]
}

@test "replicas that use GTIDs stay connected and get the tail" {
  local host
  only_on gtids 'gtid_mode is OFF'
  for host in db2 db3; do sql $host 'STOP SLAVE' 'CHANGE MASTER TO MASTER_USE_GTID = slave_pos' 'START SLAVE'; done
  wait_for 10 eval '[ "$(threads db2) $(threads db3)" = "Yes Yes Yes Yes" ]'
  note_replicas db1
  insert db1 tail
  closes_in 1000
  [ "$(note_count db3 tail)" = 1 ]
}

@test "300 idle sessions end" {
  sql db1 'SET GLOBAL max_connections = 400'
  idle_clients 300
  closes_in 3000
}

@test "an idle transaction of an application is rolled back and its COMMIT is refused" {
  open_session app
  tells app BEGIN "INSERT INTO entries (note) VALUES ('pending')"
  closes_in 1000
  say app COMMIT
  [ "$(heard app)" != ok ]
  [ "$(note_count db1 pending)" = 0 ]
}

@test "an idle transaction of an account that may ignore read_only is rolled back, too" {
  start_local_root
  tells root BEGIN "INSERT INTO entries (note) VALUES ('pending')"
  closes_in 1000
  say root COMMIT
  [ "$(heard root)" != ok ]
  [ "$(note_count db1 pending)" = 0 ]
}

start_local_root() { open_session root "$(host_dir db1)/mysqld.sock" root ''; }

@test "a long SELECT ends" {
  open_session app
  say app 'SELECT SLEEP(60)'
  wait_for 5 executes db1 'SELECT SLEEP%'
  closes_in 1000
  # SLEEP returns 1 when it is interrupted; the session has ended all the same.
  say app 'DO 1'
  [ "$(heard app)" != ok ]
}

@test "an UPDATE of many rows that is under way is rolled back whole" {
  fill 3000
  open_session app
  say app "UPDATE entries SET note = IF(SLEEP(0.01), '', 'changed')"
  wait_for 5 executes db1 'UPDATE%'
  sleep 0.5
  closes_in 2000
  [ "$(heard app)" != ok ]
  [ "$(note_count db1 changed)" = 0 ]
}

# plain_table — a table without transactions. What is said of it runs long on db1 alone.
plain_table() {
  # MySQL 9 does not allow a change of the format while an applier runs.
  sql db1 'STOP SLAVE SQL_THREAD' "SET GLOBAL binlog_format = $1" 'START SLAVE SQL_THREAD' \
    'CREATE TABLE IF NOT EXISTS app.plain (id INT PRIMARY KEY, note TEXT) ENGINE = MyISAM' \
    "REPLACE INTO app.plain SELECT seq, '' FROM $(numbers 4)"
}
SLOWLY="IF(@@hostname = 'db1', SLEEP(0.4), 0)"

# lets_end STATEMENT — app's statement has its time, its client hears of the end, and then the server is closed.
lets_end() {
  say app "$1"
  wait_for 5 executes db1 '%plain%'
  sleep 0.4
  executes db1 '%plain%'
  closes_in 6000
  [[ $(heard app) == ok ]] || { echo "the statement ended with $(heard app)" >&2; return 1; }
  [[ $(threads db2) == 'Yes Yes' && $(threads db3) == 'Yes Yes' ]]
}

@test "a statement that changes a table without transactions may end, and its replicas have what it changed" {
  [[ $MMM_SERVER != mysql-9 ]] || skip 'it has no BENCHMARK'
  plain_table MIXED
  open_session app
  local before took least=60000000 count=300000
  for _ in 1 2 3; do
    before=${EPOCHREALTIME/./}
    sql db1 "DO BENCHMARK($count, MD5('a'))"
    took=$((${EPOCHREALTIME/./} - before))
    least=$((took < least ? took : least))
  done
  # Nothing in it is unsafe, so it is logged as a statement. About 0.5 s a row.
  count=$((count * 500000 / least))
  lets_end "UPDATE plain SET note = BENCHMARK($count, MD5('a'))"
}

@test "such a statement may end within a transaction, of which nothing stays that could be rolled back" {
  plain_table STATEMENT
  open_session app
  tells app BEGIN "INSERT INTO entries (note) VALUES ('pending')"
  lets_end "UPDATE plain SET note = $SLOWLY"
  [ "$(note_count db1 pending)" = 0 ]
}

@test "such a statement may end that reads tables with transactions" {
  fill 4
  plain_table STATEMENT
  open_session app
  lets_end "INSERT INTO plain SELECT id + 1000, $SLOWLY FROM entries"
}

@test "such a statement that outlasts the time is ended shortly before, and named" {
  settings db1 'limits: {call: 4s}'
  plain_table STATEMENT
  open_session app
  say app "UPDATE plain SET note = IF(@@hostname = 'db1', SLEEP(3), 0)"
  wait_for 5 executes db1 '%plain%'
  run_helper db1 mysql_deny_write
  answers 0 'OK: ended in the middle, and replicas may stop on it: connection *, app@10.77.0.1:* (Query, * s)'
  within 4000
  [ "$(heard app)" != ok ]
  journal_says db1 'ended in the middle'
  [ "$(clients_of db1)" = 0 ]
  is_read_only db1
}

@test "such a statement ends at once where the server says that its session logs rows" {
  [[ $MMM_SERVER == mysql-9 ]] || skip 'it does not say'
  plain_table ROW
  open_session app
  say app "UPDATE plain SET note = CONCAT('changed', SLEEP(0.4))"
  wait_for 5 executes db1 '%plain%'
  sleep 1
  closes_in 1000
  [ "$(heard app)" != ok ]
  [ "$(sql db3 "SELECT COUNT(*) FROM app.plain WHERE note LIKE 'changed%'")" -gt 0 ]
}

@test "two calls at once wait both for such a statement, and end both with OK" {
  plain_table STATEMENT
  open_session app
  say app "UPDATE plain SET note = $SLOWLY"
  wait_for 5 executes db1 '%plain%'
  in_host db1 "$MMM_AGENT_DIR/mysql_deny_write" mmm_agent >"$BATS_TEST_TMPDIR/first" &
  wait_for 5 executes db1 'SET GLOBAL read_only%'
  run_helper db1 mysql_deny_write
  wait "$!"
  answers 0 OK
  [ "$(<"$BATS_TEST_TMPDIR/first")" = OK ]
  [ "$(heard app)" = ok ]
  closed db1
}

@test "a session that holds LOCK TABLES WRITE does not hold it up" {
  open_session app
  tells app 'LOCK TABLES entries WRITE'
  closes_in 1000
}

@test "sessions that wait for locked tables end with the one that locked them" {
  open_session holder
  tells holder 'LOCK TABLES entries WRITE'
  open_session waiting
  say waiting "INSERT INTO entries (note) VALUES ('waited')"
  wait_for 5 executes db1 'INSERT%waited%'
  closes_in 1000
  [ "$(heard waiting)" != ok ]
  [ "$(note_count db1 waited)" = 0 ]
}

@test "another's FLUSH TABLES WITH READ LOCK does not hold it up" {
  start_local_root
  tells root 'FLUSH TABLES WITH READ LOCK'
  open_session app
  say app "INSERT INTO entries (note) VALUES ('waited')"
  wait_for 5 executes db1 'INSERT%waited%'
  closes_in 1000
  [ "$(note_count db1 waited)" = 0 ]
}

@test "a backup that blocks commits does not hold it up" {
  only_on MariaDB 'BACKUP STAGE is MariaDB'"'"'s'
  start_local_root
  tells root 'BACKUP STAGE START' 'BACKUP STAGE BLOCK_COMMIT'
  closes_in 2000
}

@test "a commit that waits for a semi-synchronous replica is not acknowledged, and its row is everywhere or nowhere" {
  only_on MariaDB 'MySQL waits on for the replica when the session was killed'
  semi_sync db1 600000
  open_session app
  say app "INSERT INTO entries (note) VALUES ('unheard')"
  wait_for 5 executes db1 'INSERT%unheard%'
  closes_in 2000
  [ "$(heard app)" != ok ]
}

@test "a prepared XA transaction stays and is reported" {
  only_on lasting_xa 'it ends with its session there'
  open_session app
  tells app "XA START 'x'" "INSERT INTO entries (note) VALUES ('prepared')" "XA END 'x'" "XA PREPARE 'x'"
  run_helper db1 mysql_deny_write
  answers 0 'OK: prepared XA transactions left: 1, see XA RECOVER'
  within 1000
  [ "$(clients_of db1)" = 0 ]
  is_read_only db1
  # It was logged as prepared, so it can be ended where the writer role goes.
  caught_up db2 db1
  [ "$(sql db2 'XA RECOVER' | wc -l)" = 1 ]
}

@test "the event scheduler goes on, and an event that is running ends" {
  sql db1 'SET GLOBAL event_scheduler = ON'
  local scheduler
  scheduler=$(sql db1 "SELECT id FROM information_schema.processlist WHERE user = 'event_scheduler'")
  sql db1 "CREATE DEFINER = '$APP_USER'@'$NETWORK.%' EVENT app.slow ON SCHEDULE AT NOW() DO
    INSERT INTO app.entries (note) SELECT IF(SLEEP(0.1), '', 'event') FROM $(numbers 1000)"
  wait_for 5 executes db1 '%SLEEP(0.1)%'
  closes_in 2000
  [ "$(sql db1 "SELECT id FROM information_schema.processlist WHERE user = 'event_scheduler'")" = "$scheduler" ]
  [ "$(note_count db1 event)" = 0 ]
}

@test "the journal warns of an event only if one is enabled whose definer may ignore read_only" {
  sql db1 'SET GLOBAL event_scheduler = ON'
  run_helper db1 mysql_deny_write
  answers 0 OK
  [[ $(journal db1) != *'event scheduler'* ]]
  # Without further rights, the agent's account does not see whose it is.
  sql db1 'CREATE EVENT app.tick ON SCHEDULE EVERY 1 HOUR DO DO 0'
  wait_for 5 awaits_event db1
  run_helper db1 mysql_deny_write
  answers 0 OK
  journal_says db1 'the event scheduler runs, and read_only may not stop an event'
}
awaits_event() { [[ $(sql "$1" "SELECT state FROM information_schema.processlist WHERE user = 'event_scheduler'") == 'Waiting for next activation' ]]; }

@test "writers that connect again as fast as they are cut off lose nothing that was acknowledged" {
  herd 20
  wait_for 5 eval "[ -s '$BATS_TEST_TMPDIR/herd.acknowledged' ]"
  sleep 0.5
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 3000
  closed db1
  holds_acknowledged db2 herd
  # They are back, and nothing of theirs gets in.
  wait_for 5 eval '[ "$(clients_of db1)" -gt 0 ]'
  local end
  end=$(binlog_end db1)
  sleep 0.5
  [ "$(binlog_end db1)" = "$end" ]
  replicas_stayed db1
}

# Connections of every kind count, also the one that asks.
take_every_connection() {
  idle_clients $(($(sql db1 'SELECT @@max_connections') - $(sql db1 "SHOW STATUS LIKE 'Threads_connected'" | cut -f2) + 1))
  # One that was still being closed may have been counted.
  wait_for 10 takes_one_or_is_refused
}
takes_one_or_is_refused() {
  sql_as_app db1 'DO SLEEP(60)' >/dev/null 2>&1 3>&- 4>&- &
  sql_as_app db1 'DO 1' 2>&1 | grep -q 'Too many connections'
}

@test "with every connection taken it gets in by the one that is reserved" {
  take_every_connection
  run sql_as_app db1 'DO 1'
  [[ $output == *'Too many connections'* ]]
  closes_in 2000
  journal_says db1 'no second connection'
}

@test "with every connection taken, LOCK TABLES does not hold it up" {
  open_session app
  tells app 'LOCK TABLES entries WRITE'
  take_every_connection
  closes_in 2000
}

@test "a herd that takes every connection again at once does not keep it from closing" {
  sql db1 'SET GLOBAL max_connections = 20'
  start_clients herd db1 "$APP_USER" "$APP_PASSWORD" herd 40
  sleep 0.5
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 5000
  end_clients
  closed db1
  holds_acknowledged db2 herd
}

@test "an account that is called 'system user' is a client as any other" {
  sql db1 "CREATE USER 'system user'@'$NETWORK.%' IDENTIFIED BY 'x'" "GRANT ALL ON app.* TO 'system user'@'$NETWORK.%'"
  open_session sly db1 'system user' x
  tells sly BEGIN "INSERT INTO entries (note) VALUES ('sly')"
  closes_in 1000
  [ "$(note_count db1 sly)" = 0 ]
}

@test "connections that are logging in do not hold it up, and their host is not locked out for it" {
  # Names are resolved, so that the server counts connection errors by host.
  in_host db1 sh -c 'echo "$1 appserver" >>/etc/hosts' sh "$CLIENT_IP"
  stop_server db1
  sed -i 's/^skip_name_resolve.*/skip_name_resolve = 0/' "$(host_dir db1)/my.cnf"
  start_server db1
  sql db1 'SET GLOBAL read_only = 0' 'SET GLOBAL max_connect_errors = 3'
  sql_as_app db1 'DO 1'
  in_host client bash -c 'for n in 1 2 3 4 5 6; do eval "exec 1$n<>/dev/tcp/10.77.0.11/3306"; done; sleep 3' 3>&- 4>&- &
  wait_for 5 eval '[ "$(clients_of db1)" = 6 ]'
  open_session app
  run_helper db1 mysql_deny_write
  answers 0 OK
  within 1000
  say app 'DO 1'
  [ "$(heard app)" != ok ]
  sql_as_app db1 'DO 1'
}

@test "IPv6 sessions end" {
  stop_server db1
  sed -i 's/^bind_address.*/bind_address = */' "$(host_dir db1)/my.cnf"
  start_server db1
  reconnects_to db1
  sql db1 'SET GLOBAL read_only = 0' "CREATE USER 'six'@'fd77::%' IDENTIFIED BY 'x'" "GRANT ALL ON app.* TO 'six'@'fd77::%'"
  in_host db1 ip addr add fd77::11/64 dev eth0 nodad
  in_host client ip addr replace fd77::1/64 dev br0 nodad
  wait_for 10 eval '[ -n "$(dump_threads db1)" ] && [ "$(threads db2) $(threads db3)" = "Yes Yes Yes Yes" ]'
  note_replicas db1
  open_session six fd77::11 six x
  tells six BEGIN "INSERT INTO entries (note) VALUES ('six')"
  closes_in 1000
  [ "$(note_count db1 six)" = 0 ]
}

@test "no journal holds a customer's statement" {
  settings db1 'log: {level: debug}'
  open_session app
  say app "SELECT SLEEP(60), 'DE02120300000000202051'"
  wait_for 5 executes db1 'SELECT SLEEP%'
  closes_in 1000
  [ -n "$(journal db1)" ]
  run grep -F DE0212 "$(host_dir db1)/log/mmm_helpers.log"
  [ "$status" -eq 1 ]
}

@test "an applier that is behind is left alone, and what it applies later is no client's write" {
  # db1 follows db2; rows arrive while it is being closed.
  sql db2 'SET GLOBAL read_only = 0'
  sql db2 "INSERT INTO app.entries (note) SELECT CONCAT('from db2 ', seq, SLEEP(0.002)) FROM $(numbers 100)" 3>&- 4>&- &
  local inserting=$!
  herd 4
  run_helper db1 mysql_deny_write
  answers 0 OK
  wait "$inserting"
  is_read_only db1
  caught_up db1 db2
  end_clients
  closed db1
}

@test "a replicated statement that runs for long is not ended, and named when it holds read_only back" {
  settings db1 'limits: {call: 3s}'
  sql db2 'SET GLOBAL read_only = 0'
  sql db2 'SET SESSION binlog_format = STATEMENT' \
    "INSERT INTO app.entries (origin, note) SELECT 'db2', SLEEP(6) FROM (SELECT 1) once" 3>&- 4>&- &
  wait_for 15 executes db1 'INSERT%SLEEP%'
  run_helper db1 mysql_deny_write
  answers 255 'ERROR: db1 is not closed: read_only still waits, for a replication thread*; read_only is off'
  within 3500
  caught_up db1 db2
  run_helper db1 mysql_deny_write
  answers 0 OK
  closed db1
}
