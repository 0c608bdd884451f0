# shellcheck shell=bash
# Everything that the cluster program and the tests' library share.
CLUSTER_LIB=${CLUSTER_LIB:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}
# shellcheck source=tests/cluster.d/place.bash
. "$CLUSTER_LIB/place.bash"
# shellcheck source=tests/cluster.d/host.bash
. "$CLUSTER_LIB/host.bash"
# shellcheck source=tests/cluster.d/configuration.bash
. "$CLUSTER_LIB/configuration.bash"
# shellcheck source=tests/cluster.d/server.bash
. "$CLUSTER_LIB/server.bash"
# shellcheck source=tests/cluster.d/cluster.bash
. "$CLUSTER_LIB/cluster.bash"
recall_kind
if [[ ! -r $CLUSTER_LIB/flavours/$MMM_SERVER.bash ]]; then
  fail "MMM_SERVER=$MMM_SERVER: there is no such file in tests/cluster.d/flavours"
  exit 2
fi
# shellcheck source=tests/cluster.d/flavours/mariadb-10.11.bash
. "$CLUSTER_LIB/flavours/$MMM_SERVER.bash"
