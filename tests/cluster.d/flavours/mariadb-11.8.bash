# shellcheck shell=bash disable=SC2034
# MariaDB 11.8, of Debian 13.
# shellcheck source=tests/cluster.d/flavours/family/mariadb.bash
. "$CLUSTER_LIB/flavours/family/mariadb.bash"
# shellcheck source=tests/cluster.d/flavours/family/unpacked.bash
. "$CLUSTER_LIB/flavours/family/unpacked.bash"

FETCH='tests/fetch-server mariadb-11.8'
flavour_fetch() { from_debian "$1" trixie mariadb-server,mariadb-client; }

unpacked_mariadb mariadb-11.8 usr/share/mariadb
OWN_SETTINGS+=$'\ninnodb_undo_tablespaces = 0'

# SUPER includes hardly anything any more.
AGENT_GRANTS=("${NARROW_GRANTS[@]}")

flavour_bootstrap() { bootstrap_mariadb "$1" "$2" --innodb-undo-tablespaces=0; }
