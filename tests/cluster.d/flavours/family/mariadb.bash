# shellcheck shell=bash disable=SC2034
# What all versions of MariaDB share. A flavour sets SERVER, CLIENT and AGENT_GRANTS beside it.
# shellcheck source=tests/cluster.d/flavours/family/any.bash
. "$CLUSTER_LIB/flavours/family/any.bash"

LACKS=super_read_only
SERVER_GTIDS=@@gtid_binlog_state
# Threads of replication, as information_schema.processlist shows them.
REPLICATION_THREADS="command LIKE 'Slave%'"
# What helpers need the agent's account for, and by which privilege it has that.
declare -gA PRIVILEGE=([sessions]='PROCESS' [log]='BINLOG MONITOR' [status]='SLAVE MONITOR'
  [replication]='REPLICATION SLAVE ADMIN' [read_only]='READ_ONLY ADMIN' [kill]='CONNECTION ADMIN')
# All that they need, without SUPER.
NARROW_GRANTS=()
for privilege in "${PRIVILEGE[@]}"; do NARROW_GRANTS+=("$privilege ON *.*"); done
unset privilege
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

# flavour_settings — lines of the configuration file that only MariaDB has, or has with other values.
flavour_settings() {
  cat <<EOS
innodb_data_file_path = ibdata1:4M:autoextend
innodb_temp_data_file_path = ibtmp1:1M:autoextend
innodb_log_file_size = 4M
aria_pagecache_buffer_size = 1M
performance_schema = 0
EOS
}

# How the host keeps its position: `file`, `gtid`, or `current_pos`. Reads replication's status in vertical form.
flavour_mode() {
  awk '$1 == "Using_Gtid:" { print ($2 == "No" ? "file" : $2 == "Slave_Pos" ? "gtid" : tolower($2)) }'
}

# flavour_forget HOST — replication, the log, and which transactions the host has.
flavour_forget() {
  local name
  # A channel is a line; its name is in the first column.
  sql "$1" 'STOP ALL SLAVES' 'SHOW ALL SLAVES STATUS' 2>/dev/null | cut -f1 | while IFS= read -r name; do
    sql "$1" "RESET SLAVE '$name' ALL"
  done
  sql "$1" 'RESET MASTER' "SET GLOBAL gtid_slave_pos = ''"
}

# gtid_of HOST — a pattern for one GTID of what was written there; without HOST, anywhere.
gtid_of() {
  if (($#)); then printf '0-%s-*\n' "$(host_number "$1")"; else echo '*-*-*'; fi
}

heartbeat_period() { sql "$1" "SHOW STATUS LIKE 'Slave_heartbeat_period'" | cut -f2; }

# leave_out HOST TABLE — HOST's replication ignores that table, `database.table`.
leave_out() { sql "$1" 'STOP SLAVE' "SET GLOBAL replicate_ignore_table = '$2'" 'START SLAVE'; }

# apply_in_parallel HOST — with four threads, as soon as the SQL thread is started.
apply_in_parallel() { sql "$1" 'SET GLOBAL slave_parallel_threads = 4' "SET GLOBAL slave_parallel_mode = 'optimistic'"; }

# semi_sync SOURCE TIMEOUT [REPLICA] — SOURCE waits for REPLICA's acknowledgement; without REPLICA, none ever comes.
semi_sync() {
  sql "$1" "SET GLOBAL rpl_semi_sync_master_timeout = $2" 'SET GLOBAL rpl_semi_sync_master_wait_no_slave = ON' \
    'SET GLOBAL rpl_semi_sync_master_enabled = ON'
  if [[ ${3:-} ]]; then sql "$3" 'SET GLOBAL rpl_semi_sync_slave_enabled = 1'; fi
}
# lossless SOURCE — it waits before a transaction is committed, not after. Other servers do so by default.
lossless() { sql "$1" "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'"; }
# semi_sync_status HOST clients|yes_tx
semi_sync_status() { sql "$1" "SHOW STATUS LIKE 'Rpl_semi_sync_master_$2'" | cut -f2; }
