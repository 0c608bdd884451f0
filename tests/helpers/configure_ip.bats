#!/usr/bin/env bats
# configure_ip on real interfaces: what it adds, what it announces, and what it leaves alone.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=configure_ip
HELD='OK: IP address is configured'

setup() {
  start_network
  give 10.0.0.7/24
}
teardown() { end_network; }

@test "configure_ip adds the address as this host's own and leaves the others alone" {
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  [[ $output == OK && -z $stderr ]]
  expect_held '10.0.0.1/32 10.0.0.7/24'
}

@test "configure_ip leaves an address that is there as it is, with any prefix length" {
  local prefix
  for prefix in 8 24 32; do
    in_host db ip addr flush dev eth0
    give "10.0.0.1/$prefix"
    run_helper db configure_ip eth0 10.0.0.1
    expect_answer 0 "$HELD"
    [[ $output == "$HELD" && -z $stderr ]]
    expect_held "10.0.0.1/$prefix"
  done
}

@test "configure_ip does not mistake another address, a broadcast address or a peer for its own" {
  give 10.0.0.11/24
  give 10.0.0.5/24 broadcast 10.0.0.255
  give 10.0.0.6 peer 10.9.9.9/32
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  run_helper db configure_ip eth0 10.0.0.255
  expect_answer 0 OK
  run_helper db configure_ip eth0 10.9.9.9
  expect_answer 0 OK
  expect_held '10.0.0.1/32 10.0.0.11/24 10.0.0.255/32 10.0.0.5/24 10.0.0.6/32 10.0.0.7/24 10.9.9.9/32'
}

@test "configure_ip adds an IPv6 address as /128" {
  run_helper db configure_ip eth0 2001:db8::1
  expect_answer 0 OK
  expect_held '10.0.0.7/24 2001:db8::1/128'
  run_helper db configure_ip eth0 2001:0db8:0::1
  expect_answer 0 "$HELD"
}

@test "configure_ip takes the arguments of MMM 2.0, of 2.2 and of the AWS fork" {
  run_bare db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  run_bare db configure_ip mmm_agent_cluster eth0 10.0.0.2
  expect_answer 0 OK
  run_bare db configure_ip mmm_agent eth0 10.0.0.3 null
  expect_answer 0 OK
  expect_held '10.0.0.1/32 10.0.0.2/32 10.0.0.3/32 10.0.0.7/24'
}

@test "configure_ip takes an alias for its device" {
  run_helper db configure_ip eth0:1 10.0.0.1
  expect_answer 0 OK
  expect_held '10.0.0.1/32 10.0.0.7/24'
}

@test "configure_ip announces by request and reply, once before it returns and four times after" {
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK

  # The frames themselves may take a moment to reach the capture's file; the second pair comes 200 ms later.
  wait_for 5 eval '(($(frame_count) >= 2))'
  wait_for 10 no_announcer
  wait_for 5 has_frames 10

  local from='02:00:00:00:00:db > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: '
  (($(frames | grep -cF "${from}Request who-has 10.0.0.1 (ff:ff:ff:ff:ff:ff) tell 10.0.0.1,") == 5))
  (($(frames | grep -cF "${from}Reply 10.0.0.1 is-at 02:00:00:00:00:db,") == 5))
  # Spread over the better part of a second: a switch that was busy for a moment has heard some of them.
  frames | awk 'NR == 1 { first = $1 } { last = $1 } END { exit !(last - first > 0.7) }'
}

@test "configure_ip does not keep the agent waiting while it goes on announcing" {
  agent_call --joined db configure_ip eth0 10.0.0.1
  [[ -n $(announcers) ]]
  expect_agent_read 0 OK
  agent_call db configure_ip eth0 10.0.0.1
  expect_agent_read 0 "$HELD"
}

@test "the announcing process holds nothing of its caller" {
  exec 7<"$BATS_TEST_FILENAME" 8>"$BATS_TEST_TMPDIR/leaked"
  run_helper db configure_ip eth0 10.0.0.1
  exec 7<&- 8>&-
  local process
  process=$(announcers)
  # It closes what it inherits as its first act. Then it is held still, to be looked at.
  wait_for 5 eval '[[ ! -e /proc/$process/fd/8 && ! -e /proc/$process/fd/7 ]]'
  kill -STOP "$process"

  # It has its own two sockets, for frames and for clear_ip; the journal and the kernel's answers need two more.
  [[ $(readlink "/proc/$process/fd/2") == /dev/null ]]
  run readlink "/proc/$process/fd/"*
  [[ $output != *pipe* && $output != *"$BATS_TEST_TMPDIR"* && $output != *bats* ]]
  ((${#lines[@]} <= 7))
  [[ $(readlink "/proc/$process/cwd") == / ]]
  [[ $(ps -o sid= -p "$process" | tr -d ' ') == "$process" ]]
  kill -CONT "$process"
}

@test "nothing is announced once clear_ip has taken the address away" {
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  local end=$EPOCHREALTIME

  wait_for 10 no_announcer
  sleep 0.3

  (($(frame_count) >= 2))
  frames | awk -v end="$end" '$1 > end { exit 1 }'
}

@test "an interface without ARP gets the address and no announcement" {
  in_host db ip link set eth0 arp off
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  expect_held '10.0.0.1/32 10.0.0.7/24'
  run_helper db configure_ip lo 10.0.0.2
  expect_answer 0 OK
  [[ $(held_by lo) == *10.0.0.2/32* && -z $(announcers) ]]
  sleep 0.3
  has_frames 0
  run journal_says 'could not'
  [[ $status == 1 ]]
}

@test "configure_ip on an interface that does not exist is an error" {
  refuses mmm_agent eth9 10.0.0.1
  [[ $line == *'interface eth9 does not exist'* ]]
}

@test "configure_ip on an interface that is down is an error that names the cure, and adds nothing" {
  in_host db ip link set eth0 down
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'interface eth0 is down'*'ip link set eth0 up'* ]]
  expect_held 10.0.0.7/24
  # Nobody can reach an address that is there already, either.
  refuses mmm_agent eth0 10.0.0.7
}

@test "configure_ip adds an address while the cable is out, and notes it" {
  in_host peer ip link set eth0 down
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  expect_held '10.0.0.1/32 10.0.0.7/24'
  journal_says 'interface eth0 has no carrier'
}

@test "configure_ip without CAP_NET_ADMIN is an error that names it" {
  run in_host db setpriv --bounding-set=-net_admin "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1
  [[ $status == 255 ]]
  [[ $output == 'ERROR: Could not configure ip adress 10.0.0.1 on interface eth0! '*CAP_NET_ADMIN* ]]
  run in_host db setpriv --bounding-set=-net_admin "$MMM_AGENT_DIR/configure_ip" --dry-run mmm_agent eth0 10.0.0.1
  [[ $status == 255 && $output == *'ERROR: Could not configure ip adress 10.0.0.1 '*CAP_NET_ADMIN* ]]
  expect_held 10.0.0.7/24
}

@test "configure_ip without CAP_NET_RAW adds the address and notes that it was not announced" {
  run in_host db setpriv --bounding-set=-net_raw "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1
  [[ $status == 0 && $output == OK ]]
  expect_held '10.0.0.1/32 10.0.0.7/24'
  journal_says CAP_NET_RAW
}

@test "configure_ip needs no more than CAP_NET_ADMIN and CAP_NET_RAW" {
  in_host db setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$MMM_AGENT_DIR/configure_ip" ||
    skip "nobody may enter $MMM_AGENT_DIR"
  start_capture
  run in_host db setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all,+net_admin,+net_raw \
    --inh-caps=-all,+net_admin,+net_raw --ambient-caps=-all,+net_admin,+net_raw \
    "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1
  [[ $status == 0 && $output == OK ]]
  expect_held '10.0.0.1/32 10.0.0.7/24'
  wait_for 10 no_announcer
  wait_for 5 has_frames 10
}

@test "configure_ip called with a wrong number of arguments prints its usage and a blank line" {
  local arguments
  for arguments in '' eth0 'mmm_agent eth0 10.0.0.1 null more'; do
    # shellcheck disable=SC2086
    run_bare db configure_ip $arguments
    expect_answer 1 "Usage: $MMM_AGENT_DIR/configure_ip <config_file> <interface> <ip>"
    [[ $(tail -c 2 "$BATS_TEST_TMPDIR/stdout" | od -An -tx1 | tr -d ' ') == 0a0a && -z $stderr ]]
  done
  expect_held 10.0.0.7/24
}

@test "configure_ip with an empty argument ends with an error" {
  refuses mmm_agent eth0 ''
  refuses mmm_agent '' 10.0.0.1
  refuses '' eth0 10.0.0.1
  refuses eth0 ''
  expect_held 10.0.0.7/24
}

@test "configure_ip refuses what is no interface and no address, with one line, and adds nothing" {
  local text
  for text in "${HOSTILE[@]}" "${NO_ADDRESS[@]}"; do refuses mmm_agent eth0 "$text"; done
  for text in "${HOSTILE[@]}"; do refuses mmm_agent "$text" 10.0.0.1; done
  expect_held 10.0.0.7/24
  in_host db test ! -e /tmp/hostile
}

@test "configure_ip takes what looks like an option for a mistake" {
  local text
  for text in --help --version -h -4 -1.2.3.4 --title=mmm-announcer; do
    run_bare db configure_ip mmm_agent eth0 "$text"
    expect_answer 1 'Usage: *'
  done
  expect_held 10.0.0.7/24
}

@test "configure_ip needs no configuration and no environment" {
  run_bare db configure_ip no_such_configuration eth0 10.0.0.1
  expect_answer 0 OK
  run in_host db env -i "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.2
  [[ $status == 0 && $output == OK ]]
  expect_held '10.0.0.1/32 10.0.0.2/32 10.0.0.7/24'
}

@test "configure_ip whose answer cannot be written ends neither as done nor as 255 beside silence" {
  run in_host db sh -c '"$0" mmm_agent eth0 10.0.0.1 >/dev/full' "$MMM_AGENT_DIR/configure_ip"
  [[ $status == 2 && -z $output ]]
  run in_host db sh -c '"$0" mmm_agent eth0 10.0.0.2 >&-' "$MMM_AGENT_DIR/configure_ip"
  [[ $status == 0 && -z $output ]]
  expect_held '10.0.0.1/32 10.0.0.2/32 10.0.0.7/24'
}
