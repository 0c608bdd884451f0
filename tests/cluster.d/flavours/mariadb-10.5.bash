# shellcheck shell=bash disable=SC2034
# MariaDB 10.5, of Debian 11.
# shellcheck source=tests/cluster.d/flavours/family/mariadb.bash
. "$CLUSTER_LIB/flavours/family/mariadb.bash"
# shellcheck source=tests/cluster.d/flavours/family/unpacked.bash
. "$CLUSTER_LIB/flavours/family/unpacked.bash"

FETCH='tests/fetch-server mariadb-10.5'
flavour_fetch() { from_debian "$1" bullseye mariadb-server,mariadb-client; }

unpacked_mariadb mariadb-10.5 usr/share/mysql

# The guide's grants would be enough here; these are narrower.
AGENT_GRANTS=("${NARROW_GRANTS[@]}")

flavour_bootstrap() { bootstrap_mariadb "$1" "$2"; }
