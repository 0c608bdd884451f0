# shellcheck shell=bash disable=SC2034
# MariaDB 10.11 as Debian 12 packages it.
# A flavour says which programs and packages a server needs, how an empty data folder is made, how the
# server is started, and in which words it is told to replicate.

FLAVOUR_PACKAGES=(mariadb-server-core mariadb-client-core mariadb-client)
CLIENT=(mariadb --no-defaults)
DUMP=(mariadb-dump --no-defaults)
SHOW_REPLICA='SHOW SLAVE STATUS'
START_REPLICA='START SLAVE'
STOP_REPLICA='STOP SLAVE'

flavour_version() { mariadbd --version; }

# flavour_bootstrap DATA TMP
flavour_bootstrap() {
  mariadb-install-db --no-defaults --user=root --auth-root-authentication-method=normal --skip-test-db \
    --skip-name-resolve --datadir="$1" --tmpdir="$2" \
    --innodb-data-file-path=ibdata1:4M:autoextend --innodb-log-file-size=4M
}

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
EOF
}

# flavour_command HOST DIRECTORY — sets COMMAND.
flavour_command() {
  COMMAND=(mariadbd --defaults-file="$2/my.cnf")
}

# Accounts with the grants of MMM's guide. 10.11 took setting read_only out of SUPER.
flavour_accounts() {
  local net="$NETWORK.%"
  cat <<EOF
SET SESSION sql_log_bin = 0;
CREATE USER '$AGENT_USER'@'$net' IDENTIFIED BY '$AGENT_PASSWORD';
GRANT SUPER, REPLICATION CLIENT, PROCESS ON *.* TO '$AGENT_USER'@'$net';
GRANT READ_ONLY ADMIN ON *.* TO '$AGENT_USER'@'$net';
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
