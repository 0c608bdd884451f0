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
DUMP=("${RUN[@]}" "$TREE/usr/bin/mysqldump" --no-defaults --set-gtid-purged=OFF --column-statistics=0)
OWN_SETTINGS="basedir = $TREE/usr
lc_messages_dir = $TREE/usr/share/mysql
character_sets_dir = $TREE/usr/share/mysql/charsets
plugin_dir = $TREE/usr/lib/mysql/plugin
mysqlx = OFF
log_replica_updates = 1
replica_net_timeout = 4
innodb_redo_log_capacity = 8M"
# Accounts have caching_sha2_password, which wants a key where there is no TLS; and ten attempts, the server's
# own number, are over in ten seconds here.
SOURCE_OPTIONS='GET_SOURCE_PUBLIC_KEY = 1, SOURCE_RETRY_COUNT = 86400,'
replication_words

AGENT_GRANTS=(
  'PROCESS ON *.*'
  'REPLICATION CLIENT ON *.*'
  'REPLICATION SLAVE ON *.*'
  'REPLICATION_SLAVE_ADMIN ON *.*'
  'SYSTEM_VARIABLES_ADMIN ON *.*'
  'CONNECTION_ADMIN ON *.*'
  'XA_RECOVER_ADMIN ON *.*'
  'SELECT ON performance_schema.*'
)
AGENT_DEEDS+=(
  'SET GLOBAL super_read_only = 0'
  'SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker'
)

# flavour_bootstrap DATA TMP
flavour_bootstrap() {
  "${SERVER[@]}" --no-defaults --initialize-insecure --user=root --datadir="$1" --tmpdir="$2" \
    --basedir="$TREE/usr" --lc-messages-dir="$TREE/usr/share/mysql" --plugin-dir="$TREE/usr/lib/mysql/plugin" \
    --character-sets-dir="$TREE/usr/share/mysql/charsets" --mysqlx=OFF --secure-file-priv= \
    --innodb-redo-log-capacity=8M
}
