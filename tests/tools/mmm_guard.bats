#!/usr/bin/env bats
# mmm_guard: a host that comes back takes no writes and holds no address; and a live writer stays as it is.

load ../lib/cluster
load ../lib/answers

AGENT=/var/lib/mmm/agent

setup_file() { cluster_for_file && prepare; }
teardown_file() { end_cluster; }
setup() {
  reset_cluster
  prepare
  in_host db1 ip addr add "$WRITER_IP/32" dev eth0
}
teardown() {
  dump_on_failure
  if [[ ${agent:-} ]]; then kill "$agent" || true; fi
}

# prepare — helpers where the agent of db1 looks for them.
prepare() {
  in_host db1 sh -c "rm -rf $AGENT && mkdir -p $AGENT && ln -s $MMM_AGENT_DIR/*_* $AGENT/"
  sed -i "s|bin_path.*|bin_path ${AGENT%/agent}/|" "$(host_dir db1)/mysql-mmm/mmm_common.conf"
}

# guard [OPTION…] — on db1, as its unit would run it.
guard() { run_bare db1 mmm_guard "$@" && keeps_secrets; }

# agent_of_db1 — something that looks like MMM's agent.
agent_of_db1() {
  in_host db1 perl -e '$0 = "mmm_agentd"; sleep 300' 3>&- 4>&- &
  agent=$!
  wait_for 5 agent_is_there
}
agent_is_there() { in_host db1 pgrep -f '^mmm_agentd' >/dev/null; }

has_writer_ip() { in_host db1 ip -o addr show dev eth0 | grep -qF "$WRITER_IP/32"; }
is_guarded() { is_read_only db1 && ! has_writer_ip; }

# said TEXT — the last call printed exactly that.
said() {
  [[ $status == 0 && $output == "$1" && -z $stderr ]] && return 0
  printf '%s\n' "$last_call: $status" "$output" "$stderr" >&2
  return 1
}

@test "a writer that comes back open and with its address is closed, its address is gone, and that is said; then nothing is to do" {
  server_end db1 KILL
  server_start db1
  sql db1 'SET GLOBAL read_only = 0'
  guard
  said "took $WRITER_IP from eth0
closed db1 to writes: read_only is on, and clients' sessions were ended"
  is_guarded
  # The host's own address stays.
  in_host db1 ip -o addr show dev eth0 | grep -qF "$(address_of db1)/24"
  guard
  said 'nothing to do'
  is_guarded
}

@test "a server that does not run yet is waited for, and the address is gone before it runs" {
  local out=$BATS_TEST_TMPDIR/out
  server_end db1 TERM
  in_host db1 "$MMM_AGENT_DIR/mmm_guard" --wait 60 >"$out" 2>&1 3>&- 4>&- &
  local process=$!
  wait_for 10 grep -q '^waiting for the server of db1, at most 60 s$' "$out"
  run has_writer_ip
  [ "$status" = 1 ]
  [[ $(head -n 1 "$out") == "took $WRITER_IP from eth0" ]]
  server_start db1 --read-only=0
  wait "$process"
  [ "$(tail -n 1 "$out")" = "closed db1 to writes: read_only is on, and clients' sessions were ended" ]
  is_guarded
}

@test "a server that comes back closed is left closed, and that is said" {
  guard --wait 0
  [[ $status == 0 && $output == *"closed db1 to writes"* ]]
  in_host db1 ip addr add "$WRITER_IP/32" dev eth0
  guard
  said "took $WRITER_IP from eth0
the server of db1 takes no writes already"
}

@test "a server that never comes is waited for up to the limit; the address is gone all the same" {
  server_end db1 TERM
  guard --wait 1
  [[ $status == 3 && $stderr == *'the server of db1 was not closed: '*'run mmm_guard --now'* ]]
  ((milliseconds >= 1000 && milliseconds < 10000))
  run has_writer_ip
  [ "$status" = 1 ]
  server_start db1
}

@test "on a live writer nothing is done: its server runs for long, or the agent has given it the role since" {
  sql db1 'SET GLOBAL read_only = 0'
  sleep 2
  guard --within 1
  [[ $status == 1 && $stderr == *'nothing was done: the server has been running for '*'mmm_guard --now'* ]]
  run is_read_only db1
  [ "$status" = 1 ]
  has_writer_ip
  # Of what the agent calls again and again while a role is held.
  agent_of_db1
  run_helper db1 mysql_allow_write
  guard
  [[ $status == 1 && $stderr == *'the agent is running and has given this host a role since its server started (mysql_allow_write at '* ]]
  run is_read_only db1
  [ "$status" = 1 ]
  has_writer_ip
  guard --now
  [ "$status" = 0 ]
  is_guarded
}

@test "what the agent said before the server's start counts no more" {
  agent_of_db1
  run_helper db1 mysql_allow_write
  server_end db1 KILL
  sleep 2
  server_start db1
  sql db1 'SET GLOBAL read_only = 0'
  guard
  [ "$status" = 0 ]
  is_guarded
}

@test "a writer that lets nobody in any more is taken for a busy one" {
  sql db1 'SET GLOBAL read_only = 0'
  set_password db1 "$AGENT_USER" other
  # This machine may have been running for any time.
  guard --within 0
  [[ $status == 1 && $stderr == *'accepts connections here and cannot be asked since when it runs: '* ]]
  has_writer_ip
  set_password db1 "$AGENT_USER" "$AGENT_PASSWORD"
}

@test "where super_read_only is wanted, a server that has read_only alone is closed" {
  [[ " $LACKS " != *' super_read_only '* ]] || skip 'it has none'
  settings db1 'deny_write: {super_read_only: true}'
  sql db1 'SET GLOBAL read_only = 1'
  guard
  [[ $status == 0 && $output == *'closed db1 to writes'* ]]
  [ "$(sql db1 'SELECT @@super_read_only')" = 1 ]
  guard
  said 'nothing to do'
}

@test "with helpers that are not this project's, it does the work itself" {
  in_host db1 sh -c "cd $AGENT && rm -f clear_ip mysql_deny_write && printf '#!/bin/sh\ntouch /run/was-run\necho OK\n' >clear_ip &&
    chmod 755 clear_ip && cp clear_ip mysql_deny_write"
  sql db1 'SET GLOBAL read_only = 0'
  guard
  [ "$status" = 0 ]
  [[ $output == *"$AGENT/clear_ip is not this project's helper"*"$AGENT/mysql_deny_write is not this project's helper"* ]]
  in_host db1 test ! -e /run/was-run
  is_guarded
}

@test "an error in mmm_helpers.yaml keeps no server open and no address here" {
  settings db1 'limits: {conect: 3s}'
  guard --now
  [[ $status == 0 && $stderr == *'unknown field'*'mmm_helpers.yaml is not used; continuing with the defaults'* ]]
  is_guarded

  # Also what it says of the journal is its own.
  [[ $stderr != *mmm_journal:* ]]
}

@test "a configuration that cannot be read closes nothing, and says so" {
  guard no_such
  [[ $status == 3 && $stderr == *'no_such.conf'*'Nothing was done'* ]]
  has_writer_ip
}
