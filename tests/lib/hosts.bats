#!/usr/bin/env bats
# The two hosts of tests/lib/network.bash end with all that was started in them.

load network

setup() { start_network; }
teardown() { end_network; }

is_gone() { ! kill -0 "$1" 2>/dev/null; }

@test "what a test leaves running in a host ends with that host" {
  local pid
  in_host db sh -c 'echo $$; exec sleep 60' >"$BATS_TEST_TMPDIR/pid" 3>&- 4>&- &
  wait_for 5 test -s "$BATS_TEST_TMPDIR/pid"
  pid=$(<"$BATS_TEST_TMPDIR/pid")
  kill -0 "$pid"
  end_network
  wait_for 5 is_gone "$pid"
}

@test "a host whose process never left our own namespaces ends nothing but that" {
  local pid
  sleep 60 3>&- 4>&- &
  pid=$!
  end_network
  HOLDERS=([home]=$pid)
  # Nothing is ended here: it would be the whole machine.
  # shellcheck disable=SC2317
  kill() { echo "$1" >>"$BATS_TEST_TMPDIR/ended"; }
  # shellcheck disable=SC2317
  wait() { :; }
  end_network
  unset -f kill wait
  kill "$pid"
  [ "$(<"$BATS_TEST_TMPDIR/ended")" = "$pid" ]
}
