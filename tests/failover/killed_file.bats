#!/usr/bin/env bats
# set_active_master is killed at any moment: the next call ends well, and no host has lost, skipped or doubled a row.
# strace counts what the helper sends and receives and kills it there, so nothing depends on the machine's speed.
# The random moments come on top: MMM_RANDOM_KILLS says how many (40; 200 before a release). MMM_KILL_STEP=4 kills
# at every fourth call alone.

load ../lib/cluster
load ../lib/failover

setup_file() {
  cluster_in_mode
  fresh_order
}
teardown_file() { end_cluster; }
setup() { whose_turn; }
teardown() { dump_on_failure; }

# whose_turn — db3 follows $master, which takes writes; it shall follow $next.
whose_turn() {
  untraced
  master=db1 next=db2
  if [[ $(replica_field db3 Master_Host) == "$(host_ip db2)" ]]; then master=db2 next=db1; fi
}

# killed_at SYSCALL NUMBER — the helper runs until that call of the system; fails when it ends before.
killed_at() {
  local code=0
  # A shell between, which survives: strace ends as its child does.
  in_host db3 sh -c '"$@"; exit $?' sh strace -f -qq -o /dev/null -e "trace=$1" \
    -e "inject=$1:signal=KILL:when=$2" "$MMM_AGENT_DIR/set_active_master" mmm_agent_db3 "$next" \
    >/dev/null 2>&1 || code=$?
  case $code in
    137) return 0 ;;
    0) return 1 ;;
    *) printf 'killed at %s %s, the helper ended with %s\n' "$1" "$2" "$code" >&2; exit 1 ;;
  esac
}

# The master has just written and takes no more; what it wrote is on its way.
written_and_closed() { sql "$master" "$(writing "$master" 2)" 'SET GLOBAL read_only = 1'; }

# ends_well — what the agent's next call comes to, and what becomes of the rows. Then the roles are swapped.
ends_well() {
  local end sums host other=$master
  move db3 "$next" && expect_agent_read 0 'OK*' && replicates db3 "$next" || return 1
  end=$(sql "$next" 'SET GLOBAL read_only = 0' "$(writing "$next")" 'SHOW MASTER STATUS' |
    awk '{ printf "'\''%s'\'', %s", $1, $2 }')
  sums=$(sql "$next" 'CHECKSUM TABLE app.entries, app.heap')
  for host in db3 "$other"; do
    same_sums "$host" "$end" "$sums" || { same_rows "$next" "$host"; return 1; }
  done
  master=$next next=$other
}

# same_sums HOST END SUMS — a table's sum does not depend on the order of its rows.
same_sums() {
  local reached sums
  { read -r reached; sums=$(cat); } < <(sql "$1" "SELECT MASTER_POS_WAIT($2, 20)" \
    'CHECKSUM TABLE app.entries, app.heap')
  [[ $reached =~ ^[0-9]+$ && $sums == "$3" ]] && return 0
  printf '%s: wait for %s: %s; checksums here: %s; expected: %s\n' "$1" "$2" "$reached" "$sums" "$3" >&2
  return 1
}

# killed_everywhere SYSCALL LEAST — at its first such call, its second, and so on, until a run reaches its end.
killed_everywhere() {
  local number=1 is_killed=1 step=${MMM_KILL_STEP:-1}
  while [[ $is_killed ]]; do
    written_and_closed
    killed_at "$1" "$number" || is_killed=
    ends_well || { printf 'after a kill at %s %s\n' "$1" "$number" >&2; return 1; }
    number=$((number + step))
  done
  printf 'killed up to the call %s\n' "$((number - 2 * step))"
  # Connect, look, stop, change, start: a shorter run has not done the work.
  ((number - 2 * step >= $2 - step))
}

@test "killed before its every statement, the previous one answered" {
  killed_everywhere sendto 30
}

@test "killed after its every statement, before the answer is read" {
  killed_everywhere recvfrom 30
}

@test "killed at random moments, replication and the new master in any state" {
  local number delay state
  for ((number = 0; number < ${MMM_RANDOM_KILLS:-40}; number++)); do
    delay=$((RANDOM * 5)) state=$((RANDOM % 5))
    case $state in
      1) stop_replica_thread db3 SQL_THREAD ;;
      2) stop_replica_thread db3 IO_THREAD ;;
      3) stop_replica_thread db3 ;;
      4)
        stop_replica_thread "$next" SQL_THREAD
        { sleep 0.15; start_replica_thread "$next"; } >/dev/null 2>&1 3>&- 4>&- &
        ;;
    esac
    written_and_closed
    killed_after "$delay" "$next"
    wait
    ends_well || { printf 'after a kill at %s microseconds, state %s\n' "$delay" "$state" >&2; return 1; }
  done
}
