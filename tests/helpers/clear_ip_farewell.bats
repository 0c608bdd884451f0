#!/usr/bin/env bats
# What clients see of clear_ip: their connections end at once, and until another host has the address they are refused.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/network

HELPER=clear_ip
VIP=10.0.0.1

# Clients are on `peer`, whose switch connects `db` and `other`.
setup() {
  start_network
  start_host other
  in_host peer ip link add switch type bridge forward_delay 0 mcast_snooping 0
  in_host peer ip addr flush dev eth0
  in_host peer ip link set eth0 master switch
  in_host other ip link add name eth0 type veth peer name eth1 netns "${HOLDERS[peer]}"
  in_host peer ip link set eth1 master switch up
  in_host peer ip link set switch up
  in_host other ip link set eth0 up
  in_host peer ip addr add 10.0.0.250/24 dev switch
  in_host peer ip addr add 2001:db8::250/64 dev switch nodad
  give 10.0.0.7/24
  in_host db ip addr add 2001:db8::7/64 dev eth0 nodad
  in_host other ip addr add 10.0.0.8/24 dev eth0
  in_host other ip addr add 2001:db8::8/64 dev eth0 nodad
  CHILDREN=()
}
teardown() {
  if ((${#CHILDREN[@]})); then kill "${CHILDREN[@]}" 2>/dev/null || true; fi
  end_network
}

# child HOST COMMAND… — in the background until the test ends.
child() {
  local holder=${HOLDERS[$1]}
  shift
  (exec nsenter --target "$holder" --net --mount -- "$@" 3>&-) &
  CHILDREN+=("$!")
}

# serve HOST… — listens on port 3306, greets with the host's name and waits; says when a client has closed its
# connection.
serve() {
  local host
  for host in "$@"; do
    child "$host" perl -MIO::Socket::IP -MIO::Select -e '
      alarm 120; $SIG{PIPE} = "IGNORE"; $| = 1;
      my $door = IO::Socket::IP->new(LocalHost => "::", V6Only => 0, LocalPort => 3306, Listen => 300, ReuseAddr => 1) or die;
      my $all = IO::Select->new($door);
      print "ready\n";
      while (my @ready = $all->can_read) {
        for my $socket (@ready) {
          if ($socket == $door) {
            my $client = $door->accept or next;
            syswrite $client, "$ARGV[0]\n";
            $all->add($client);
          } elsif (!sysread $socket, my $byte, 1) {
            print "gone: $!\n";
            $all->remove($socket);
            close $socket;
          }
        }
      }' "$host" >"$BATS_TEST_TMPDIR/server.$host"
    wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/server.$host"
  done
}

# visit — clients come until `other` greets them; VISITOR is its process, $VISITS what it saw.
visit() {
  VISITS=$BATS_TEST_TMPDIR/visits
  child peer perl "$REPOSITORY/tests/lib/visitor.pl" "$VIP" 3306 >"$VISITS"
  VISITOR=${CHILDREN[-1]}
  wait_for 5 grep -q 'greeted by db' "$VISITS"
}

# capture_tcp — all TCP that the client's host sends and receives, and ARP.
capture_tcp() {
  CAPTURE=$BATS_TEST_TMPDIR/tcp.pcap
  (exec nsenter --target "${HOLDERS[peer]}" --net --mount -- \
    tcpdump -Z root --immediate-mode -B 16384 -U -w "$CAPTURE" -i "${1:-switch}" </dev/null >/dev/null 2>"$CAPTURE.log" 3>&-) &
  CAPTURER=$!
  wait_for 10 grep -q 'listening on' "$CAPTURE.log"
}
captured() { tcpdump -nn -tt -e -r "$CAPTURE" "$@" 2>/dev/null; }

# no_lost_syn — no client sent a SYN twice.
no_lost_syn() {
  # What a host forwards is no client's doing.
  local flags='not ether src 02:00:00:00:00:db and (tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn or (ip6 and ip6[6] == 6 and ip6[53] & 18 == 2))'
  captured "$flags" | grep -oE '[0-9a-f.:]+ > [^ ]+ Flags \[S[^]]*\], seq [0-9]+' >"$BATS_TEST_TMPDIR/syns"
  [[ -s $BATS_TEST_TMPDIR/syns ]] || return 1
  [[ -z $(sort "$BATS_TEST_TMPDIR/syns" | uniq -d) ]]
}

# move [SECONDS] — the address from db to other, which gets it so many seconds later.
move() {
  run_helper db clear_ip eth0 "$VIP"
  expect_answer 0 OK
  sleep "${1:-0.3}"
  run_helper other configure_ip eth0 "$VIP"
  expect_answer 0 OK
  local end=$((SECONDS + 5))
  while kill -0 "$VISITOR" 2>/dev/null && ((SECONDS < end)); do sleep 0.02; done
}

# refused_then_greeted — the visitor saw refusals, then the new host, and waited for nothing.
refused_then_greeted() {
  if grep -q refused "$VISITS" && tail -n 1 "$VISITS" | grep -q 'greeted by other' && ! grep -q failed "$VISITS" &&
    grep -v 'idle connection' "$VISITS" | awk '$2 > 0.5 { exit 1 }'; then
    return 0
  fi
  { head -n 5 "$VISITS"; echo …; tail -n 5 "$VISITS"; } >&2
  return 1
}

@test "a client that connects all the while is refused between clear_ip and configure_ip, and no SYN is lost" {
  give "$VIP/32"
  serve db other
  capture_tcp
  visit
  move 0.3
  refused_then_greeted
  no_lost_syn
  wait_for 2 no_farewell
}

@test "a client of an IPv6 address is refused in the same way" {
  VIP=2001:db8::1
  settings 'network: {announce: {count: 1}}'
  in_host other sh -c 'umask 027 && echo "network: {dad: off}" >/etc/mysql-mmm/mmm_helpers.yaml'
  in_host db ip addr add $VIP/128 dev eth0 nodad
  serve db other
  capture_tcp
  visit
  move 0.3
  refused_then_greeted
  no_lost_syn
  wait_for 2 no_farewell
}

@test "a host that forwards packets refuses clients all the same" {
  in_host db sysctl -q -w net.ipv4.ip_forward=1
  give "$VIP/32"
  serve db other
  capture_tcp
  visit
  move 0.3
  refused_then_greeted
  no_lost_syn
}

@test "two hundred clients that are idle hear of clear_ip at once, and so does the server" {
  give "$VIP/32"
  give 10.0.0.2/32
  settings 'network: {farewell: off}'
  serve db
  # The last one belongs to another address.
  child peer perl -MIO::Socket::IP -MTime::HiRes=time -e '
    alarm 60; $| = 1;
    my $connect = sub { my $s = IO::Socket::IP->new(PeerHost => shift, PeerPort => 3306) or die; <$s>; $s };
    my @clients = map { $connect->("10.0.0.1") } 1 .. 200;
    my $other = $connect->("10.0.0.2");
    print "ready\n";
    sysread $_, my $byte, 1 for @clients;
    printf "%.4f\n", time;
    my $bits = ""; vec($bits, fileno $other, 1) = 1;
    print select($bits, undef, undef, 0.2) ? "the other, too\n" : "the other stays\n"' >"$BATS_TEST_TMPDIR/idle"
  wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/idle"

  run_helper db clear_ip --format json eth0 "$VIP"

  expect_answer 0 '}'
  jq -e '[.changes[] | select(.kind == "connection" and .done) | .what] == ["end 200 connections of 10.0.0.1"]' <<<"$output"
  local now=$EPOCHREALTIME
  wait_for 5 grep -q 'the other stays' "$BATS_TEST_TMPDIR/idle"
  awk -v now="$now" 'NR == 2 { exit !($1 < now + 0.5) }' "$BATS_TEST_TMPDIR/idle"
  wait_for 2 eval '(($(grep -c "gone: Software" "$BATS_TEST_TMPDIR/server.db") == 200))'
  journal_says '200 connections of 10.0.0.1 ended'
  no_farewell
}

@test "a call that was killed right after it had removed the address left a connection; the next call ends it" {
  give "$VIP/32"
  settings 'network: {farewell: off}'
  serve db
  child peer perl -MIO::Socket::IP -e '
    alarm 60; $| = 1; my $s = IO::Socket::IP->new(PeerHost => "10.0.0.1", PeerPort => 3306) or die; print scalar <$s>; sleep 60' \
    >"$BATS_TEST_TMPDIR/late"
  wait_for 10 grep -q db "$BATS_TEST_TMPDIR/late"
  in_host db ip addr del "$VIP/32" dev eth0

  run_helper db clear_ip eth0 "$VIP"

  expect_answer 0 'OK: IP address is not configured'
  wait_for 2 grep -q 'gone: Software' "$BATS_TEST_TMPDIR/server.db"
  journal_says '1 connections of 10.0.0.1 ended'
  no_farewell
  run_helper db clear_ip --format json eth0 "$VIP"
  jq -e '[.changes[] | select(.kind == "connection")] == []' <<<"$output"
}

@test "a farewell ends with its time, answers by TCP alone, and holds nothing of the agent" {
  settings 'network: {farewell: 700ms}'
  give "$VIP/32"
  local datagram='IO::Socket::IP->new(PeerHost => "10.0.0.1", PeerPort => 9, Proto => "udp")->send("x")'
  in_host peer perl -MIO::Socket::IP -e "$datagram"
  capture_tcp eth0
  agent_call db clear_ip eth0 "$VIP"
  expect_agent_read 0 OK
  local process
  process=$(farewells)
  ((${milliseconds%.*} < 600))
  # Its socket, its seat's, and what nobody reads from.
  in_host db sh -c "readlink /proc/$process/fd/[012]" | sort >"$BATS_TEST_TMPDIR/descriptors"
  (($(grep -c '^/dev/null$' "$BATS_TEST_TMPDIR/descriptors") == 2))
  in_host peer perl -MIO::Socket::IP -e "$datagram"
  run in_host peer perl -MIO::Socket::IP -e 'IO::Socket::IP->new(PeerHost => "10.0.0.1", PeerPort => 1234) and exit 1; print $!'
  [[ $output == 'Connection refused' ]]
  wait_for 3 no_farewell
  journal_says '1 segments for 10.0.0.1 on eth0 refused, 0 not answered; it ends: its time is over'
  (($(captured 'src host 10.0.0.1 and tcp[tcpflags] & tcp-rst != 0' | wc -l) == 1))
  local others
  others=$(captured 'udp or icmp or (arp and ether src 02:00:00:00:00:db)' | grep -c '02:00:00:00:00:db >') || true
  ((others == 0))
}

@test "network.farewell off leaves no process, nor does an address that is still on another interface" {
  settings 'network: {farewell: off}'
  give "$VIP/32"
  run_helper db clear_ip eth0 "$VIP"
  expect_answer 0 OK
  no_farewell

  settings 'network: {farewell: 60s}'
  give "$VIP/32"
  in_host db ip addr add "$VIP/32" dev lo
  serve db
  visit
  run_helper db clear_ip eth0 "$VIP"
  expect_answer 0 OK
  no_farewell
  run ! grep -q 'idle connection ended' "$VISITS"
}

@test "a farewell ends as soon as another host announces the address, or the site puts it back by hand" {
  settings 'network: {farewell: 60s}'
  give "$VIP/32"
  run_helper db clear_ip eth0 "$VIP"
  [[ -n $(farewells) ]]
  run_helper other configure_ip eth0 "$VIP"
  wait_for 1 no_farewell
  journal_says 'it ends: the host with the MAC address'

  run_helper other clear_ip eth0 "$VIP"
  give "$VIP/32"
  run_helper db clear_ip eth0 "$VIP"
  [[ -n $(farewells) ]]
  give "$VIP/32"
  wait_for 1 no_farewell
  journal_says 'it ends: this host has it again'
}

@test "a second clear_ip has a farewell of its own, and there is one at a time" {
  settings 'network: {farewell: 60s}'
  local round last='' now
  for round in {1..5}; do
    give "$VIP/32"
    run_helper db clear_ip eth0 "$VIP"
    expect_answer 0 OK
    wait_for 1 eval '(($(farewells | wc -l) == 1))'
    now=$(farewells)
    [[ $now != "$last" ]]
    last=$now
  done
}

@test "configure_ip ends the farewell, and one that is held up harms no connection that is made afterwards" {
  settings 'network: {farewell: 60s}'
  give "$VIP/32"
  serve db
  run_helper db clear_ip eth0 "$VIP"
  run_helper db configure_ip eth0 "$VIP"
  expect_answer 0 OK
  wait_for 1 no_farewell
  journal_says 'it ends: a helper of this host asked for it'

  run_helper db clear_ip eth0 "$VIP"
  local process
  process=$(farewells)
  kill -STOP "$process"
  child peer timeout 0.2 perl -MIO::Socket::IP -e 'IO::Socket::IP->new(PeerHost => "10.0.0.1", PeerPort => 3306)'
  sleep 0.05
  run_helper db configure_ip eth0 "$VIP"
  expect_answer 0 OK
  ((milliseconds < 500))
  visit
  kill -CONT "$process"
  wait_for 1 no_farewell
  sleep 0.1
  run ! grep -q 'idle connection ended' "$VISITS"
}

@test "an address that comes and goes twenty times kills no connection while it is there" {
  give "$VIP/32"
  serve db
  VISITS=$BATS_TEST_TMPDIR/visits
  visit
  local round
  for round in {1..20}; do
    run_helper db clear_ip eth0 "$VIP"
    expect_answer 0 OK
    sleep 0.00$((round % 8 + 1))
    run_helper db configure_ip eth0 "$VIP"
    expect_answer 0 OK
    printf '%s from\n' "$EPOCHREALTIME" >>"$BATS_TEST_TMPDIR/held"
    # Long enough for a client to come back.
    sleep 0.06
    printf '%s to\n' "$EPOCHREALTIME" >>"$BATS_TEST_TMPDIR/held"
  done
  awk '/idle connection ended/ { print $1, "ended" } /lost before/ { printf "%.4f ended\n", $1 + $2 }' "$VISITS" |
    sort -n - "$BATS_TEST_TMPDIR/held" >"$BATS_TEST_TMPDIR/story"
  (($(grep -c ended "$BATS_TEST_TMPDIR/story") > 3))
  awk '$2 == "from" { held = 1 } $2 == "to" { held = 0 } $2 == "ended" && held { print; bad = 1 } END { exit bad }' \
    "$BATS_TEST_TMPDIR/story"
}

@test "a flood gets a bounded number of answers" {
  settings 'network: {farewell: 1s}'
  give "$VIP/32"
  capture_tcp eth0
  run_helper db clear_ip eth0 "$VIP"
  # Each SYN from another port.
  in_host peer perl -e '
    socket(my $wire, 17, 3, 0) or die;
    my $to = pack("S n i S C C a8", 17, 0x0800, $ARGV[0], 0, 0, 6, "");
    for my $port (1 .. 20_000) {
      my $frame = pack("H12 H12 n", "0200000000db", "020000000099", 0x0800)
        . pack("C C n n n C C n C4 C4", 0x45, 0, 40, 0, 0x4000, 64, 6, 0, 10, 0, 0, 99, 10, 0, 0, 1)
        . pack("n n N N C C n n n", $port, 3306, $port, 0, 0x50, 2, 1000, 0, 0);
      send($wire, $frame, 0, $to) or select(undef, undef, undef, 0.001);
    }' "$(in_host peer ip -j link show dev eth0 | jq '.[].ifindex')"
  wait_for 5 no_farewell
  journal_says ' not answered; it ends: its time is over'
  local answers seen
  answers=$(in_host db sed -n 's/.* \([0-9]*\) segments for .* refused, [1-9].*/\1/p' "$JOURNAL")
  # The capture may lose some.
  seen=$(captured 'src host 10.0.0.1 and tcp[tcpflags] & tcp-rst != 0' | wc -l)
  # A thousand at once, two thousand in a second.
  if ((answers < 500 || answers > 3300 || seen < 1 || seen > answers)); then
    printf '%s answers, %s of them seen\n' "$answers" "$seen" >&2
    return 1
  fi
}

@test "without CAP_NET_RAW the address goes all the same, and the journal says what clients miss" {
  give "$VIP/32"
  in_host db setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$MMM_AGENT_DIR/clear_ip" mmm_agent eth0 "$VIP" \
    >"$BATS_TEST_TMPDIR/answer"
  [[ $(<"$BATS_TEST_TMPDIR/answer") == OK ]]
  expect_held '10.0.0.7/24 2001:db8::7/64'
  no_farewell
  journal_says 'CAP_NET_RAW'
}

@test "a dry run ends no connection, refuses nothing, and says what it would do" {
  give "$VIP/32"
  serve db
  visit
  run_helper db clear_ip --dry-run --format json eth0 "$VIP"
  [[ $(jq -r '.changes[] | "\(.done) \(.kind) \(.what)"' <<<"$output") == 'false connection refuse for 3s what still comes for 10.0.0.1 on eth0
false connection end 1 connections of 10.0.0.1
false address remove 10.0.0.1/32 from eth0' ]]
  expect_held '10.0.0.1/32 10.0.0.7/24 2001:db8::7/64'
  no_farewell
  run ! grep -q 'idle connection ended' "$VISITS"
}
