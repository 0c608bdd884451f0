#!/usr/bin/env bats
# db1 dies at any moment while clients write, each commit having waited until the slave db3 had it (semi-synchronous
# replication, one acknowledgement, AFTER_SYNC). With `allow_write: { survivors: require }`, db2 opens with all of them.
# MMM_ROUNDS says how often (2).

load ../lib/cluster
load ../lib/clients
load ../lib/failover
load ../lib/survivors

setup_file() { cluster_in_mode; }
teardown_file() { end_cluster; }
setup() { only_on semi_sync 'there is no plugin for it'; }
teardown() {
  end_clients
  dump_on_failure
}

# acknowledging — every commit on db1 waits for db3.
acknowledging() {
  semi_sync db1 60000 db3
  lossless db1
  stop_replica_thread db3 IO_THREAD
  start_replica_thread db3 IO_THREAD
  wait_for 5 eval '[[ $(semi_sync_status db1 clients) == 1 ]]'
}

# falls_behind HOW — db2 gets less than db3, now or later; db3 may have fetched more than it has applied.
falls_behind() {
  case $1 in
    0) ;;
    1) in_host client tc qdisc add dev db2 root tbf rate 400kbit burst 8k latency 2s ;;
    2) cut_off db2 ;;
    3) stop_replica_thread db2 IO_THREAD ;;
    4)
      hold db3
      cut_off db2
      later "1.$((RANDOM % 10))" release db3
      ;;
  esac
}

# has_acknowledged HOST NAME — all that the clients of that name know to be written.
has_acknowledged() {
  local missing
  missing=$(comm -23 <(acknowledged "$2") <(sql "$1" "SELECT note FROM app.entries WHERE origin = '$2'" | sort))
  [[ ! $missing ]] && return 0
  printf '%s of %s acknowledged rows are missing on %s:\n%s\n' "$(wc -l <<<"$missing")" \
    "$(acknowledged "$2" | wc -l)" "$1" "$missing" | head -n 20 >&2
  return 1
}

# told_first HOST… — in which order the agents are told; each is asked until it says OK.
told_first() {
  local host
  for host in "$@"; do
    case $host in
      db2) gets OK db2 sync_with_master && gets OK db2 mysql_allow_write || return 1 ;;
      # Told first, it may have more than the new master, and stays.
      db3) agent_call db3 set_active_master db2 ;;
    esac
  done
}

@test "the writer is killed under load, again and again: every acknowledged row is on the new master when it opens" {
  local round how name sum=0
  for ((round = 1; round <= ${MMM_ROUNDS:-2}; round++)); do
    fresh_order
    settings db2 'allow_write: { survivors: require }'
    acknowledging
    name=herd$round how=$((round == 1 ? 4 : RANDOM % 5))
    start_clients "$name" db1 "$APP_USER" "$APP_PASSWORD" herd 4
    sleep "0.$((RANDOM % 9 + 1))"
    falls_behind "$how"
    sleep "0.$((RANDOM % 9 + 1))$((RANDOM % 10))"
    dies
    end_clients
    fast_network db2

    if ((RANDOM % 2)); then told_first db3 db2; else told_first db2; fi || { echo "round $round, $how" >&2; return 1; }
    is_open
    is_back
    has_acknowledged db2 "$name" || { echo "round $round, $how" >&2; return 1; }
    sum=$((sum + $(acknowledged "$name" | wc -l)))
    all_agree || { echo "round $round, $how" >&2; return 1; }
  done
  echo "$sum rows were acknowledged"
  ((sum > 20 * ${MMM_ROUNDS:-2}))
}
