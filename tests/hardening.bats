#!/usr/bin/env bats
# The sample etc/systemd/…/hardening.conf leaves the helpers what they need: what it says of rights and folders, made of
# unshare and setpriv, because a test has no systemd. The helpers for addresses run in a network of their own, those for
# servers in a cluster. Not tried: system calls and address families that the sample closes, /home, and blocking_type
# soft.

load lib/cluster

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }

AGENT_DIR=${MMM_AGENT_DIR:-$BATS_TEST_DIRNAME/../target/release}
SAMPLE=$BATS_TEST_DIRNAME/../etc/systemd/mysql-mmm-agent.service.d/hardening.conf

of_sample() { sed -n "s/^$1=//p" "$SAMPLE"; }

# Makes folders writable as systemd does: STATE is made; one of WRITABLE that is missing keeps the service from starting
# (226), unless its name has a minus.
AS_SYSTEMD='
  mkdir -p "$STATE"
  for folder in $STATE $WRITABLE; do
    if [[ $folder == -* && ! -e ${folder#-} ]]; then continue; fi
    [[ -e ${folder#-} ]] || exit 226
    mount --bind "${folder#-}" "${folder#-}"
  done'

# rights_without RIGHT — the sample's, for setpriv, but that one.
rights_without() {
  local capability rights=-all
  for capability in $(of_sample CapabilityBoundingSet); do
    capability=${capability#CAP_}
    if [[ ${capability,,} != "$1" ]]; then rights+=,+${capability,,}; fi
  done
  echo "$rights"
}

# hardened WITHOUT COMMAND… — in a network and with folders of its own; WITHOUT is a right that is taken away, too.
hardened() {
  local rights
  rights=$(rights_without "$1")
  shift
  WRITABLE=$(of_sample ReadWritePaths) STATE=/var/lib/$(of_sample StateDirectory) RIGHTS=$rights \
    AS_SYSTEMD=$AS_SYSTEMD WITHOUT_JOURNAL=${WITHOUT_JOURNAL:-} unshare --net --mount bash -euc '
      mount -t tmpfs tmpfs /run
      mount -t tmpfs tmpfs /var/log
      mount -t tmpfs tmpfs /var/lib
      if [[ -z $WITHOUT_JOURNAL ]]; then mkdir /var/log/mysql-mmm; fi
      eval "$AS_SYSTEMD"
      mount -o remount,ro,bind /var/log
      mount -o remount,ro,bind /var/lib
      mount -o remount,ro,bind /
      ip link set lo up
      ip link add eth7 type veth peer name other
      ip link set eth7 up
      ip link set other up
      exec setpriv --no-new-privs --bounding-set "$RIGHTS" --inh-caps "$RIGHTS" "$@"
    ' bash "$@"
}

# called_by_agent HOST HELPER ARGUMENTS… — on a host of the cluster, under the sample, with the agent's configuration.
called_by_agent() {
  local host=$1 helper=$2
  shift 2
  in_host "$host" env WRITABLE="$(of_sample ReadWritePaths)" STATE="/var/lib/$(of_sample StateDirectory)" \
    AS_SYSTEMD="$AS_SYSTEMD" RIGHTS="$(rights_without none)" unshare --mount bash -euc '
      mkdir -p /var/log/mysql-mmm
      eval "$AS_SYSTEMD"
      for folder in /var/log /var/lib /etc /; do mount -o remount,ro,bind "$folder"; done
      ! touch /var/log/other /var/lib/other /etc/other /other 2>/dev/null || exit 99
      exec setpriv --no-new-privs --bounding-set "$RIGHTS" --inh-caps "$RIGHTS" "$@"
    ' bash "$AGENT_DIR/$helper" mmm_agent "$@"
}

# The answers of a host that gets an address and gives it up, and what is written meanwhile.
script='cd /
  "$0"/configure_ip mmm_agent eth7 192.0.2.7 2>&1
  "$0"/check_ip mmm_agent eth7 192.0.2.7
  "$0"/clear_ip mmm_agent eth7 192.0.2.7
  "$0"/check_ip mmm_agent eth7 192.0.2.7
  grep -c "clear_ip" /var/log/mysql-mmm/mmm_helpers.log
  ! touch /var/log/other /var/lib/other /other 2>/dev/null && echo closed'

@test "under the sample, addresses come and go, and the journal is written" {
  run hardened none bash -c "$script" "$AGENT_DIR"
  [ "${lines[0]}" = OK ]
  [ "${lines[1]}" = 'OK: IP address is configured' ]
  [ "${lines[2]}" = OK ]
  [ "${lines[3]}" = 'OK: IP address is not configured' ]
  [ "${lines[4]}" -gt 0 ]
  [ "${lines[5]}" = closed ]
}

@test "under the sample, the service starts and the helpers answer on a host whose journal's folder is gone" {
  WITHOUT_JOURNAL=yes run hardened none "$AGENT_DIR/check_ip" mmm_agent eth7 192.0.2.7
  echo "$status: $output"
  [ "$status" -eq 1 ]
  [ "${lines[-1]}" = 'OK: IP address is not configured' ]
}

@test "without CAP_NET_ADMIN no address can be added: the sample names it for a reason" {
  run hardened net_admin "$AGENT_DIR/configure_ip" mmm_agent eth7 192.0.2.7
  [ "$status" -eq 255 ]
  [[ $output == *'ERROR: '* ]]
}

@test "without CAP_NET_RAW the address is added, and the journal says that nobody was told" {
  script='"$0"/configure_ip mmm_agent eth7 192.0.2.7; cat /var/log/mysql-mmm/mmm_helpers.log'
  run hardened net_raw bash -c "$script" "$AGENT_DIR"
  [[ $output == *CAP_NET_RAW* || $output == *'not permitted'* ]]
}

@test "under the sample, a server is closed and opened, and slaves follow the new writer" {
  for call in 'db1 mysql_deny_write' 'db3 set_active_master db2' 'db2 sync_with_master' 'db2 mysql_may_write' \
    'db2 mysql_allow_write' 'db3 turn_off_slave' 'db3 turn_on_slave'; do
    read -ra words <<<"$call"
    run called_by_agent "${words[@]}"
    echo "$call: $status: $output"
    [[ $(tail -n 1 <<<"$output") == OK* && $status != 255 && $status != 99 ]]
  done
  [ "$(sql db1 'SELECT @@read_only')" = 1 ]
  [ "$(sql db2 'SELECT @@read_only')" = 0 ]
  [[ $(sql db3 'SHOW SLAVE STATUS') == *"$(host_ip db2)"* ]]
  in_host db2 grep -q mysql_allow_write /var/log/mysql-mmm/mmm_helpers.log
}
