#!/usr/bin/env bats
# The address helpers on every kind of interface, on crowded ones, and beside one another.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=configure_ip
HELD='OK: IP address is configured'
NOT_HELD='OK: IP address is not configured'

setup() { start_network; }
teardown() { end_network; }

# make NAME ARGUMENT… — an interface of db, as `ip link add` takes it; the test is skipped where the kernel
# has no such kind.
make() {
  in_host db ip link add "$@" 2>"$BATS_TEST_TMPDIR/refused" ||
    skip "this kernel has none: $(head -n 1 "$BATS_TEST_TMPDIR/refused")"
}

# moves_on INTERFACE — an address comes and goes there, for both families.
moves_on() {
  local address
  for address in 10.0.0.1 2001:db8::1; do
    run_helper db check_ip "$1" "$address"
    expect_answer 1 "$NOT_HELD" || return 1
    run_helper db configure_ip "$1" "$address"
    expect_answer 0 OK || return 1
    run_helper db check_ip "$1" "$address"
    expect_answer 0 "$HELD" || return 1
    [[ $(held_by "${1%%:*}") == *"$address/"* ]] || return 1
    run_helper db clear_ip "$1" "$address"
    expect_answer 0 OK || return 1
    run_helper db check_ip "$1" "$address"
    expect_answer 1 "$NOT_HELD" || return 1
  done
}

# is_announced_through_eth0 INTERFACE — what configure_ip sends there reaches the peer.
is_announced_through_eth0() {
  start_capture
  run_helper db configure_ip "$1" 10.0.0.1
  expect_answer 0 OK || return 1
  wait_for 5 has_at_least 2
}

@test "an address moves on a bridge, and is announced through its ports" {
  make br0 type bridge
  in_host db ip link set eth0 master br0
  in_host db ip link set br0 up
  wait_for 20 eval '[[ $(in_host db bridge -j link show dev eth0 | jq -r ".[].state") == forwarding ]]'
  moves_on br0
  is_announced_through_eth0 br0
}

@test "an address moves on a VLAN, and is announced with its tag" {
  make link eth0 name eth0.5 type vlan id 5
  in_host db ip link set eth0.5 up
  moves_on eth0.5
  start_capture
  run_helper db configure_ip eth0.5 10.0.0.1
  wait_for 5 eval '[[ $(tcpdump -nn -e -r "$CAPTURE" vlan 5 2>/dev/null) == *"10.0.0.1"* ]]'
}

@test "an address moves on a bond, and is announced through its active port" {
  make bond0 type bond mode active-backup
  in_host db ip link set eth0 down
  in_host db ip link set eth0 master bond0
  in_host db ip link set bond0 up
  wait_for 10 eval 'in_host db ip -j link show dev bond0 | jq -e ".[].operstate == \"UP\""'
  moves_on bond0
  is_announced_through_eth0 bond0
}

@test "an address moves on an interface of a VRF" {
  make blue type vrf table 10
  in_host db ip link set blue up
  in_host db ip link set eth0 master blue
  moves_on eth0
  is_announced_through_eth0 eth0
}

@test "an address moves on a VRF" {
  make blue type vrf table 10
  in_host db ip link set blue up
  moves_on blue
}

@test "an address moves on a dummy interface" {
  make dummy0 type dummy
  in_host db ip link set dummy0 up
  moves_on dummy0
}

@test "an address moves on a macvlan, and is announced with its own MAC" {
  make link eth0 name mv0 address 02:00:00:00:00:77 type macvlan mode bridge
  in_host db ip link set mv0 up
  moves_on mv0
  is_announced_through_eth0 mv0
  frames | grep -F '02:00:00:00:00:77 > ff:ff:ff:ff:ff:ff'
}

@test "an address moves on the loopback interface, on one without ARP and on a tunnel" {
  moves_on lo
  make ifb0 type ifb
  in_host db ip link set ifb0 up
  moves_on ifb0
  in_host db ip tuntap add tun0 mode tun
  in_host db ip link set tun0 up
  moves_on tun0
}

@test "an address moves on an alias" { moves_on eth0:1; }

@test "an interface is known by an alternative name, too" {
  in_host db ip link property add dev eth0 altname uplink
  moves_on eth0
  run_helper db configure_ip uplink 10.0.0.1
  expect_answer 0 OK
  expect_held 10.0.0.1/32
}

@test "an interface is found among five hundred" {
  seq 1 250 | sed 's/.*/link add left& type veth peer name right&/' | in_host db ip -batch -
  moves_on eth0
}

@test "an address comes and goes among five thousand, and the others stay" {
  local i
  for ((i = 0; i < 5000; i++)); do
    echo "addr add 10.1.$((i / 250)).$((i % 250))/16 dev eth0"
  done | in_host db ip -batch -
  local before
  before=$(held_by eth0)
  moves_on eth0
  # The first of them, with which the kernel would remove all others.
  run_helper db clear_ip eth0 10.1.0.0
  expect_answer 0 OK
  [[ $(held_by eth0) == "${before/10.1.0.0\/16 /}" ]]
}

@test "a hundred clear_ip at once leave nothing behind, and none of them fails" {
  give 10.0.0.1/32
  give 10.0.0.7/24
  local i calls=()
  for ((i = 0; i < 100; i++)); do
    in_host db "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 10.0.0.1 >"$BATS_TEST_TMPDIR/call.$i" 3>&- &
    calls+=($!)
  done
  for i in "${calls[@]}"; do wait "$i"; done
  (($(cat "$BATS_TEST_TMPDIR"/call.* | grep -c -e '^OK$' -e "^$NOT_HELD\$") == 100))
  (($(cat "$BATS_TEST_TMPDIR"/call.* | grep -c '^OK$') >= 1))
  expect_held 10.0.0.7/24
}

@test "adding and removing at once end with what the last one to return has said" {
  give 10.0.0.7/24
  local round i calls
  for round in {1..10}; do
    calls=()
    for i in {1..10}; do
      in_host db "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1 >>"$BATS_TEST_TMPDIR/added" 3>&- &
      calls+=($!)
      in_host db "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 10.0.0.1 >>"$BATS_TEST_TMPDIR/removed" 3>&- &
      calls+=($!)
    done
    # A configure_ip whose address was removed meanwhile says so; nothing else may fail.
    for i in "${calls[@]}"; do wait "$i" || true; done
    run_helper db clear_ip eth0 10.0.0.1
    expect_held 10.0.0.7/24
    wait_for 5 no_announcer
  done
  run grep -vE '^OK|is another program removing it' "$BATS_TEST_TMPDIR/added"
  [[ -z $output ]]
  run grep -v '^OK' "$BATS_TEST_TMPDIR/removed"
  [[ -z $output ]]
}

@test "an interface that goes away during a call never leaves the agent without an answer" {
  local round
  for round in {1..10}; do
    in_host db ip link add name gone0 type veth peer name gone1
    in_host db ip link set gone0 up
    in_host db "$MMM_AGENT_DIR/configure_ip" mmm_agent gone0 10.0.0.1 >"$BATS_TEST_TMPDIR/answer" 3>&- &
    local call=$!
    in_host db ip link del gone0
    wait "$call" || true
    grep -qE '^(OK|ERROR: .*gone0)' "$BATS_TEST_TMPDIR/answer"
  done
}
