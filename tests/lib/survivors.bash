# shellcheck shell=bash disable=SC2034,SC2154
# A master that dies when only db3 has the last of what it wrote, and a new master that takes that over: making this,
# and telling how it ended. $old and $new say who is who.
#   load ../lib/cluster
#   load ../lib/failover
#   load ../lib/survivors

old=db1 new=db2

# The answer to a slave that has more than a new master which takes no writes yet.
TAKES_OVER='ERROR: *db2 takes over what only db3 has*'

# cut_off HOST — its connection to the old master has broken, no new one is let in, and it has noticed.
cut_off() {
  reject_packets "$old" "$1"
  sql "$old" "KILL $(sql "$old" "SELECT id FROM information_schema.processlist
    WHERE command LIKE 'Binlog Dump%' AND host LIKE '$(host_ip "$1"):%'")"
  wait_for 5 has_lost "$1"
}

# dies — the old master; hosts that could not reach it may do so when it is back.
dies() {
  kill_server "$old"
  pass_packets "$old"
}

# dies_ahead [COUNT] — the old master, when that many of its transactions are on db3 alone.
dies_ahead() {
  cut_off "$new"
  write "$old" "${1:-3}"
  caught_up db3 "$old"
  dies
}

# transactions HOST — how many of those of `write` it has; fresh_order has written 6.
transactions() { sql "$1" 'SELECT COUNT(*) FROM app.heap'; }
has_transactions() {
  local count
  count=$(transactions "$1")
  [[ $count == "$2" ]] && return 0
  printf '%s has %s transactions, expected were %s\n' "$1" "$count" "$2" >&2
  return 1
}

# own_row HOST — one that no other host has, and that none of theirs will meet.
own_row() { sql "$1" "INSERT INTO app.entries (id, note) VALUES (1000001, 'own')"; }

# gets PATTERN HOST HELPER ARGUMENTS… — asked as often as an agent would ask, it says OK in the end; this matches PATTERN.
gets() {
  local pattern=$1 until=$((SECONDS + 20))
  shift
  while
    agent_call "$@"
    [[ $answer != OK* ]] && ((SECONDS < until))
  do
    printf '%s: %s\n' "$last_call" "$answer"
    sleep 0.5
  done
  expect_agent_read 0 "$pattern"
}

# takes_over — the new master syncs and opens without an error; it then has what only db3 had.
takes_over() {
  local helper
  for helper in sync_with_master mysql_allow_write; do
    agent_call "$new" "$helper"
    expect_agent_read 0 OK || return 1
  done
  is_open && is_back
}

is_open() {
  ! is_read_only "$new" && return 0
  echo "$new takes no writes" >&2
  return 1
}

# is_back — the new master's one channel is the old master's, in the mode that it had, and no marker says otherwise.
is_back() {
  local state expected
  state="$(sources "$new") $(threads "$new") $(replication_mode "$new") $(left_behind takeover)"
  expected="$(host_ip "$old") * Yes $MMM_REPLICATION "
  # shellcheck disable=SC2053
  [[ $state == $expected && $state != *' No '* ]] && return 0
  printf 'replication of %s and its marker: %s, expected: %s\n' "$new" "$state" "$expected" >&2
  return 1
}
sources() { replica_status "$1" 'SHOW ALL SLAVES STATUS' | awk '$1 == "Master_Host:" { printf "%s%s", comma, $2; comma = "," }'; }
# left_behind [KIND] — files in which helpers have noted something for a later call; not that the host was opened beside a
# dead master, which counts until that answers.
left_behind() { in_host "$new" find /var/lib/mysql-mmm -name "mysql-mmm-${1:-t}*" -size +0 2>/dev/null || true; }

# comes_back — the old master, which takes no writes; both masters fetch from each other at once.
comes_back() {
  start_server "$old"
  reconnects_to "$old"
}

# all_agree — db3 follows the new master, the old one is back, and each has every row once.
all_agree() {
  gets 'OK*' db3 set_active_master "$new" && replicates db3 "$new" || return 1
  nothing_lost "$new" db3 || return 1
  comes_back && is_whole
}

# is_whole — each of the three follows, and has every row once.
is_whole() {
  wait_for 10 runs_from "$new" "$old" && wait_for 10 runs_from "$old" "$new" || return 1
  caught_up "$new" "$old" && nothing_lost "$new" "$old" db3 && is_back || return 1
  if [[ $(left_behind) ]]; then
    printf 'left behind on %s: %s\n' "$new" "$(left_behind)" >&2
    return 1
  fi
  # The servers that run now will do for the next test.
  server_pids >"$BATS_FILE_TMPDIR/servers"
}

# at_once HOST HELPER ARGUMENTS… — in the background; its answer is in the file that $answers names last.
at_once() {
  local file=$BATS_TEST_TMPDIR/at_once.${#answers[@]}
  answers+=("$file")
  in_host "$1" "$MMM_AGENT_DIR/$2" "mmm_agent_$1" "${@:3}" >"$file" 2>/dev/null 3>&- 4>&- &
  calls+=("$!")
}

# they_answer — all that was begun at_once has ended; shows the answers.
they_answer() {
  local file call
  for call in "${calls[@]}"; do wait "$call" || true; done
  for file in "${answers[@]}"; do tail -n 1 "$file"; done
}

# second_slave — db4, which follows db1, too. It lives in the client's place: sql client, agent_call client.
second_slave() {
  local host folder
  folder=$(host_dir client)/mysql-mmm
  for host in "${HOSTS[@]}"; do
    printf '\n<host db4>\n\tip\t%s\n\tmode\tslave\n</host>\n' "$CLIENT_IP" >>"$(host_dir "$host")/mysql-mmm/mmm_common.conf"
  done
  (
    umask 0027
    cat "$(host_dir db3)/mysql-mmm/mmm_common.conf" >"$folder/mmm_common.conf"
    agent_configuration db4 >"$folder/mmm_agent_client.conf"
  )
  end_second_slave
  server_data client "$(template)"
  sed -i 's/^server_id = .*/server_id = 4/' "$(host_dir client)/my.cnf"
  server_start client
  change_source client '' db1 "$(place_in_mode binlog.000001 4)"
  sql client 'START SLAVE'
  caught_up client db1
}
end_second_slave() { if server_alive client; then server_end client KILL; fi; }

# write_parts COUNT — as many transactions of 2 MB each.
write_parts() {
  local part
  for ((part = 0; part < $1; part++)); do
    sql "$old" 'SET SESSION binlog_format = ROW' \
      "INSERT INTO app.blobs (body) SELECT REPEAT(CHAR(65 + seq % 26), 131072) FROM $(numbers 16)"
  done
}

# is_taking_over [SETTINGS] — the new master, with these, has got the first of six parts that only db3 has, over a slow
# network, and is at it still; $calls has the helper.
is_taking_over() {
  # Without GTIDs, the contents show the position: the parts are read once more.
  settings "$new" "${1:-}$(has_gtids || printf '\nlimits: { call: 30s }')"
  cut_off "$new"
  write_parts 6
  caught_up db3 "$old"
  dies
  slow_network "$new"
  at_once "$new" sync_with_master
  wait_for 25 has_some_parts
}
has_some_parts() {
  local count
  count=$(sql "$new" 'SELECT COUNT(*) FROM app.blobs')
  ((count > 0 && count < 96))
}
has_all_parts() { [[ $(sql "$1" 'SELECT COUNT(*) FROM app.blobs') == 96 ]]; }

# helper_dies — the one that is taking over, half-way; and then the network is fast.
helper_dies() {
  helper_is_killed
  fast_network "$new"
}
helper_is_killed() {
  in_host "$new" pkill -KILL -x sync_with_maste
  wait "${calls[0]}" || true
}

# killed_before TEXT HELPER ARGUMENTS… — on the new master, when it is about to say that to its server.
killed_before() {
  local text=$1
  shift
  hold_up "$new" "$text"
  at_once "$new" "$@"
  wait_for 8 is_held_up "$new" || { they_answer; return 1; }
  in_host "$new" pkill -KILL -x "${1:0:15}"
  wait "${calls[-1]}" || true
  # The kernel continues to send it as long as somebody receives it.
  wait_for 5 has_no_sessions
  pass_packets "$new"
  wait_for 5 has_nothing_to_send
}
has_nothing_to_send() { [[ ! $(in_host "$new" ss -Htn state fin-wait-1) ]]; }
has_no_sessions() {
  local id left=0
  for id in $(sql "$new" "SELECT id FROM information_schema.processlist WHERE user = '$AGENT_USER'"); do
    sql "$new" "KILL $id" 2>/dev/null || true
    left=1
  done
  ((!left))
}
