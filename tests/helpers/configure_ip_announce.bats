#!/usr/bin/env bats
# Whether the network learns from configure_ip: neighbour tables, switches, repetition, and silence afterwards.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=configure_ip
HELD='OK: IP address is configured'

setup() {
  start_network
  give 10.0.0.7/24
}
teardown() {
  if [[ -n ${STRANGER:-} ]]; then dismiss; fi
  end_network
}

@test "a client's neighbour table has turned within 50 ms of configure_ip's return" {
  in_host peer ip neigh replace 10.0.0.1 lladdr 02:00:00:00:00:99 dev eth0 nud reachable
  run_helper db configure_ip eth0 10.0.0.1
  turned_within 50 10.0.0.1
  expect_answer 0 OK
}

@test "a switch that looked for this host behind another port finds it" {
  in_host peer ip link add switch type bridge
  in_host peer ip link add old type veth peer name old-host
  in_host peer ip link set eth0 master switch
  in_host peer ip link set old master switch
  in_host peer ip link set switch up
  in_host peer ip link set old up
  in_host peer ip link set old-host up
  # The old host had the same MAC, as one half of a pair of machines often does.
  in_host peer bridge fdb replace 02:00:00:00:00:db dev old master dynamic
  wait_for 20 eval '[[ $(in_host peer bridge -j link show dev eth0 | jq -r ".[].state") == forwarding ]]'

  run_helper db configure_ip eth0 10.0.0.1

  expect_answer 0 OK
  in_host peer bridge -j fdb show br switch |
    jq -e 'any(.[]; .mac == "02:00:00:00:00:db" and .ifname == "eth0")'
}

@test "count and interval of the announcements are the settings'" {
  settings 'network: {announce: {count: 3, interval: 50ms}}'
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  wait_for 10 no_announcer
  wait_for 5 has_frames 6
  frames | awk 'NR == 1 { first = $1 } { last = $1 } END { exit !(last - first > 0.09) }'
}

@test "a single announcement needs no second process" {
  settings 'network: {announce: {count: 1}}'
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  no_announcer
  wait_for 5 has_frames 2
}

@test "with refresh the address is announced as long as it is held, and no longer" {
  settings 'network: {announce: {count: 1, refresh: 100ms}}'
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  wait_for 10 has_at_least 12

  run_helper db clear_ip eth0 10.0.0.1
  local end=$EPOCHREALTIME

  expect_answer 0 OK
  wait_for 5 no_announcer
  sleep 0.3
  frames | awk -v end="$end" '$1 > end { exit 1 }'
}

@test "a refreshing process that was killed is started again by the next call" {
  settings 'network: {announce: {refresh: 100ms}}'
  run_helper db configure_ip eth0 10.0.0.1
  kill -KILL "$(announcers)"
  wait_for 5 no_announcer

  run_helper db configure_ip eth0 10.0.0.1

  expect_answer 0 "$HELD"
  [[ -n $(announcers) ]]
}

@test "what a killed call left unannounced is announced by the next one" {
  give 10.0.0.1/32
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
  [[ $output == "$HELD" && -z $stderr ]]
  wait_for 10 no_announcer
  wait_for 5 has_frames 10
}

@test "an address that has been there for a while is not announced again" {
  needs_clocks
  give 10.0.0.1/32
  start_capture
  [[ $(later "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1) == "$HELD" ]]
  no_announcer
  # What would have been sent comes before this.
  run_helper db configure_ip eth0 10.0.0.2
  wait_for 5 eval '[[ -n $(tcpdump -nn -r "$CAPTURE" "arp[14:4] = 0x0a000002" 2>/dev/null) ]]'
  has_frames 0
}

@test "a hundred calls at once make one address and one announcing process" {
  start_capture
  local i calls=()
  for ((i = 0; i < 100; i++)); do
    in_host db "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1 >"$BATS_TEST_TMPDIR/call.$i" 3>&- &
    calls+=($!)
  done
  for i in "${calls[@]}"; do wait "$i"; done
  (($(cat "$BATS_TEST_TMPDIR"/call.* | grep -c -e '^OK$' -e "^$HELD\$") == 100))
  expect_held '10.0.0.1/32 10.0.0.7/24'
  (($(announcers | wc -l) <= 1))
  wait_for 10 no_announcer
}

@test "clear_ip called while the announcing process is starting is followed by silence" {
  settings 'network: {announce: {count: 1000, interval: 1ms}}'
  start_capture
  local round end=()
  for round in {1..20}; do
    run_helper db configure_ip eth0 10.0.0.1
    expect_answer 0 OK
    run_helper db clear_ip eth0 10.0.0.1
    expect_answer 0 OK
    end+=("$EPOCHREALTIME")
    # Silence until the next round, or for good.
    sleep 0.02
    end+=("$EPOCHREALTIME")
  done
  wait_for 5 no_announcer
  wait_for 5 has_at_least 40
  frames >"$BATS_TEST_TMPDIR/sent"
  printf '%s\n' "${end[@]}" | paste - - | while read -r from to; do
    awk -v from="$from" -v to="$to" '$1 > from && $1 < to { print "sent after clear_ip:", $0; bad = 1 } END { exit bad }' \
      "$BATS_TEST_TMPDIR/sent"
  done
}

@test "an announcing process that is held up does not hold up clear_ip for long" {
  run_helper db configure_ip eth0 10.0.0.1
  local process
  process=$(announcers)
  kill -STOP "$process"
  start_capture

  run_helper db clear_ip eth0 10.0.0.1

  expect_answer 0 OK
  ((milliseconds < 2000))
  kill -CONT "$process"
  wait_for 5 no_announcer
  has_frames 0
}

# stranger PROGRAM — by another user, on db, in the background; $seat is the name that the announcing process takes.
# It has begun when this returns, and ends with `dismiss`.
stranger() {
  local index
  index=$(in_host db ip -j link show dev eth0 | jq '.[].ifindex')
  (exec nsenter --target "${HOLDERS[db]}" --net --mount -- \
    setpriv --reuid=65534 --regid=65534 --clear-groups perl -MSocket -e '
    alarm 60;
    my $seat = pack("S a*", AF_UNIX, "\0$ARGV[0]");
    sub sit {
      my ($place, $door) = @_;
      socket($door, AF_UNIX, SOCK_STREAM, 0) && bind($door, "$seat$place") && listen($door, 5) or die "$!\n";
      return $door;
    }
    sub ready { $| = 1; print "ready\n" }'"$1" "mysql-mmm/announcer/$index/10.0.0.1" >"$BATS_TEST_TMPDIR/stranger" 3>&-) &
  STRANGER=$!
  wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/stranger"
}
dismiss() {
  kill "$STRANGER" 2>/dev/null || true
  wait "$STRANGER" 2>/dev/null || true
  STRANGER=
}

# silent_from_now_on — nothing reaches the peer, and no process is left that might send.
silent_from_now_on() {
  local now=$EPOCHREALTIME
  wait_for 5 no_announcer
  sleep 0.3
  frames | awk -v now="$now" '$1 > now { print "sent:", $0; bad = 1 } END { exit bad }'
}

@test "another user cannot keep an address from being announced, nor hold up clear_ip" {
  stranger 'my $door = sit(""); ready(); sleep 60'
  start_capture

  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  wait_for 10 has_frames 10
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK

  dismiss
  ((milliseconds < 500))
  journal_says 'user 65534 pretends to announce'
}

@test "another user who sits on the announcing process's place does not make many of one" {
  settings 'network: {announce: {count: 1, refresh: 100ms}}'
  stranger 'my $door = sit(""); ready(); sleep 60'
  start_capture
  local call
  for call in {1..5}; do run_helper db configure_ip eth0 10.0.0.1; done
  wait_for 5 eval '(($(announcers | wc -l) == 1))'
  # One process sends two frames each time; the first is its own call's.
  wait_for 5 has_at_least 6

  # Nor does it once the name is free again.
  dismiss
  for call in {1..3}; do run_helper db configure_ip eth0 10.0.0.1; done
  (($(announcers | wc -l) <= 2))

  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  silent_from_now_on
}

@test "another user who sits on every place leaves the announcements that the call itself makes" {
  settings 'network: {announce: {count: 3, interval: 50ms, refresh: 100ms}}'
  stranger 'my @doors = (sit(""), sit("/second")); ready(); sleep 60'
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  ((milliseconds < 500))
  no_announcer
  wait_for 5 has_frames 6
  journal_says 'nothing continues to announce 10.0.0.1'
  run_helper db clear_ip eth0 10.0.0.1
  dismiss
  expect_answer 0 OK
  ((milliseconds < 500))
}

@test "another user who knocks without end neither stops the announcements nor delays the silence after clear_ip" {
  settings 'network: {announce: {count: 1, refresh: 100ms}}'
  start_capture
  run_helper db configure_ip eth0 10.0.0.1
  stranger 'ready(); while (1) { socket(my $door, AF_UNIX, SOCK_STREAM, 0); connect($door, $seat) }'

  # The first two frames are the call's own.
  wait_for 10 has_at_least 8
  run_helper db clear_ip eth0 10.0.0.1
  local took=$milliseconds
  expect_answer 0 OK
  silent_from_now_on
  dismiss
  ((took < 2500))
}
