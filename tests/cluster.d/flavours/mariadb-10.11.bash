# shellcheck shell=bash disable=SC2034
# MariaDB 10.11 as Debian 12 packages it.
# A flavour says where a server comes from, which programs it has, how an empty data folder is made, how the
# server is started, and in which words it is told to replicate.
# shellcheck source=tests/cluster.d/flavours/family/mariadb.bash
. "$CLUSTER_LIB/flavours/family/mariadb.bash"

SERVER=(mariadbd)
CLIENT=(mariadb --no-defaults)

# The grants of MMM's guide; 10.11 took setting read_only out of SUPER.
AGENT_GRANTS=('SUPER, REPLICATION CLIENT, PROCESS ON *.*' 'READ_ONLY ADMIN ON *.*')

# flavour_bootstrap DATA TMP
flavour_bootstrap() {
  mariadb-install-db --no-defaults --user=root --auth-root-authentication-method=normal --skip-test-db \
    --skip-name-resolve --datadir="$1" --tmpdir="$2" \
    --innodb-data-file-path=ibdata1:4M:autoextend --innodb-log-file-size=4M
}
