# shellcheck shell=bash disable=SC2034
# MariaDB 10.5, of Debian 11.
# shellcheck source=tests/cluster.d/flavours/family/mariadb.bash
. "$CLUSTER_LIB/flavours/family/mariadb.bash"
# shellcheck source=tests/cluster.d/flavours/family/unpacked.bash
. "$CLUSTER_LIB/flavours/family/unpacked.bash"

FETCH='tests/fetch-server mariadb-10.5'
flavour_fetch() { from_debian "$1" bullseye mariadb-server,mariadb-client; }

unpacked mariadb-10.5
SERVER=("${RUN[@]}" "$TREE/usr/sbin/mariadbd")
CHARSETS=$TREE/usr/share/mysql/charsets
CLIENT=("${RUN[@]}" "$TREE/usr/bin/mariadb" --no-defaults --character-sets-dir="$CHARSETS")
DUMP=("${RUN[@]}" "$TREE/usr/bin/mariadb-dump" --no-defaults --character-sets-dir="$CHARSETS")
OWN_SETTINGS="basedir = $TREE/usr
lc_messages_dir = $TREE/usr/share/mysql
character_sets_dir = $CHARSETS
plugin_dir = $TREE/usr/lib/mysql/plugin"

# The guide's grants do as well here; these are narrower.
AGENT_GRANTS=(
  'PROCESS ON *.*'
  'BINLOG MONITOR ON *.*'
  'SLAVE MONITOR ON *.*'
  'REPLICATION SLAVE ADMIN ON *.*'
  'READ_ONLY ADMIN ON *.*'
  'CONNECTION ADMIN ON *.*'
)

flavour_bootstrap() { bootstrap_mariadb "$TREE/usr/share/mysql" "$1" "$2"; }
