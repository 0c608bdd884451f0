#!/usr/bin/env bats
# clear_ip on real interfaces: the address is removed, whatever its prefix length, and nothing else is.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=clear_ip
NOT_HELD='OK: IP address is not configured'
PROMOTE=net.ipv4.conf.eth0.promote_secondaries

setup() {
  start_network
  give 10.0.0.7/24
}
teardown() { end_network; }

@test "clear_ip removes the address and leaves the others alone" {
  give 10.0.0.1/32
  give 10.0.0.11/32
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  [[ $output == OK && -z $stderr ]]
  expect_held '10.0.0.11/32 10.0.0.7/24'
}

@test "clear_ip removes an address with the prefix length with which it is held" {
  local prefix
  for prefix in 8 24 31 32; do
    give "10.0.0.1/$prefix"
    run_helper db clear_ip eth0 10.0.0.1
    expect_answer 0 OK
    expect_held 10.0.0.7/24
  done
}

@test "clear_ip removes an address that is held with several prefix lengths" {
  give 10.0.0.1/32
  give 10.0.0.1/24
  give 10.0.0.1/16
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  expect_held 10.0.0.7/24
}

@test "clear_ip removes a point-to-point address" {
  give 10.0.0.1 peer 10.9.9.9/24
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  expect_held 10.0.0.7/24
}

@test "clear_ip on an address that is not there says so and removes nothing" {
  give 10.0.0.11/32
  give 10.0.0.5/24 broadcast 10.0.0.255
  give 10.0.0.6 peer 10.9.9.9/32
  in_host db ip addr add 10.0.0.1/32 dev lo
  local other
  for other in 10.0.0.1 10.0.0.255 10.9.9.9 0.0.0.11 2001:db8::1; do
    run_helper db clear_ip eth0 "$other"
    expect_answer 0 "$NOT_HELD"
    [[ $output == "$NOT_HELD" && -z $stderr ]]
  done
  expect_held '10.0.0.11/32 10.0.0.5/24 10.0.0.6/32 10.0.0.7/24'
  [[ $(held_by lo) == *10.0.0.1/32* ]]
}

@test "clear_ip keeps the host's own address and route when the role's came first on the interface" {
  in_host db ip addr flush dev eth0
  give 10.0.0.1/24
  give 10.0.0.7/24
  give 10.0.0.8/24
  in_host db ip route add default via 10.0.0.254
  in_host db ip -j addr show dev eth0 | jq -e '.[0].addr_info[] | select(.local == "10.0.0.7") | .secondary'
  in_host db sysctl -q -w "$PROMOTE=0" net.ipv4.conf.all.promote_secondaries=0

  run_helper db clear_ip eth0 10.0.0.1

  expect_answer 0 OK
  expect_held '10.0.0.7/24 10.0.0.8/24'
  in_host db ip -j route show default | jq -e '.[0].gateway == "10.0.0.254"'
  [[ $(in_host db sysctl -n "$PROMOTE") == 0 ]]
}

@test "several calls of clear_ip at once on one interface keep the other addresses of every network" {
  local network calls=() delay=20000
  in_host db ip addr flush dev eth0
  in_host db sysctl -q -w "$PROMOTE=0" net.ipv4.conf.all.promote_secondaries=0
  for network in {1..6}; do
    give "10.1.$network.1/24"
    give "10.1.$network.7/24"
  done
  for network in {1..6}; do
    # Between looking and removing there is a moment, longer for each.
    in_host db strace -f -o /dev/null -e trace=sendto -e "inject=sendto:delay_enter=$((delay * network))" \
      "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 "10.1.$network.1" >"$BATS_TEST_TMPDIR/$network" 3>&- &
    calls+=("$!")
  done
  wait "${calls[@]}"
  [[ $(cat "$BATS_TEST_TMPDIR"/[1-6] | sort -u) == OK ]]
  expect_held '10.1.1.7/24 10.1.2.7/24 10.1.3.7/24 10.1.4.7/24 10.1.5.7/24 10.1.6.7/24'
  [[ $(in_host db sysctl -n "$PROMOTE") == 0 ]]
}

@test "clear_ip leaves the address and says what to do where it cannot keep the others" {
  in_host db ip addr flush dev eth0
  give 10.0.0.1/24
  give 10.0.0.7/24
  in_host db sysctl -q -w "$PROMOTE=0" net.ipv4.conf.all.promote_secondaries=0
  in_host db sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys'

  refuses mmm_agent eth0 10.0.0.1

  [[ $line == *"sysctl -w $PROMOTE=1"* ]]
  expect_held '10.0.0.1/24 10.0.0.7/24'
}

@test "clear_ip keeps the first address of a network when the role's came later" {
  give 10.0.0.1/24
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  expect_held 10.0.0.7/24
}

@test "clear_ip removes an IPv6 address by any spelling" {
  give 2001:db8::1/64 nodad
  give 2001:db8::11/64 nodad
  run_helper db clear_ip eth0 2001:0db8:0::1
  expect_answer 0 OK
  expect_held '10.0.0.7/24 2001:db8::11/64'
}

@test "clear_ip takes back what configure_ip added" {
  local address
  for address in 10.0.0.1 2001:db8::1; do
    run_helper db configure_ip eth0 "$address"
    expect_answer 0 OK
    [[ $(held_by eth0) == *"$address"* ]]
    run_helper db clear_ip eth0 "$address"
    expect_answer 0 OK
    expect_held 10.0.0.7/24
  done
}

@test "clear_ip takes the arguments of MMM 2.0, of 2.2 and of the AWS fork, and an alias for its device" {
  local i
  for i in 1 2 3 4; do give "10.0.0.$i/32"; done
  run_bare db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  run_bare db clear_ip mmm_agent_cluster eth0 10.0.0.2
  expect_answer 0 OK
  run_bare db clear_ip mmm_agent eth0 10.0.0.3 null
  expect_answer 0 OK
  run_bare db clear_ip mmm_agent eth0:1 10.0.0.4
  expect_answer 0 OK
  expect_held 10.0.0.7/24
}

@test "clear_ip on an interface that does not exist has nothing to do" {
  run_helper db clear_ip eth9 10.0.0.1
  expect_answer 0 "$NOT_HELD"
  [[ -z $stderr ]]
  journal_says 'interface eth9 does not exist'
}

@test "clear_ip works on an interface that is down" {
  give 10.0.0.1/32
  in_host db ip link set eth0 down
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  expect_held 10.0.0.7/24
}

@test "clear_ip without CAP_NET_ADMIN is an error that names it, and the address stays" {
  give 10.0.0.1/32
  run in_host db setpriv --bounding-set=-net_admin "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 10.0.0.1
  [[ $status == 255 && $output == 'ERROR: no permission to remove 10.0.0.1/32 from eth0; '*CAP_NET_ADMIN* ]]
  run in_host db setpriv --bounding-set=-net_admin "$MMM_AGENT_DIR/clear_ip" --dry-run mmm_agent eth0 10.0.0.1
  [[ $status == 255 && $output == *'ERROR: no permission to remove 10.0.0.1/32 from eth0; '*CAP_NET_ADMIN* ]]
  expect_held '10.0.0.1/32 10.0.0.7/24'
}

@test "the agent reads clear_ip's answers" {
  give 10.0.0.1/24
  agent_call --joined db clear_ip eth0 10.0.0.1
  expect_agent_read 0 OK
  agent_call db clear_ip eth0 10.0.0.1
  expect_agent_read 0 "$NOT_HELD"
  agent_call db clear_ip eth0 10.0.0.256
  expect_agent_read 255 'ERROR: *'
}

@test "clear_ip called with a wrong number of arguments prints its usage and a blank line" {
  local arguments
  for arguments in '' eth0 'mmm_agent eth0 10.0.0.7 null more'; do
    # shellcheck disable=SC2086
    run_bare db clear_ip $arguments
    expect_answer 1 "Usage: $MMM_AGENT_DIR/clear_ip <config_file> <interface> <ip>"
    [[ $(tail -c 2 "$BATS_TEST_TMPDIR/stdout" | od -An -tx1 | tr -d ' ') == 0a0a && -z $stderr ]]
  done
  expect_held 10.0.0.7/24
}

@test "clear_ip with an empty argument ends with an error" {
  refuses mmm_agent eth0 ''
  refuses mmm_agent '' 10.0.0.7
  refuses '' eth0 10.0.0.7
  refuses eth0 ''
  expect_held 10.0.0.7/24
}

@test "clear_ip refuses what is no interface and no address, with one line, and removes nothing" {
  give 10.0.0.1/24
  local text
  for text in "${HOSTILE[@]}" "${NO_ADDRESS[@]}"; do refuses mmm_agent eth0 "$text"; done
  for text in "${HOSTILE[@]}"; do refuses mmm_agent "$text" 10.0.0.1; done
  expect_held '10.0.0.1/24 10.0.0.7/24'
  in_host db test ! -e /tmp/hostile
}

@test "clear_ip needs no configuration and no environment" {
  give 10.0.0.1/32
  give 10.0.0.2/32
  run_bare db clear_ip no_such_configuration eth0 10.0.0.1
  expect_answer 0 OK
  run in_host db env -i "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 10.0.0.2
  [[ $status == 0 && $output == OK ]]
  expect_held 10.0.0.7/24
}

@test "clear_ip whose answer cannot be written ends neither as done nor as 255 beside silence" {
  give 10.0.0.1/32
  give 10.0.0.2/32
  run in_host db sh -c '"$0" mmm_agent eth0 10.0.0.1 >/dev/full' "$MMM_AGENT_DIR/clear_ip"
  [[ $status == 2 && -z $output ]]
  run in_host db sh -c '"$0" mmm_agent eth0 10.0.0.2 >&-' "$MMM_AGENT_DIR/clear_ip"
  [[ $status == 0 && -z $output ]]
  expect_held 10.0.0.7/24
}
