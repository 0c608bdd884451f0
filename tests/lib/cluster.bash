# shellcheck shell=bash disable=SC2034
# What a bats file needs to call helpers on a cluster and to see what they did.
#   load ../lib/cluster
#   setup_file() { cluster_for_file; }      teardown_file() { end_cluster; }
#   setup() { reset_cluster; }              teardown() { dump_on_failure; }

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The helpers under test: this project's, or a folder with the originals.
export MMM_AGENT_DIR=${MMM_AGENT_DIR:-$REPOSITORY/target/release}
# shellcheck source=tests/cluster.d/all.bash
. "$REPOSITORY/tests/cluster.d/all.bash"
# shellcheck source=tests/lib/untraced.bash
. "$REPOSITORY/tests/lib/untraced.bash"
# shellcheck source=tests/lib/calls.bash
. "$REPOSITORY/tests/lib/calls.bash"
# shellcheck source=tests/lib/observe.bash
. "$REPOSITORY/tests/lib/observe.bash"
# shellcheck source=tests/lib/faults.bash
. "$REPOSITORY/tests/lib/faults.bash"

# use_cluster NAME — the functions here speak of that cluster from now on.
use_cluster() {
  untraced
  export MMM_CLUSTER=$1 MMM_REPLICATION MMM_SERVER
  CLUSTER_DIR=/tmp/mmm-cluster-$MMM_CLUSTER
}

# A cluster of this test file's own.
cluster_for_file() {
  local file=${BATS_TEST_FILENAME##*/}
  use_cluster "${MMM_CLUSTER_PREFIX:-bats-$$}-${file%.bats}"
  cluster_up
}

end_cluster() { cluster_down; }

# Data, replication, addresses, configuration, journals and packet filters as after cluster_for_file.
reset_cluster() {
  untraced
  cluster_reset
}
