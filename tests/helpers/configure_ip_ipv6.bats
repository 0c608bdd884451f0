#!/usr/bin/env bats
# IPv6: duplicate address detection is awaited, and its verdict counts; neighbour advertisements.

# shellcheck disable=SC2016,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/network

HELPER=configure_ip
HELD='OK: IP address is configured'
VIP=2001:db8::1

setup() {
  start_network
  in_host peer ip addr add 2001:db8::250/64 dev eth0 nodad
  in_host db ip addr add 2001:db8::7/64 dev eth0 nodad
}
teardown() { end_network; }

# flag_of_vip NAME — true if the kernel shows this flag for the address.
flag_of_vip() {
  in_host db ip -j -6 addr show dev eth0 |
    jq -e --arg flag "$1" '.[].addr_info[] | select(.local == "2001:db8::1") | .[$flag] == true' >/dev/null
}

@test "an IPv6 address can be used when configure_ip returns" {
  run_helper db configure_ip eth0 $VIP
  expect_answer 0 OK
  [[ $output == OK && -z $stderr ]]
  expect_held '2001:db8::1/128 2001:db8::7/64'
  run ! flag_of_vip tentative
}

@test "a client's neighbour table has turned within 50 ms of configure_ip's return, for IPv6" {
  in_host peer ip neigh replace $VIP lladdr 02:00:00:00:00:99 dev eth0 nud reachable
  run_helper db configure_ip eth0 $VIP
  turned_within 50 $VIP
  expect_answer 0 OK
}

@test "an IPv6 address is announced to all nodes, to be believed before what they know, five times" {
  start_capture
  run_helper db configure_ip eth0 2001:0DB8:0::1
  expect_answer 0 OK
  wait_for 10 no_announcer
  wait_for 5 eval '(($(advertisements | grep -c "hlim 255") == 5))'
  run advertisements
  local head='02:00:00:00:00:db > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86: '
  local body='2001:db8::1 > ff02::1: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is 2001:db8::1, Flags [override]'
  (($(grep -cF "$head" <<<"$output") == 5))
  (($(grep -cF "$body" <<<"$output") == 5))
  (($(grep -cF 'destination link-address option (2), length 8 (1): 02:00:00:00:00:db' <<<"$output") == 5))
}

@test "an IPv6 address that another host has is an error, and is taken away again" {
  in_host peer ip addr add $VIP/128 dev eth0 nodad
  refuses mmm_agent eth0 $VIP
  [[ $line == *'Could not configure ip adress 2001:db8::1 on interface eth0! another host has it'* ]]
  expect_held '2001:db8::7/64'

  in_host peer ip addr del $VIP/128 dev eth0
  run_helper db configure_ip eth0 $VIP
  expect_answer 0 OK
}

@test "an address that the kernel found to be another host's is not configured, until it is" {
  in_host peer ip addr add $VIP/128 dev eth0 nodad
  give $VIP/128
  wait_for 10 flag_of_vip dadfailed
  run_helper db check_ip eth0 $VIP
  expect_answer 1 'OK: IP address is not configured'

  in_host peer ip addr del $VIP/128 dev eth0
  run_helper db configure_ip eth0 $VIP
  expect_answer 0 OK
  run_helper db check_ip eth0 $VIP
  expect_answer 0 "$HELD"
}

@test "duplicate address detection that does not end is an error within its bound, and nothing stays" {
  settings 'network: {dad: 300ms}'
  in_host db sysctl -q -w net.ipv6.conf.eth0.dad_transmits=10
  refuses mmm_agent eth0 $VIP
  [[ $line == *'did not end within 300'*dad_transmits* ]]
  ((milliseconds < 2000))
  expect_held '2001:db8::7/64'
}

@test "a call is over within its limit even if duplicate address detection may take longer" {
  settings 'network: {dad: 1m}
limits: {call: 1s}'
  in_host db sysctl -q -w net.ipv6.conf.eth0.dad_transmits=10
  refuses mmm_agent eth0 $VIP
  ((milliseconds < 1500))
  expect_held '2001:db8::7/64'
}

@test "dad: off adds an IPv6 address at once" {
  settings 'network: {dad: off}'
  start_capture
  run_helper db configure_ip eth0 $VIP
  expect_answer 0 OK
  ((milliseconds < 500))
  run ! flag_of_vip tentative
  wait_for 5 eval '(($(advertisements | grep -c "hlim 255") >= 1))'
}

@test "an IPv6 address is added while the cable is out, and is not waited for" {
  in_host peer ip link set eth0 down
  wait_for 5 eval 'in_host db ip -j link show dev eth0 | jq -e ".[].flags | index(\"NO-CARRIER\")"'
  run_helper db configure_ip eth0 $VIP
  expect_answer 0 OK
  ((milliseconds < 500))
  journal_says 'no carrier'
}

@test "an address that turns out to be another host's when the cable is back is never announced" {
  settings 'network: {announce: {refresh: 50ms}}'
  # Long enough for the peer to be there, too, when it is asked.
  in_host db sysctl -q -w net.ipv6.conf.eth0.dad_transmits=4
  in_host peer ip link set eth0 down
  run_helper db configure_ip eth0 $VIP
  expect_answer 0 OK
  [[ -n $(announcers) ]]

  in_host peer ip link set eth0 up
  in_host peer ip addr add $VIP/128 dev eth0 nodad
  start_capture
  wait_for 10 flag_of_vip dadfailed
  sleep 0.3

  run advertisements
  [[ $output != *02:00:00:00:00:db* ]]
}

@test "IPv6 needs no more than CAP_NET_ADMIN and CAP_NET_RAW" {
  in_host db setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$MMM_AGENT_DIR/configure_ip" ||
    skip "nobody may enter $MMM_AGENT_DIR"
  local two=-all,+net_admin,+net_raw
  local call=(in_host db setpriv --reuid=65534 --regid=65534 --clear-groups
    --bounding-set="$two" --inh-caps="$two" --ambient-caps="$two")
  start_capture
  run "${call[@]}" "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 $VIP
  [[ $status == 0 && $output == OK ]]
  wait_for 5 eval '(($(advertisements | grep -c "hlim 255") >= 2))'
  run "${call[@]}" "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 $VIP
  [[ $status == 0 && $output == OK ]]
  local end=$EPOCHREALTIME
  wait_for 5 no_announcer
  advertisements | awk -v end="$end" '/^[0-9]/ && $1 > end { exit 1 }'
}

@test "IPv6 switched off on the interface is an error that says so" {
  in_host db sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=1
  refuses mmm_agent eth0 $VIP
  [[ $line == *'IPv6 is switched off'*'net.ipv6.conf.eth0.disable_ipv6=0'* ]]
}

@test "an IPv6 address is not announced once clear_ip has taken it away" {
  settings 'network: {dad: off, announce: {interval: 20ms, count: 100}}'
  start_capture
  run_helper db configure_ip eth0 $VIP
  run_helper db clear_ip eth0 2001:0db8:0:0::0001
  expect_answer 0 OK
  local end=$EPOCHREALTIME
  wait_for 5 no_announcer
  sleep 0.1
  advertisements | awk -v end="$end" '/^[0-9]/ && $1 > end { exit 1 }'
}
