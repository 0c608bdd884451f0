# shellcheck shell=bash disable=SC2034
# What all versions of MySQL share. A flavour sets SERVER, CLIENT, AGENT_GRANTS and NARROW_GRANTS beside it.
# shellcheck source=tests/cluster.d/flavours/family/any.bash
. "$CLUSTER_LIB/flavours/family/any.bash"

FAMILY=MySQL
# Clusters that keep file and position run with gtid_mode=OFF.
FILE_HAS_GTIDS=
TEMPLATE_OPTIONS=(--skip-log-bin --gtid-mode=OFF --enforce-gtid-consistency=OFF)
SERVER_GTIDS=@@GLOBAL.gtid_executed
# An account may have the same name, but not from such a host.
REPLICATION_THREADS="user = 'system user' AND host IN ('', 'connecting host')"
declare -gA PRIVILEGE=([sessions]='PROCESS' [log]='REPLICATION CLIENT' [status]='REPLICATION CLIENT'
  [replication]='REPLICATION_SLAVE_ADMIN' [read_only]='SYSTEM_VARIABLES_ADMIN' [kill]='CONNECTION_ADMIN')
# What helpers do with the agent's account; tests/lib/flavours.bats compares it with the grants.
AGENT_DEEDS=(
  'SHOW SLAVE STATUS' 'STOP SLAVE' 'CHANGE MASTER TO MASTER_CONNECT_RETRY = 1' 'START SLAVE' 'STOP SLAVE SQL_THREAD'
  'SET GLOBAL read_only = 0' 'SET GLOBAL read_only = 1'
  'SHOW MASTER STATUS' 'SHOW BINARY LOGS' 'SHOW BINLOG EVENTS LIMIT 1'
  'SELECT @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged, @@GLOBAL.gtid_mode'
  "SELECT MASTER_POS_WAIT('binlog.000001', 4, 1)" "SHOW GLOBAL STATUS LIKE 'Slave_open_temp_tables'"
  'SELECT COUNT(*) FROM information_schema.innodb_trx' "SELECT GET_LOCK('mmm_agent_helpers.writes', 1)"
  'SET SESSION lock_wait_timeout = 1' 'XA RECOVER'
)
# sed's commands from MariaDB's words to MySQL's.
WORDS='s/ALL SLAVES/SLAVE/g
s/MASTER_USE_GTID = slave_pos/MASTER_AUTO_POSITION = 1/g
s/MASTER_USE_GTID = no/MASTER_AUTO_POSITION = 0/g'

flavour_words() {
  if [[ ${words,,} == *@(master|slave)* ]]; then words=$(sed -Ez "$WORDS" <<<"$words"); fi
}

# flavour_settings — lines of the configuration file that only MySQL has, or has with other values.
flavour_settings() {
  local gtid=OFF
  [[ $MMM_REPLICATION == gtid ]] && gtid=ON
  cat <<EOS
gtid_mode = $gtid
enforce_gtid_consistency = $gtid
innodb_data_file_path = ibdata1:12M:autoextend
# Empty is anywhere; the folder that was built in is not there.
secure_file_priv =
EOS
}

# How the host keeps its position: `file` or `gtid`. Reads replication's status in vertical form.
flavour_mode() { awk '$1 == "Auto_Position:" { print ($2 == 0 ? "file" : "gtid") }'; }

# flavour_forget HOST — replication, the log, and which transactions the host has.
flavour_forget() { sql "$1" 'STOP ALL SLAVES' 'RESET SLAVE ALL' 'RESET MASTER'; }

# gtid_of HOST — a pattern for one GTID of what was written there; without HOST, anywhere.
gtid_of() {
  # Its server may be down.
  if (($#)); then echo "$(sed -n 's/^server-uuid=//p' "$(host_dir "$1")/data/auto.cnf"):*"; else echo '*-*:*'; fi
}

heartbeat_period() {
  sql "$1" 'SELECT heartbeat_interval FROM performance_schema.replication_connection_configuration'
}

# leave_out HOST TABLE — HOST's replication ignores that table, `database.table`.
leave_out() { sql "$1" 'STOP SLAVE' "CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ($2)" 'START SLAVE'; }

# apply_in_parallel HOST — with four threads, as soon as the SQL thread is started.
apply_in_parallel() { sql "$1" 'SET GLOBAL slave_parallel_workers = 4'; }

# The variable that keeps parallel appliers in their master's order, where there is one.
KEEPS_ORDER=

# in_any_order HOST — applies in parallel and commits in whatever order; in_order HOST ends it.
in_any_order() { apply_in_parallel "$1" && keep_order "$1" OFF; }
in_order() { keep_order "$1" ON; }
keep_order() { sql "$1" 'STOP SLAVE' ${KEEPS_ORDER:+"SET GLOBAL $KEEPS_ORDER = $2"} 'START SLAVE'; }

# semi_sync SOURCE TIMEOUT [REPLICA] — SOURCE waits for REPLICA's acknowledgement; without REPLICA, none ever comes.
semi_sync() {
  sql "$1" "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'" \
    "SET GLOBAL rpl_semi_sync_source_timeout = $2" 'SET GLOBAL rpl_semi_sync_source_enabled = ON'
  if [[ ${3:-} ]]; then
    sql "$3" "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'" \
      'SET GLOBAL rpl_semi_sync_replica_enabled = 1'
  fi
}
lossless() { [[ $(sql "$1" 'SELECT @@rpl_semi_sync_source_wait_point') == AFTER_SYNC ]]; }
# semi_sync_status HOST clients|yes_tx
semi_sync_status() { sql "$1" "SHOW STATUS LIKE 'Rpl_semi_sync_source_$2'" | cut -f2; }
