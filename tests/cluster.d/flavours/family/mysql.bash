# shellcheck shell=bash disable=SC2034
# What all versions of MySQL share. A flavour sets SERVER, CLIENT, DUMP, AGENT_GRANTS and the words below that
# have changed since.

# The words since 8.4; SOURCE is what every option and column of replication begins with.
SOURCE=SOURCE
REPLICA=REPLICA
CHANGE_SOURCE='CHANGE REPLICATION SOURCE TO'
SHOW_LOG_END='SHOW BINARY LOG STATUS'
WAIT_POSITION=SOURCE_POS_WAIT
SERVER_GTIDS=@@GLOBAL.gtid_executed
# More options of CHANGE_SOURCE.
SOURCE_OPTIONS=
# More lines for the server's configuration file.
OWN_SETTINGS=
# How the server is started for its first time, when accounts are made.
TEMPLATE_OPTIONS=(--skip-log-bin --gtid-mode=OFF --enforce-gtid-consistency=OFF)

# replication_words — after the above were set.
replication_words() {
  SHOW_REPLICA="SHOW $REPLICA STATUS"
  START_REPLICA="START $REPLICA"
  STOP_REPLICA="STOP $REPLICA"
  FORGET_REPLICA="RESET $REPLICA ALL"
  # What helpers do with the agent's account; tests/lib/flavours.bats compares it with the grants.
  AGENT_DEEDS=(
    "$SHOW_REPLICA" "$STOP_REPLICA" "$CHANGE_SOURCE ${SOURCE}_CONNECT_RETRY = 1" "$START_REPLICA"
    "$STOP_REPLICA SQL_THREAD"
    'SET GLOBAL read_only = 0' 'SET GLOBAL read_only = 1'
    "$SHOW_LOG_END" 'SHOW BINARY LOGS' 'SHOW BINLOG EVENTS LIMIT 1'
    'SELECT @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged, @@GLOBAL.gtid_mode'
    "SELECT $WAIT_POSITION('binlog.000001', 4, 1)" "SHOW GLOBAL STATUS LIKE '${REPLICA}_open_temp_tables'"
    'SELECT COUNT(*) FROM information_schema.innodb_trx' "SELECT GET_LOCK('mmm_agent_helpers.writes', 1)"
    'SET SESSION lock_wait_timeout = 1' 'XA RECOVER'
  )
}

flavour_version() { "${SERVER[@]}" --version; }

# flavour_settings HOST DIRECTORY — the server's configuration file.
flavour_settings() {
  local number gtid=OFF
  number=$(host_number "$1")
  [[ $MMM_REPLICATION == gtid ]] && gtid=ON
  cat <<EOF
[mysqld]
user = root
server_id = $number
datadir = $2/data
tmpdir = $2/tmp
socket = $2/mysqld.sock
pid_file = $2/data/mysqld.pid
bind_address = 0.0.0.0
skip_name_resolve = 1
# As MMM's guide asks for: nobody may write until the agent says so.
read_only = 1
log_bin = binlog
relay_log = relay
gtid_mode = $gtid
enforce_gtid_consistency = $gtid
auto_increment_increment = 2
auto_increment_offset = $((number == 2 ? 2 : 1))
# A server may be killed here, the machine may not: the page cache is durable enough.
innodb_flush_log_at_trx_commit = ${MMM_FLUSH_LOG:-2}
sync_binlog = 0
innodb_data_file_path = ibdata1:12M:autoextend
innodb_buffer_pool_size = 16M
innodb_fast_shutdown = 1
key_buffer_size = 1M
max_connections = 100
# Empty is anywhere; the folder that was built in is not there.
secure_file_priv =
$OWN_SETTINGS
EOF
}

# flavour_command HOST DIRECTORY — sets COMMAND.
flavour_command() {
  COMMAND=("${SERVER[@]}" --defaults-file="$2/my.cnf")
}

# Accounts as MMM's guide has them; what the agent may do is the flavour's.
flavour_accounts() {
  local net="$NETWORK.%" grant
  cat <<EOF
SET SESSION sql_log_bin = 0;
CREATE USER '$AGENT_USER'@'$net' IDENTIFIED BY '$AGENT_PASSWORD';
$(for grant in "${AGENT_GRANTS[@]}"; do echo "GRANT $grant TO '$AGENT_USER'@'$net';"; done)
CREATE USER '$MONITOR_USER'@'$net' IDENTIFIED BY '$MONITOR_PASSWORD';
GRANT REPLICATION CLIENT ON *.* TO '$MONITOR_USER'@'$net';
CREATE USER '$REPLICATION_USER'@'$net' IDENTIFIED BY '$REPLICATION_PASSWORD';
GRANT REPLICATION SLAVE ON *.* TO '$REPLICATION_USER'@'$net';
CREATE USER '$APP_USER'@'$net' IDENTIFIED BY '$APP_PASSWORD';
GRANT ALL ON app.* TO '$APP_USER'@'$net';
EOF
}

# flavour_attach HOST SOURCE — what a host is told once, when the cluster comes up.
flavour_attach() {
  local position="${SOURCE}_AUTO_POSITION = 0, ${SOURCE}_LOG_FILE = 'binlog.000001', ${SOURCE}_LOG_POS = 4"
  [[ $MMM_REPLICATION == gtid ]] && position="${SOURCE}_AUTO_POSITION = 1"
  cat <<EOF
$CHANGE_SOURCE ${SOURCE}_HOST = '$(host_ip "$2")', ${SOURCE}_PORT = 3306, ${SOURCE}_CONNECT_RETRY = 1,
  ${SOURCE}_USER = '$REPLICATION_USER', ${SOURCE}_PASSWORD = '$REPLICATION_PASSWORD', $SOURCE_OPTIONS $position;
$START_REPLICA;
EOF
}

# Both threads as `Yes Yes`, `Connecting Yes`, …; empty when the host replicates from nobody.
# Reads the output of SHOW_REPLICA in vertical form.
flavour_threads() {
  awk '$1 ~ /_IO_Running:$/ { io = $2 } $1 ~ /_SQL_Running:$/ { sql = $2 } END { if (io) print io, sql }'
}

# flavour_field NAME — how this server calls the column that SHOW SLAVE STATUS names so.
flavour_field() {
  case $SOURCE in
    MASTER) printf '%s\n' "$1" ;;
    *) sed 's/Master/Source/; s/Slave/Replica/' <<<"$1" ;;
  esac
}

# `file` or `gtid`: how the host keeps its place. Reads the output of SHOW_REPLICA in vertical form.
flavour_mode() { awk '$1 == "Auto_Position:" { print ($2 == 0 ? "file" : "gtid") }'; }
