# shellcheck shell=bash disable=SC2034
# MariaDB 11.8, of Debian 13.
# shellcheck source=tests/cluster.d/flavours/family/mariadb.bash
. "$CLUSTER_LIB/flavours/family/mariadb.bash"
# shellcheck source=tests/cluster.d/flavours/family/unpacked.bash
. "$CLUSTER_LIB/flavours/family/unpacked.bash"

FETCH='tests/fetch-server mariadb-11.8'
flavour_fetch() { from_debian "$1" trixie mariadb-server,mariadb-client; }

unpacked mariadb-11.8
SERVER=("${RUN[@]}" "$TREE/usr/sbin/mariadbd")
CHARSETS=$TREE/usr/share/mariadb/charsets
CLIENT=("${RUN[@]}" "$TREE/usr/bin/mariadb" --no-defaults --character-sets-dir="$CHARSETS")
DUMP=("${RUN[@]}" "$TREE/usr/bin/mariadb-dump" --no-defaults --character-sets-dir="$CHARSETS")
OWN_SETTINGS="basedir = $TREE/usr
lc_messages_dir = $TREE/usr/share/mariadb
character_sets_dir = $CHARSETS
plugin_dir = $TREE/usr/lib/mysql/plugin
innodb_undo_tablespaces = 0"

# SUPER holds next to nothing any more.
AGENT_GRANTS=(
  'PROCESS ON *.*'
  'BINLOG MONITOR ON *.*'
  'SLAVE MONITOR ON *.*'
  'REPLICATION SLAVE ADMIN ON *.*'
  'READ_ONLY ADMIN ON *.*'
  'CONNECTION ADMIN ON *.*'
)

flavour_bootstrap() { bootstrap_mariadb "$TREE/usr/share/mariadb" "$1" "$2" --innodb-undo-tablespaces=0; }
