#!/usr/bin/env bats
# The sample etc/systemd/…/hardening.conf leaves the helpers what they need, and nothing is in it that they do not
# need: what it says of rights and folders, made of unshare and setpriv, because a test has no systemd.

AGENT_DIR=${MMM_AGENT_DIR:-$BATS_TEST_DIRNAME/../target/release}
SAMPLE=$BATS_TEST_DIRNAME/../etc/systemd/mysql-mmm-agent.service.d/hardening.conf

of_sample() { sed -n "s/^$1=//p" "$SAMPLE"; }

# hardened WITHOUT COMMAND… — in a network and with folders of its own; WITHOUT is a right that is taken away, too.
hardened() {
  local capability rights=-all without=$1
  shift
  for capability in $(of_sample CapabilityBoundingSet); do
    capability=${capability#CAP_}
    if [[ ${capability,,} != "$without" ]]; then rights+=,+${capability,,}; fi
  done
  WRITABLE="$(of_sample ReadWritePaths) /var/lib/$(of_sample StateDirectory)" RIGHTS=$rights \
    unshare --net --mount bash -euc '
      mount -t tmpfs tmpfs /run
      mount -t tmpfs tmpfs /var/log
      mount -t tmpfs tmpfs /var/lib
      for folder in $WRITABLE; do
        mkdir -p "$folder"
        mount --bind "$folder" "$folder"
      done
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
