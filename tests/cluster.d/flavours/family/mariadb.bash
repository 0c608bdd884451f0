# shellcheck shell=bash disable=SC2034
# What all versions of MariaDB share. A flavour sets SERVER, CLIENT, DUMP and AGENT_GRANTS beside it.

SHOW_REPLICA='SHOW SLAVE STATUS'
START_REPLICA='START SLAVE'
STOP_REPLICA='STOP SLAVE'
FORGET_REPLICA='RESET SLAVE ALL'
SHOW_LOG_END='SHOW MASTER STATUS'
WAIT_POSITION=MASTER_POS_WAIT
SERVER_GTIDS=@@gtid_binlog_state
# What helpers do with the agent's account; tests/lib/flavours.bats compares it with the grants.
AGENT_DEEDS=(
  'SHOW SLAVE STATUS' 'SHOW ALL SLAVES STATUS'
  'STOP SLAVE' 'CHANGE MASTER TO MASTER_CONNECT_RETRY = 1' 'START SLAVE' 'STOP SLAVE SQL_THREAD'
  'SET GLOBAL read_only = 0' 'SET GLOBAL read_only = 1'
  'SHOW MASTER STATUS' 'SHOW BINARY LOGS' 'SHOW BINLOG EVENTS LIMIT 1'
  "SELECT @@gtid_slave_pos, @@gtid_binlog_state, @@gtid_current_pos, BINLOG_GTID_POS('binlog.000001', 4)"
  "SELECT MASTER_POS_WAIT('binlog.000001', 4, 1)" "SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'"
  'SELECT COUNT(*) FROM information_schema.innodb_trx' 'XA RECOVER' "SELECT GET_LOCK('mmm_agent_helpers.writes', 1)"
  'SET SESSION lock_wait_timeout = 1'
)
# More lines for the server's configuration file.
OWN_SETTINGS=
# How the server is started for its first time, when accounts are made.
TEMPLATE_OPTIONS=()

flavour_version() { "${SERVER[@]}" --version; }

# flavour_settings HOST DIRECTORY — the server's configuration file.
flavour_settings() {
  local number
  number=$(host_number "$1")
  cat <<EOF
[mariadbd]
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
log_slave_updates = 1
auto_increment_increment = 2
auto_increment_offset = $((number == 2 ? 2 : 1))
slave_net_timeout = 4
# A server may be killed here, the machine may not: the page cache is durable enough.
innodb_flush_log_at_trx_commit = ${MMM_FLUSH_LOG:-2}
sync_binlog = 0
innodb_data_file_path = ibdata1:4M:autoextend
innodb_temp_data_file_path = ibtmp1:1M:autoextend
innodb_log_file_size = 4M
innodb_buffer_pool_size = 16M
innodb_fast_shutdown = 1
aria_pagecache_buffer_size = 1M
key_buffer_size = 1M
performance_schema = 0
max_connections = 100
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
  local position="MASTER_USE_GTID = no, MASTER_LOG_FILE = 'binlog.000001', MASTER_LOG_POS = 4"
  [[ $MMM_REPLICATION == gtid ]] && position="MASTER_USE_GTID = slave_pos"
  cat <<EOF
CHANGE MASTER TO MASTER_HOST = '$(host_ip "$2")', MASTER_PORT = 3306, MASTER_CONNECT_RETRY = 1,
  MASTER_USER = '$REPLICATION_USER', MASTER_PASSWORD = '$REPLICATION_PASSWORD', $position;
START SLAVE;
EOF
}

# Both threads as `Yes Yes`, `Connecting Yes`, …; empty when the host replicates from nobody.
# Reads the output of SHOW_REPLICA in vertical form.
flavour_threads() {
  awk '$1 == "Slave_IO_Running:" { io = $2 } $1 == "Slave_SQL_Running:" { sql = $2 } END { if (io) print io, sql }'
}

# flavour_field NAME — how this server calls the column that SHOW SLAVE STATUS names so.
flavour_field() { printf '%s\n' "$1"; }

# `file` or `gtid`: how the host keeps its place. Reads the output of SHOW_REPLICA in vertical form.
flavour_mode() { awk '$1 == "Using_Gtid:" { print ($2 == "No" ? "file" : "gtid") }'; }
