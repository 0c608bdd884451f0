# shellcheck shell=bash disable=SC2034
# MySQL 9, of Debian's unstable distribution.
# shellcheck source=tests/cluster.d/flavours/family/mysql.bash
. "$CLUSTER_LIB/flavours/family/mysql.bash"
# shellcheck source=tests/cluster.d/flavours/family/unpacked.bash
. "$CLUSTER_LIB/flavours/family/unpacked.bash"

FETCH='tests/fetch-server mysql-9'
flavour_fetch() {
  # That distribution's index is sometimes older than it says it may be.
  from_debian "$1" sid mysql-server-core,mysql-client-core --aptopt='Acquire::Check-Valid-Until "false"'
}

unpacked mysql-9
SERVER=("${RUN[@]}" "$TREE/usr/sbin/mysqld")
CLIENT=("${RUN[@]}" "$TREE/usr/bin/mysql" --no-defaults)
LOG_READER=("${RUN[@]}" "$TREE/usr/bin/mysqlbinlog" --no-defaults --character-sets-dir="$TREE/usr/share/mysql/charsets")
OWN_SETTINGS="basedir = $TREE/usr
lc_messages_dir = $TREE/usr/share/mysql
character_sets_dir = $TREE/usr/share/mysql/charsets
plugin_dir = $TREE/usr/lib/mysql/plugin
mysqlx = OFF
innodb_redo_log_capacity = 8M"
# Accounts have caching_sha2_password, which wants a key where there is no TLS.
SOURCE_OPTIONS='GET_MASTER_PUBLIC_KEY = 1,'
WORDS+="
s/CHANGE MASTER ('(''|[^'])*') TO ([^;]*)/CHANGE MASTER TO \\3 FOR CHANNEL \\1/g
s/(START|STOP) SLAVE ('(''|[^'])*')/\\1 REPLICA FOR CHANNEL \\2/g
s/(SHOW|RESET) SLAVE ('(''|[^'])*') (STATUS|ALL)/\\1 REPLICA \\4 FOR CHANNEL \\2/g
s/(START|STOP|SHOW|RESET) SLAVE/\\1 REPLICA/g
s/CHANGE MASTER TO/CHANGE REPLICATION SOURCE TO/g
s/MASTER_([A-Z_]+ *=)/SOURCE_\\1/g
s/SHOW MASTER STATUS/SHOW BINARY LOG STATUS/g
s/RESET MASTER/RESET BINARY LOGS AND GTIDS/g
s/MASTER_POS_WAIT/SOURCE_POS_WAIT/g
s/Slave_open_temp_tables/Replica_open_temp_tables/g
s/slave_parallel_workers/replica_parallel_workers/g
s/slave_checkpoint_period/replica_checkpoint_period/g"

flavour_fields() { sed -E 's/^( *)([A-Za-z_]*)Source/\1\2Master/; s/^( *)Replica_/\1Slave_/'; }

LACKS=early_stop
NAMED[kill]='CONNECTION_ADMIN, SYSTEM_USER'
OWN_STATUS="SHOW SLAVE '' STATUS"
if [[ $MMM_REPLICATION == gtid ]]; then LACKS+=' pass_over'; fi

AGENT_GRANTS=(
  'PROCESS ON *.*'
  'REPLICATION CLIENT ON *.*'
  'REPLICATION SLAVE ON *.*'
  'REPLICATION_SLAVE_ADMIN ON *.*'
  'SYSTEM_VARIABLES_ADMIN ON *.*'
  'CONNECTION_ADMIN ON *.*'
  'SYSTEM_USER ON *.*'
  'XA_RECOVER_ADMIN ON *.*'
  'SELECT ON performance_schema.*'
)
NARROW_GRANTS=("${AGENT_GRANTS[@]}")
AGENT_DEEDS+=(
  'SET GLOBAL super_read_only = 0'
  'SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker'
)

KEEPS_ORDER=replica_preserve_commit_order

# flavour_bootstrap DATA TMP
flavour_bootstrap() {
  "${SERVER[@]}" --no-defaults --initialize-insecure --user=root --datadir="$1" --tmpdir="$2" \
    --basedir="$TREE/usr" --lc-messages-dir="$TREE/usr/share/mysql" --plugin-dir="$TREE/usr/lib/mysql/plugin" \
    --character-sets-dir="$TREE/usr/share/mysql/charsets" --mysqlx=OFF --secure-file-priv= \
    --innodb-redo-log-capacity=8M
}
