# shellcheck shell=bash disable=SC2034
# MariaDB 10.11 as Debian 12 packages it.
# A flavour says where a server comes from, which programs it has, how an empty data folder is made, how the
# server is started, and in which words it is told to replicate.
# shellcheck source=tests/cluster.d/flavours/family/mariadb.bash
. "$CLUSTER_LIB/flavours/family/mariadb.bash"

SERVER=(mariadbd)
CLIENT=(mariadb --no-defaults)
LOG_READER=(mariadb-binlog --no-defaults)

# Those of the package mariadb-server, which starts a server; where that is not installed, tests/deps brings them alone.
PLUGINS=/usr/lib/mysql/plugin
if [[ ! -e $PLUGINS/auth_ed25519.so ]]; then
  PLUGINS=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mmm-agent-helpers/servers/mariadb-10.11-plugins
fi
if [[ -d $PLUGINS ]]; then OWN_SETTINGS="plugin_dir = $PLUGINS"; fi

# The grants of MMM's guide; 10.11 took setting read_only out of SUPER.
AGENT_GRANTS=('SUPER, REPLICATION CLIENT, PROCESS ON *.*' 'READ_ONLY ADMIN ON *.*')

# flavour_bootstrap DATA TMP
flavour_bootstrap() {
  mariadb-install-db --no-defaults --user=root --auth-root-authentication-method=normal --skip-test-db \
    --skip-name-resolve --datadir="$1" --tmpdir="$2" \
    --innodb-data-file-path=ibdata1:4M:autoextend --innodb-log-file-size=4M
}
