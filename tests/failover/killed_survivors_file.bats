#!/usr/bin/env bats
# mysql_allow_write is killed, anywhere, while the new master takes over what only the slave has: whichever call comes
# next, and whether the old master stays dead or comes back, no host has lost, skipped or doubled a row.
# strace counts what the helper sends and receives from the moment at which it writes down that it begins.
# MMM_KILL_STEP=4 kills at every fourth call alone.

load ../lib/cluster
load ../lib/failover
load ../lib/survivors

setup_file() {
  cluster_in_mode
  fresh_order
}
teardown_file() { end_cluster; }
setup() { whose_turn; }
teardown() { dump_on_failure; }

# whose_turn — db3 follows $old, which takes writes.
whose_turn() {
  untraced
  old=db1 new=db2
  if [[ $(replica_field db3 Master_Host) == "$(host_ip db2)" ]]; then old=db2 new=db1; fi
}

# traced OPTIONS… — strace of mysql_allow_write on the new master, to the file $trace.
traced() {
  # A shell between, which survives: strace ends as its child does.
  in_host "$new" sh -c '"$@"; exit $?' sh strace -f -qq -o "$trace" "$@" \
    "$MMM_AGENT_DIR/mysql_allow_write" "mmm_agent_$new" >/dev/null 2>&1
}

# first_call SYSCALL — the number of the first one behind the writing of the marker, as that thread counts.
first_call() {
  trace=$BATS_TEST_TMPDIR/trace
  dies_ahead 2
  # musl opens files by the older call, which not every processor has.
  traced -e "trace=$1,openat,?open" || return 1
  first=$(awk -v call="$1" '
    { count[$1] += index($2, call "(") == 1 }
    /"\/var\/lib\/mysql-mmm\/.*O_CREAT/ { print count[$1] + 1; exit }' "$trace")
  trace=/dev/null
  if [[ ! $first ]]; then
    printf 'nothing was written down:\n' >&2
    return 1
  fi
  echo "the first call: $first"
  comes_back_and_swaps
}

# killed_at SYSCALL NUMBER — the helper runs until that call of the system; fails when it ends before.
killed_at() {
  local code=0
  traced -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" || code=$?
  case $code in
    137) return 0 ;;
    0) return 1 ;;
    *) printf 'killed at %s %s, the helper ended with %s\n' "$1" "$2" "$code" >&2; exit 1 ;;
  esac
}

# stays_dead — the agent retries.
stays_dead() {
  gets OK "$new" mysql_allow_write && is_back && moves db3 "$new" && same_rows "$new" db3 && comes_back_and_swaps
}

# returns CALL… — the old master is back and takes no writes; CALL is what the agent asks next.
returns() {
  start_server "$old"
  if [[ $1 == set_active_master ]]; then set -- "$1" "$old"; fi
  gets 'OK*' "$new" "$@" && is_back || return 1
  reconnects_to "$old"
  gets OK "$new" sync_with_master && gets OK "$new" mysql_allow_write && gets 'OK*' db3 set_active_master "$new" &&
    swaps
}

comes_back_and_swaps() {
  if [[ $(replica_field db3 Master_Host) != "$(host_ip "$new")" ]]; then moves db3 "$new" || return 1; fi
  comes_back && swaps
}

# swaps — all is well, and the roles are the other way round.
swaps() {
  local other=$old
  is_whole && replicates db3 "$new" || return 1
  old=$new new=$other
}

# killed_everywhere SYSCALL LEAST — at its first such call, its second, and so on, until a run reaches its end.
killed_everywhere() {
  local number is_killed=1 step=${MMM_KILL_STEP:-5} first='' round=0
  local next=(sync_with_master turn_on_slave mysql_allow_write set_active_master)
  first_call "$1" || return 1
  number=$first
  while [[ $is_killed ]]; do
    dies_ahead 2 || return 1
    killed_at "$1" "$number" || is_killed=
    case $((round % 2)) in
      0) stays_dead ;;
      *) returns "${next[round / 2 % 4]}" ;;
    esac || { printf 'after a kill at %s %s, round %s\n' "$1" "$number" "$round" >&2; return 1; }
    number=$((number + step)) round=$((round + 1))
  done
  printf 'killed from the call %s to %s, in %s rounds\n' "$first" "$((number - 2 * step))" "$round"
  # Stop, change, start, and the same again: a shorter run has not done the work.
  ((number - step - first >= $2 - step))
}

@test "killed before its every statement, the previous one answered" {
  killed_everywhere sendto 8
}

@test "killed after its every statement, before the answer is read" {
  killed_everywhere recvfrom 8
}
