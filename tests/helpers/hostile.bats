#!/usr/bin/env bats
# A server that answers truthfully up to any step of a call, and then sends something else (tests/lib/turncoat.pl): the
# call is answered in time, and what it has begun is undone. MMM_HOSTILE_ROUNDS=N: so many calls a test, each with
# another step and another lie; MMM_HOSTILE_SEED: of the steps.

load ../lib/cluster
load ../lib/failover

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() {
  fresh_order
  rounds=${MMM_HOSTILE_ROUNDS:-6}
  RANDOM=${MMM_HOSTILE_SEED:-17}
  call_limit db3 2
  call_limit db2 2
}
teardown() {
  end_turncoat
  end_order
}

LIES=(silence sequence error cut refusal rows noise empty huge events)
# The group of the calls whose connections lead to the turncoat.
GROUP=4242

# turncoat ON HOST AT HOW ALWAYS — what calls on ON say to HOST's server goes through it.
turncoat() {
  local on=$1 address
  address=$(host_ip "$2")
  ready=$BATS_TEST_TMPDIR/ready between=$on
  rm -f "$ready"*
  in_host "$on" perl "$REPOSITORY/tests/lib/turncoat.pl" "$address" 3307 "$ready" "${@:3}" "$RANDOM" \
    >"$ready.log" 2>&1 3>&- 4>&- &
  wait_for 5 test -e "$ready"
  in_host "$on" iptables -t nat -A OUTPUT -p tcp -d "$address" --dport 3306 -m owner --gid-owner "$GROUP" \
    -j REDIRECT --to-ports 3307
}
end_turncoat() {
  [[ ${between:-} ]] || return 0
  in_host "$between" iptables -t nat -F OUTPUT
  in_host "$between" kill "$(<"$ready.pid")"
  between=
}

# call_between HOST HELPER ARGUMENTS… — as run_helper, through the turncoat.
call_between() {
  local before
  before=${EPOCHREALTIME/./}
  status=0
  output=$(in_host "$1" setpriv --regid "$GROUP" --clear-groups timeout --kill-after=5 30 \
    "$MMM_AGENT_DIR/$2" "mmm_agent_$1" "${@:3}" </dev/null 2>"$BATS_TEST_TMPDIR/stderr") || status=$?
  milliseconds=$(((${EPOCHREALTIME/./} - before) / 1000))
  stderr=$(<"$BATS_TEST_TMPDIR/stderr")
  line=${output##*$'\n'}
  last_call="$2 ${*:3} on $1, $(cat "$ready")"
  echo "# $last_call: $status, $line ($milliseconds ms)"
}

# answers_so_far — of the last call.
answers_so_far() { cat "$ready.count"; }

# draw_steps COUNT — where each round begins to lie, in `steps`: one for each part of a truthful call; how, in `lies`.
draw_steps() {
  local round first=$((RANDOM % ${#LIES[@]}))
  steps=() lies=()
  for ((round = 0; round < rounds; round++)); do
    steps+=("$((1 + ($1 * round + RANDOM % $1) / rounds))")
    lies+=("${LIES[(first + round) % ${#LIES[@]}]}")
  done
}

# has_ended_well — the last call answered as it must, in its 2 s and the 1.7 s of an undo.
has_ended_well() {
  if [[ $line != OK* || $status != 0 ]]; then expect_answer 255 'ERROR: *' || return 1; fi
  within 4500
}

# nothing_is_left HOST… — no session of a helper, and so no lock; no marker but that of an unfinished search.
nothing_is_left() {
  local host
  for host; do
    wait_for 3 no_session "$host" || return 1
    no_marker "$host" || return 1
  done
}
no_session() {
  local sessions
  sessions=$(sql "$1" "SELECT id, command, info FROM information_schema.processlist WHERE user = '$AGENT_USER'")
  [[ -z $sessions ]] && return 0
  printf 'sessions on %s: %s\n' "$1" "$sessions" >&2
  return 1
}
no_marker() {
  local left
  left=$(in_host "$1" find /var/lib/mysql-mmm /run -maxdepth 1 -name 'mysql-mmm-*' -not -name '*-search-*' \
    -size +0 2>/dev/null) || true
  [[ -z $left ]] && return 0
  printf 'left on %s: %s\n' "$1" "$left" >&2
  return 1
}

# moves_whatever HOST ALWAYS — db3 is moved to and fro between closed masters, while HOST's server (`next`: the new
# master's) lies at each step.
moves_whatever() {
  local master=db1 next=db2 round server=$1
  if [[ $1 == next ]]; then server=$next; fi
  sql db1 'SET GLOBAL read_only = 1'
  turncoat db3 "$server" 0 none 0
  call_between db3 set_active_master "$next"
  expect_answer 0 'OK*'
  draw_steps "$(answers_so_far)"
  end_turncoat
  master=db2 next=db1
  for ((round = 0; round < rounds; round++)); do
    server=$1
    if [[ $1 == next ]]; then server=$next; fi
    turncoat db3 "$server" "${steps[round]}" "${lies[round]}" "$2"
    call_between db3 set_active_master "$next"
    end_turncoat
    has_ended_well
    if [[ $line == OK* ]]; then master=$next; fi
    wait_for 4 follows_one_of "$master" "$next"
    nothing_is_left db1 db2 db3
    # A call that was refused may have worked all the same; the agent asks again.
    run_helper db3 set_active_master "$next"
    expect_answer 0 'OK*'
    wait_for 3 runs_from db3 "$next"
    wait_for 3 runs_from db2 db1
    wait_for 3 runs_from db1 db2
    if [[ $next == db2 ]]; then next=db1 master=db2; else next=db2 master=db1; fi
  done
  open_writes "$master"
  nothing_lost "$master" db1 db2 db3
  sql "$master" 'SET GLOBAL read_only = 1'
}
follows_one_of() { runs_from db3 "$1" || runs_from db3 "$2"; }

@test "whatever the new master sends at any step of a move, the slave follows one of the two, and nothing is left" {
  moves_whatever next 1
}

@test "whatever its own server sends once at any step of a move, the slave follows one of the two, and nothing is left" {
  moves_whatever db3 0
}

@test "whatever a writable peer sends, writes stay closed" {
  local round
  sql db1 'SET GLOBAL read_only = 0'
  turncoat db2 db1 0 none 0
  call_between db2 mysql_allow_write
  expect_answer 255 'ERROR: *'
  draw_steps "$(answers_so_far)"
  end_turncoat
  for ((round = 0; round < rounds; round++)); do
    turncoat db2 db1 "${steps[round]}" "${lies[round]}" 1
    call_between db2 mysql_allow_write
    end_turncoat
    expect_answer 255 'ERROR: *'
    within 4500
    is_read_only db2
    wait_for 3 runs_from db2 db1
    nothing_is_left db1 db2
  done
}

@test "whatever its own server sends once, mysql_deny_write says OK only if it is closed, and the next call closes it" {
  local round
  sql db1 'SET GLOBAL read_only = 1'
  sql db2 'SET GLOBAL read_only = 0'
  turncoat db2 db2 0 none 0
  call_between db2 mysql_deny_write
  expect_answer 0 'OK*'
  draw_steps "$(answers_so_far)"
  end_turncoat
  for ((round = 0; round < rounds; round++)); do
    sql db2 'SET GLOBAL read_only = 0'
    turncoat db2 db2 "${steps[round]}" "${lies[round]}" 0
    call_between db2 mysql_deny_write
    end_turncoat
    has_ended_well
    if [[ $line == OK* ]]; then is_read_only db2; fi
    nothing_is_left db2
    run_helper db2 mysql_deny_write
    expect_answer 0 'OK*'
    is_read_only db2
    wait_for 3 runs_from db2 db1
    wait_for 3 runs_from db1 db2
  done
}
