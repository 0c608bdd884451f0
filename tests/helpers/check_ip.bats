#!/usr/bin/env bats
# check_ip on real interfaces. Exit codes are its answer: 0 held, 1 not held, 255 not known.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=check_ip
HELD='OK: IP address is configured'
NOT_HELD='OK: IP address is not configured'

setup() { start_network; }
teardown() { end_network; }

@test "check_ip says whether the interface holds the address" {
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 1 "$NOT_HELD"

  give 10.0.0.1/32

  run_helper db check_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
  [[ $output == "$HELD" && -z $stderr ]]
}

@test "check_ip counts an address with any prefix length" {
  local prefix
  for prefix in 8 24 31 32; do
    in_host db ip addr flush dev eth0
    give "10.0.0.1/$prefix"
    run_helper db check_ip eth0 10.0.0.1
    expect_answer 0 "$HELD"
  done
}

@test "check_ip does not take an address for another one that contains it" {
  give 10.0.0.11/24
  give 110.0.0.1/24
  give 10.0.0.100/32
  give 10.10.0.1/32
  local other
  for other in 10.0.0.1 10.0.0.10 0.0.0.11 10.0.1.1; do
    run_helper db check_ip eth0 "$other"
    expect_answer 1 "$NOT_HELD"
  done
}

@test "check_ip does not take a broadcast address for one of this host" {
  give 10.0.0.5/24 broadcast 10.0.0.255
  run_helper db check_ip eth0 10.0.0.255
  expect_answer 1 "$NOT_HELD"
}

@test "check_ip does not take the other end of a point-to-point address for this one" {
  give 10.0.0.1 peer 10.9.9.9/24
  run_helper db check_ip eth0 10.9.9.9
  expect_answer 1 "$NOT_HELD"
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
}

@test "check_ip looks at the named interface only" {
  in_host db ip addr add 10.0.0.1/32 dev lo
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 1 "$NOT_HELD"
  run_helper db check_ip lo 10.0.0.1
  expect_answer 0 "$HELD"
}

@test "check_ip finds the last of a thousand addresses" {
  local i
  for ((i = 0; i < 1000; i++)); do
    echo "addr add 10.1.$((i / 250)).$((i % 250))/16 dev eth0"
  done | in_host db ip -batch -
  run_helper db check_ip eth0 10.1.3.249
  expect_answer 0 "$HELD"
  run_helper db check_ip eth0 10.1.3.250
  expect_answer 1 "$NOT_HELD"
}

@test "check_ip knows an IPv6 address by every spelling" {
  give 2001:db8::1/64 nodad
  local spelling
  for spelling in 2001:db8::1 2001:0DB8::1 2001:db8:0:0:0:0:0:1; do
    run_helper db check_ip eth0 "$spelling"
    expect_answer 0 "$HELD"
  done
  run_helper db check_ip eth0 2001:db8::11
  expect_answer 1 "$NOT_HELD"
}

@test "check_ip takes the arguments of MMM 2.0, of 2.2 and of the AWS fork" {
  give 10.0.0.1/32
  run_bare db check_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
  run_bare db check_ip mmm_agent_cluster eth0 10.0.0.1
  expect_answer 0 "$HELD"
  run_bare db check_ip mmm_agent eth0 10.0.0.1 null
  expect_answer 0 "$HELD"
}

@test "check_ip takes an alias for its device" {
  give 10.0.0.1/32
  run_helper db check_ip eth0:1 10.0.0.1
  expect_answer 0 "$HELD"
}

@test "check_ip on an interface that does not exist answers that the address is not there" {
  run_helper db check_ip eth9 10.0.0.1
  expect_answer 1 "$NOT_HELD"
  [[ -z $stderr ]]
  journal_says 'interface eth9 does not exist'
}

@test "check_ip answers for an interface that is down, too" {
  give 10.0.0.1/32
  in_host db ip link set eth0 down
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
}

@test "check_ip called with a wrong number of arguments ends with an error, never with an answer" {
  refuses
  refuses eth0
  refuses mmm_agent eth0 10.0.0.1 null more
  [[ $line == *'Usage: '*check_ip* ]]
}

@test "check_ip with an empty argument ends with an error" {
  give 10.0.0.1/32
  refuses mmm_agent eth0 ''
  refuses mmm_agent '' 10.0.0.1
  refuses '' eth0 10.0.0.1
  refuses eth0 ''
}

@test "check_ip refuses what is no interface and no address, with one line" {
  give 10.0.0.1/24
  local text
  for text in "${HOSTILE[@]}" "${NO_ADDRESS[@]}" --help --version -h -4 -1.2.3.4 --; do
    refuses mmm_agent eth0 "$text"
  done
  for text in "${HOSTILE[@]}" --help -eth0; do
    refuses mmm_agent "$text" 10.0.0.1
  done
  in_host db test ! -e /tmp/hostile
}

@test "check_ip needs no privileges" {
  give 10.0.0.1/32
  local call=(in_host db setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all
    "$MMM_AGENT_DIR/check_ip" mmm_agent eth0)
  in_host db setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$MMM_AGENT_DIR/check_ip" ||
    skip "nobody may enter $MMM_AGENT_DIR"
  run "${call[@]}" 10.0.0.1
  [[ $status == 0 && $output == "$HELD" ]]
  run "${call[@]}" 10.0.0.2
  [[ $status == 1 && $output == "$NOT_HELD" ]]
}

@test "the agent reads check_ip's answers" {
  agent_call db check_ip eth0 10.0.0.1
  expect_agent_read 1 "$NOT_HELD"
  give 10.0.0.1/32
  agent_call db check_ip eth0 10.0.0.1
  expect_agent_read 0 "$HELD"
  agent_call --joined db check_ip eth0 10.0.0.1
  expect_agent_read 0 "$HELD"
  agent_call --joined db check_ip eth0
  expect_agent_read 255 'ERROR: *'
}

@test "check_ip's answer survives a full disk, a closed stdout and an empty environment" {
  give 10.0.0.1/32
  local address code
  for address in 10.0.0.1 10.0.0.2; do
    code=$((${address##*.} - 1))
    run in_host db sh -c '"$0" mmm_agent eth0 "$1" >/dev/full' "$MMM_AGENT_DIR/check_ip" "$address"
    [[ $status == "$code" ]]
    run in_host db sh -c '"$0" mmm_agent eth0 "$1" >&-' "$MMM_AGENT_DIR/check_ip" "$address"
    [[ $status == "$code" ]]
    run in_host db env -i "$MMM_AGENT_DIR/check_ip" mmm_agent eth0 "$address"
    [[ $status == "$code" && $output == OK:* ]]
  done
}

@test "check_ip --help says what it prints" {
  run_bare db check_ip --help
  expect_answer 0 '*'
  [[ $output == *"$HELD"*"$NOT_HELD"*ERROR* && -z $stderr ]]
}
