# shellcheck shell=bash disable=SC2034
# Who is in a cluster, where it keeps its state, and which addresses and accounts it uses.
# Everything here is a name; nothing is done.

# db1 and db2 are the masters; there may be up to three slaves.
HOSTS=(db1 db2 db3 db4 db5)
HOSTS=("${HOSTS[@]:0:${MMM_HOSTS:-3}}")

# Several clusters may exist side by side: each has its own namespaces, so all use the same addresses.
MMM_CLUSTER=${MMM_CLUSTER:-default}
CLUSTER_DIR=/tmp/mmm-cluster-$MMM_CLUSTER
CACHE_DIR=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mmm-agent-helpers/cluster

# `file`: replicas keep file and position. `gtid`: MariaDB's slave_pos, MySQL's auto-position.
MMM_REPLICATION=${MMM_REPLICATION:-file}
# A file in cluster.d/flavours.
MMM_SERVER=${MMM_SERVER:-mariadb-10.11}

NETWORK=10.77.0
PREFIX=24
# The bridge itself carries this address and is where clients run.
CLIENT_IP=$NETWORK.1
WRITER_IP=$NETWORK.100
READER_IPS=("$NETWORK.101" "$NETWORK.102" "$NETWORK.103")

AGENT_USER=mmm_agent AGENT_PASSWORD=agent_secret
MONITOR_USER=mmm_monitor MONITOR_PASSWORD=monitor_secret
REPLICATION_USER=replication REPLICATION_PASSWORD=replication_secret
# An account of an application: every right on its own schema, none on the server.
APP_USER=app APP_PASSWORD=app_secret

host_number() { printf '%s\n' "${1#db}"; }

host_ip() {
  case $1 in
    client) printf '%s\n' "$CLIENT_IP" ;;
    *) printf '%s.1%s\n' "$NETWORK" "${1#db}" ;;
  esac
}

# The host from which a host replicates when the cluster comes up.
host_source() {
  case $1 in
    db1) echo db2 ;;
    *) echo db1 ;;
  esac
}

host_dir() { printf '%s/%s\n' "$CLUSTER_DIR" "$1"; }

is_host() {
  local host
  for host in "${HOSTS[@]}"; do
    [[ $host == "$1" ]] && return 0
  done
  return 1
}

fail() {
  printf 'tests/cluster: %s\n' "$*" >&2
  return 1
}
