#!/usr/bin/env bats
# network.probe: asking, before an IPv4 address is added, whether another host has it.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=configure_ip

setup() {
  start_network
  give 10.0.0.7/24
}
teardown() { end_network; }

# probe [TIME]
probe() { settings "network: {probe: ${1:-300ms}}"; }

@test "without network.probe nobody is asked, as in the original" {
  in_host peer ip addr add 10.0.0.1/32 dev eth0
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
}

@test "an address that another host answers for is an error that names its MAC, and is not added" {
  probe 1s
  in_host peer ip link set eth0 address 02:00:00:00:00:99
  in_host peer ip addr add 10.0.0.1/32 dev eth0
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'Could not configure ip adress 10.0.0.1 on interface eth0! '*'02:00:00:00:00:99'* ]]
  ((milliseconds < 900))
  expect_held 10.0.0.7/24
}

@test "a free address is asked for three times within the probe's time, then added and announced" {
  probe
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  ((milliseconds >= 300 && milliseconds < 1000))
  expect_held '10.0.0.1/32 10.0.0.7/24'
  wait_for 10 no_announcer
  wait_for 5 has_frames 10
  local asked
  asked=$(tcpdump -nn -e -r "$CAPTURE" 'arp[14:4] = 0 and arp[24:4] = 0x0a000001' 2>/dev/null)
  (($(grep -cF '02:00:00:00:00:db > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.1 tell 0.0.0.0' <<<"$asked") == 3))
}

@test "nobody's ARP table is changed by a probe that finds another owner" {
  probe
  in_host peer ip addr add 10.0.0.1/32 dev eth0
  refuses mmm_agent eth0 10.0.0.1
  in_host peer ip -j neigh show | jq -e 'all(.[]; .dst != "10.0.0.1")'
}

@test "an address that is there is not asked for" {
  probe 1s
  give 10.0.0.1/32
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 'OK: IP address is configured'
  ((milliseconds < 900))
}

@test "other hosts' traffic does not end a probe" {
  probe
  in_host peer sh -c 'for i in 1 2 3 4 5 6 7 8; do ip neigh flush all; ping -c 1 -W 0.05 10.0.0.7; sleep 0.02; done' \
    >/dev/null 2>&1 3>&- &
  local noise=$!
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  ((milliseconds >= 300))
  wait "$noise" || true
}

@test "a probe without CAP_NET_RAW is an error that names it" {
  probe
  run in_host db setpriv --bounding-set=-net_raw "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1
  [[ $status == 255 && $output == 'ERROR: Could not configure ip adress 10.0.0.1'*CAP_NET_RAW* ]]
  expect_held 10.0.0.7/24
}

@test "a probe asks on Ethernet only, and for IPv4 only" {
  settings 'network: {probe: 30s, dad: off}'
  run_helper db configure_ip lo 10.0.0.2
  expect_answer 0 OK
  run_helper db configure_ip eth0 2001:db8::1
  expect_answer 0 OK
  ((milliseconds < 500))
}
