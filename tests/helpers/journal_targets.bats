#!/usr/bin/env bats
# log.target and log.format: the journal in a file, in the system's log or in systemd's journal, and no call that waits
# for a log daemon.

# shellcheck disable=SC2154

load ../lib/network

SYSLOG_SOCKET=/dev/log
JOURNALD_SOCKET=/run/systemd/journal/socket

setup() {
  start_network
  # The sockets are this host's own.
  in_host db sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/dev &&
    cp -a /dev/null /dev/zero /dev/random /dev/urandom /run/dev && mount --bind /run/dev /dev'
  received=$BATS_TEST_TMPDIR/received
}
teardown() { end_network; }

# daemon SOCKET [HOW] — one that keeps what it receives, a line to a datagram with `|` for ends of lines. HOW is
# `deaf`: it receives nothing, and its queue is full.
daemon() {
  in_host db perl -MSocket -e '
    my ($path, $file, $how) = @ARGV;
    my ($daemon, $other);
    unlink $path;
    socket($daemon, AF_UNIX, SOCK_DGRAM, 0) && bind($daemon, sockaddr_un($path)) or die "$path: $!";
    if ($how eq "deaf") {
      socket($other, AF_UNIX, SOCK_DGRAM | Socket::SOCK_NONBLOCK(), 0) && connect($other, sockaddr_un($path)) or die $!;
      1 while defined send $other, "full", 0;
    }
    open my $out, ">>", $file or die $!;
    $out->autoflush;
    print $out "ready\n";
    sleep 600 if $how eq "deaf";
    while (defined recv $daemon, my $packet, 1 << 20, 0) { $packet =~ tr/\n/|/; print $out "$packet\n" }
  ' "$1" "$received" "${2:-}" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/daemon" 3>&- 4>&- &
  wait_for 10 grep -qx ready "$received"
}

# in_file — what the journal's file has.
in_file() { in_host db sh -c "cat $JOURNAL 2>/dev/null || true"; }

# adds — an address that is not there yet.
adds() {
  run_helper db configure_ip eth0 "${1:-10.0.0.1}"
  expect_answer 0 OK
}

has_received() { grep -qF -e "$1" "$received"; }

@test "the system's log gets each line with its priority, helper and process, and the file gets none" {
  settings 'log: {target: syslog}'
  daemon "$SYSLOG_SOCKET"
  adds
  wait_for 5 has_received 'answered "OK", exit 0'
  grep -qE '^<30>configure_ip\[[0-9]+\]: called with \["mmm_agent", "eth0", "10\.0\.0\.1"\]$' "$received"
  run_helper db clear_ip none0 10.0.0.2
  wait_for 5 has_received 'answered "OK: IP'
  grep -qE '^<28>clear_ip\[[0-9]+\]: ' "$received"
  [[ -z $(in_file) ]]
}

@test "systemd's journal gets each line with its fields" {
  settings 'log: {target: journald}'
  daemon "$JOURNALD_SOCKET"
  adds
  wait_for 5 has_received 'MESSAGE=answered "OK", exit 0'
  line=$(grep -F 'MESSAGE=called with' "$received")
  [[ $line =~ ^MESSAGE=called\ with\ .*\|PRIORITY=6\|SYSLOG_FACILITY=3\|SYSLOG_IDENTIFIER=configure_ip\|SYSLOG_PID=[0-9]+\|MMM_TIME=20[0-9-]+T[0-9:.]+Z\|$ ]]
  [[ -z $(in_file) ]]
}

@test "a background process of a helper writes to the same place" {
  settings 'log: {target: journald}
network: {announce: {count: 2, interval: 100ms}}'
  daemon "$JOURNALD_SOCKET"
  adds
  wait_for 10 has_received 'announced 1 more times'
  [[ -z $(in_file) ]]
}

# falls_back TARGET ADDRESS — a call with that target is answered in time, its lines are in the file, which says why once.
falls_back() {
  settings "log: {target: $1, level: debug}"
  in_host db rm -f "$JOURNAL"
  adds "$2"
  # Without a limit it would wait for ever.
  ((milliseconds < 5000))
  wait_for 5 eval 'in_file | grep -q answered'
  in_file | grep -qF 'called with'
  [[ $(in_file | grep -c "log.target: $1: .* does not take all lines") == 1 ]]
}

@test "without a daemon the lines are in the file, which says so once, and the answer is the same" {
  falls_back syslog 10.0.0.1
  falls_back journald 10.0.0.2
}

@test "a daemon that receives nothing delays no call, and the lines are in the file" {
  daemon "$SYSLOG_SOCKET" deaf
  falls_back syslog 10.0.0.1
  rm -f "$received"
  daemon "$JOURNALD_SOCKET" deaf
  falls_back journald 10.0.0.2
}

@test "the file as JSON: each line is an object, and mmm_journal reads it as it reads text" {
  settings 'log: {format: json}'
  adds
  run_helper db clear_ip none0 10.0.0.1
  run_bare db configure_ip $'a "b"\n' none0 10.0.0.1
  expect_answer 255 'ERROR: *'

  in_file | jq -e -s 'all(.[]; (keys == ["helper", "level", "process", "text", "time"]) and (.process > 0))'
  [[ $(in_file | jq -r 'select(.text | startswith("called with")).helper' | paste -sd' ') == \
    'configure_ip clear_ip configure_ip' ]]
  [[ $(in_file | jq -r '.level' | sort -u | paste -sd' ') == *info*warn* ]]
  in_host db "$MMM_AGENT_DIR/mmm_journal" --file "$JOURNAL" --all --format json >"$BATS_TEST_TMPDIR/calls"
  [[ $(jq -r '[.timeline[] | select(.kind == "call") | .helper + " " + .outcome] | join(", ")' "$BATS_TEST_TMPDIR/calls") == \
    'configure_ip ok, clear_ip ok, configure_ip error' ]]
  [[ $(jq .unreadable_lines "$BATS_TEST_TMPDIR/calls") == 0 ]]

  # A file that was text before.
  settings 'log: {format: text}'
  adds 10.0.0.9
  in_host db "$MMM_AGENT_DIR/mmm_journal" --file "$JOURNAL" --all --format json >"$BATS_TEST_TMPDIR/calls"
  [[ $(jq '[.timeline[] | select(.kind == "call")] | length' "$BATS_TEST_TMPDIR/calls") == 4 ]]
}

@test "JSON in the system's log and in systemd's journal is the message" {
  settings 'log: {target: syslog, format: json}'
  daemon "$SYSLOG_SOCKET"
  adds
  wait_for 5 has_received 'answered'
  sed -n 's/^<[0-9]*>configure_ip\[[0-9]*\]: //p' "$received" | jq -e -s 'length > 2 and all(.[]; .helper == "configure_ip")'

  rm -f "$received"
  settings 'log: {target: journald, format: json}'
  daemon "$JOURNALD_SOCKET"
  adds 10.0.0.2
  wait_for 5 has_received 'answered'
  sed -n 's/^MESSAGE=\({.*}\)|PRIORITY=.*/\1/p' "$received" | jq -e -s 'length > 2 and all(.[]; .helper == "configure_ip")'
}

@test "mmm_journal says where the lines go if that is not a file" {
  settings 'log: {target: journald}'
  adds
  in_host db "$MMM_AGENT_DIR/mmm_journal" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr"
  grep -qF "go to journald (log.target); $JOURNAL has only what that did not take" "$BATS_TEST_TMPDIR/stderr"
}
