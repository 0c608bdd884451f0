#!/usr/bin/env bats
# The harness tests itself: what it says about a cluster must be so.

load cluster

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
teardown() { dump_on_failure; }

# A folder of stand-ins for helpers.
stand_in() {
  mkdir -p "$BATS_TEST_TMPDIR/agent"
  MMM_AGENT_DIR=$BATS_TEST_TMPDIR/agent
  printf '#!/bin/sh\n%s\n' "$2" >"$MMM_AGENT_DIR/$1"
  chmod +x "$MMM_AGENT_DIR/$1"
}

@test "a row written on either master reaches every host" {
  sql db1 "INSERT INTO app.entries (origin) VALUES ('db1')"
  caught_up db2 db1
  sql db2 "INSERT INTO app.entries (origin) VALUES ('db2')"
  caught_up db1 db2
  caught_up db3 db1

  rows_equal db1 db2 db3
  [ "$(sql db3 'SELECT GROUP_CONCAT(id, origin ORDER BY id) FROM app.entries')" = 1db1,2db2 ]
}

@test "rows_equal sees a row that is missing and one that differs" {
  reset_cluster
  sql db1 "INSERT INTO app.entries (note) VALUES ('a')"
  caught_up db3 db1
  sql db3 'SET sql_log_bin = 0' "UPDATE app.entries SET note = 'b'"
  run rows_equal db1 db3
  [ "$status" -eq 1 ]
  [[ $output == *$'-`app`.`entries`\t1\t\ta'* ]]

  sql db3 'SET sql_log_bin = 0' 'DELETE FROM app.entries'
  run rows_equal db1 db3
  [ "$status" -eq 1 ]
}

@test "reset brings back data, replication, read_only, addresses, configuration and packet filters" {
  sql db1 "INSERT INTO app.entries (note) VALUES ('a')" 'SET GLOBAL read_only = 1'
  sql db2 'SET GLOBAL read_only = 0' 'CREATE DATABASE other'
  sql db3 'STOP SLAVE' 'RESET SLAVE ALL'
  in_host db1 ip addr add 10.77.0.99/32 dev eth0
  in_host db1 ip link set eth0 down
  drop_packets db2 db3
  echo nonsense >"$(host_dir db1)/mysql-mmm/mmm_agent.conf"
  in_host db2 sh -c 'sleep 1000 & echo strayed'

  reset_cluster

  [ "$(sql db1 'SELECT COUNT(*), @@read_only FROM app.entries')" = $'0\t0' ]
  [ "$(sql db2 'SELECT @@read_only')" = 1 ]
  [ "$(threads db1) $(threads db2) $(threads db3)" = "Yes Yes Yes Yes Yes Yes" ]
  [ "$(in_host db1 ip -4 -br addr show dev eth0 | awk '{ print $2, $3 }')" = "UP $(host_ip db1)/24" ]
  run in_host db2 iptables -S
  [[ $output != *-A* ]]
  [ "$(in_host db1 cat /etc/mysql-mmm/mmm_agent.conf)" = $'include mmm_common.conf\nthis db1' ]
  run in_host db2 pgrep sleep
  [ "$output" = 1 ]
  rows_equal db1 db2 db3
}

@test "each host has its own configuration, journal, hostname and /run" {
  [ "$(in_host db2 tail -n 1 /etc/mysql-mmm/mmm_agent.conf)" = "this db2" ]
  [ "$(in_host db2 tail -n 1 /etc/mysql-mmm/mmm_agent_db3.conf)" = "this db3" ]
  [ "$(in_host db2 stat -c %a /etc/mysql-mmm/mmm_common.conf)" = 640 ]
  [ "$(in_host db2 hostname)" = db2 ]
  in_host db2 sh -c 'echo hello >/var/log/mysql-mmm/mmm_helpers.log; touch /run/mine /etc/mine'

  [ "$(journal db2)" = hello ]
  [ ! -e "$(host_dir db3)/log/mmm_helpers.log" ]
  run in_host db3 ls /run/mine /etc/mine
  [ "$status" -ne 0 ]
  [ ! -e /etc/mine ]
}

@test "the agent's account has the documented grants and no more" {
  run sql db1 "SHOW GRANTS FOR 'mmm_agent'@'10.77.0.%'"
  [[ $output == "GRANT PROCESS, SUPER, BINLOG MONITOR, READ_ONLY ADMIN ON *.* TO"* ]]
  [ "${#lines[@]}" -eq 1 ]
}

@test "an application cannot write on a host that is read-only" {
  run sql_as_app db2 'INSERT INTO app.entries () VALUES ()'
  [ "$status" -ne 0 ]
  [[ $output == *read-only* ]]
  sql_as_app db1 'INSERT INTO app.entries () VALUES ()'
}

@test "the agent reads the last line that is not blank, and the exit code" {
  stand_in talk 'echo first; echo "OK: second $*"; echo; exit 1'
  agent_call db1 talk eth0 10.0.0.1
  expect_agent_read 1 'OK: second mmm_agent_db1 eth0 10.0.0.1'
}

@test "the agent reads undef where a helper says nothing, and 0 where a signal ended it" {
  stand_in talk 'kill -KILL $$'
  agent_call db1 talk
  expect_agent_read 0 undef
}

@test "the agent takes a line on stderr for the answer only when the streams are joined" {
  stand_in talk 'echo OK; echo trouble >&2'
  agent_call db1 talk
  expect_agent_read 0 OK
  agent_call --joined db1 talk
  expect_agent_read 0 trouble
}

@test "the agent calls a helper in /, without input and with umask 022" {
  stand_in talk 'echo "$(pwd) $(umask) $(readlink /proc/self/fd/0)"'
  agent_call db1 talk
  expect_agent_read 0 '/ 0022 /dev/null'
}

@test "run_helper keeps stdout, stderr and the exit code apart" {
  stand_in talk 'echo one; echo two; echo err >&2; exit 7'
  run_helper db3 talk x
  [ "$output" = $'one\ntwo' ]
  [ "$stderr" = err ]
  expect_answer 7 two
  run expect_answer 0 two
  [ "$status" -eq 1 ]
}

@test "a frozen server accepts connections and answers nothing until it thaws" {
  freeze db2
  [ "$(server_state db2)" = frozen ]
  run timeout 1 "${CLIENT[@]}" --socket="$(host_dir db2)/mysqld.sock" -e 'DO 0'
  [ "$status" -eq 124 ]
  thaw db2
  sql db2 'DO 0'
}

@test "a killed server refuses connections, comes back read-only and goes on replicating" {
  kill_server db1
  [ "$(server_state db1)" = down ]
  run sql_as_app db1 'DO 0'
  [[ $output == *"Can't connect"* ]]
  start_server db1
  is_read_only db1
  wait_for 10 eval '[ "$(threads db1)" = "Yes Yes" ]'
}

@test "dropped packets are not refused, rejected ones are" {
  drop_packets db1 client
  run in_host client timeout 1 bash -c 'echo >/dev/tcp/10.77.0.11/3306'
  [ "$status" -eq 124 ]
  pass_packets db1
  reject_packets db1 client
  run in_host client timeout 1 bash -c 'echo >/dev/tcp/10.77.0.11/3306'
  [ "$status" -eq 1 ]
  pass_packets db1
  in_host client timeout 1 bash -c 'echo >/dev/tcp/10.77.0.11/3306'
}

@test "two clusters live side by side, and ending one leaves the other alone and nothing of itself" {
  other=$MMM_CLUSTER-other
  MMM_CLUSTER=$other "$REPOSITORY/tests/cluster" up
  MMM_CLUSTER=$other "$REPOSITORY/tests/cluster" exec db2 sh -c 'sleep 2000 >/dev/null 2>&1 & echo started'
  sql db1 "INSERT INTO app.entries (note) VALUES ('mine')"
  [ "$(MMM_CLUSTER=$other "$REPOSITORY/tests/cluster" sql db1 'SELECT COUNT(*) FROM app.entries')" = 0 ]
  namespaces=()
  for host in client db1 db2 db3; do
    read -r pid _ <"/tmp/mmm-cluster-$other/$host/holder"
    namespaces+=("$(readlink "/proc/$pid/ns/net")" "$(readlink "/proc/$pid/ns/pid")")
  done

  MMM_CLUSTER=$other "$REPOSITORY/tests/cluster" down

  [ ! -e "/tmp/mmm-cluster-$other" ]
  for namespace in "${namespaces[@]}"; do
    run find /proc/[0-9]*/ns -lname "$namespace"
    [[ $output != *"/proc/"*"/ns/"* || $output == *"No such"* ]]
  done
  sql db1 'DO 0'
}

@test "up refuses a second time and names what to do" {
  run "$REPOSITORY/tests/cluster" up
  [ "$status" -eq 1 ]
  [[ $output == *"is up already"*"tests/cluster down"* ]]
}

# says_why OUTPUT REASON — what `up` printed ends with the reason, and nothing is left of it.
says_why() {
  [[ ${1##*$'\n'} == "tests/cluster: "*client*"$2"* && $1 != *'No such file'* ]] &&
    [ ! -e "/tmp/mmm-cluster-$MMM_CLUSTER-none" ]
}

@test "where there can be no namespaces, up says so in its last line and leaves nothing" {
  local bin=$BATS_TEST_TMPDIR/bin root=$BATS_TEST_TMPDIR/root/inner before=$SECONDS
  mkdir -p "$bin" "$root"
  printf '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n' >"$bin/unshare"
  chmod +x "$bin/unshare"
  PATH=$bin:$PATH MMM_CLUSTER=$MMM_CLUSTER-none run "$REPOSITORY/tests/cluster" up
  [ "$status" -eq 1 ]
  says_why "$output" 'Operation not permitted'

  # A chroot, where the kernel makes no mounts of an own.
  MMM_CLUSTER=$MMM_CLUSTER-none run unshare --mount bash -euc '
    for place in /*; do
      if [[ -L $place ]]; then cp -P "$place" "$1$place"
      elif [[ -d $place ]]; then mkdir "$1$place" && mount --rbind "$place" "$1$place"; fi
    done
    exec chroot "$1" "$2" up' chroot "$root" "$REPOSITORY/tests/cluster"
  [ "$status" -eq 1 ]
  says_why "$output" propagation
  ((SECONDS - before < 10))
}

@test "a cluster in GTID mode replicates by GTID" {
  other=$MMM_CLUSTER-gtid
  export MMM_CLUSTER=$other
  MMM_REPLICATION=gtid "$REPOSITORY/tests/cluster" up
  CLUSTER_DIR=/tmp/mmm-cluster-$other
  [ "$(replication_mode db3)" = gtid ]
  "$REPOSITORY/tests/cluster" reset
  [ "$(replication_mode db3)" = gtid ]
  sql db1 "INSERT INTO app.entries (note) VALUES ('g')"
  caught_up db3 db1
  rows_equal db1 db3
  "$REPOSITORY/tests/cluster" down
}
