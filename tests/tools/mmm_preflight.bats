#!/usr/bin/env bats
# mmm_preflight on real hosts: each of them finds nothing wrong with a good cluster, and finds everything that is
# broken, with a code and a cure, which is then tried.

load ../lib/cluster
load ../lib/answers
load ../lib/failover
load ../lib/preflight

setup_file() { recommended && cluster_for_file && prepare; }
teardown_file() { end_cluster; }
setup() { good_cluster; }
teardown() { end_good_cluster; }

# golden NAME — the last screen is the one in that file, but for what changes with servers and time.
golden() {
  diff "$BATS_TEST_DIRNAME/mmm_preflight.$1.txt" <(
    sed -E 's/(MariaDB|MySQL) [0-9.]+/SERVER/; s/binlog\.[0-9]+:[0-9]+/PLACE/g; s/version [0-9.]+/version X/' <<<"$output") >&2
}

@test "a good cluster looks good, at 80 columns and without colour, and looking leaves no trace" {
  local before
  before=$(standing db3)
  look db3
  [ "$status" = 0 ]
  golden good
  [ "$(standing db3)" = "$before" ]
  [ ! -s "$(host_dir db3)/log/mmm_helpers.log" ]
  is_good db1
  is_good db2
}

@test "a broken cluster says what to mend, the worst first" {
  stop_replica_thread db3 SQL_THREAD
  in_host db2 ip addr add "$WRITER_IP/32" dev eth0
  sql db2 'SET GLOBAL auto_increment_offset = 1'
  look db3
  [ "$status" = 2 ]
  golden broken
  sees db3 2 sql-thread-stopped address-conflict auto-increment-clash
  cured
  becomes_good db3
}

@test "a document says what the screen says, and a plugin's line has its data and exit codes" {
  look db1 --format yaml
  [[ $status == 0 && $output == 'schema: 1'* ]]
  look db1 --plugin
  [[ $status == 0 && $line == 'MMM OK - '*'|hosts=3 answering=3 failures=0 warnings=0 time='*' lag_db3=0s;8' ]]
  sql db2 'SET GLOBAL auto_increment_offset = 1'
  look db1 --plugin
  [[ $status == 1 && $output == "$line" && $line == 'MMM WARNING - '*'[auto-increment-clash]|'* ]]
  sql db2 'SET GLOBAL auto_increment_offset = 2' 'SET GLOBAL read_only = 0'
  look db1 --plugin
  [[ $status == 2 && $line == 'MMM CRITICAL - '*'[two-writers]|'* ]]
  sql db2 'SET GLOBAL read_only = 1'
  look db1 --plugin no_such
  [[ $status == 3 && $line == 'MMM UNKNOWN - '*'no_such.conf'* ]]
}

@test "there is colour on a terminal only, and not where it is unwanted" {
  local program=$MMM_AGENT_DIR/mmm_preflight
  on_terminal() { in_host db1 env TERM=xterm "$@" script -qec "$program $options" /dev/null </dev/null; }
  options=
  on_terminal | grep -q $'\e\[32m'
  look db1
  [[ $output != *$'\e'* ]]
  [[ $(on_terminal NO_COLOR=1) != *$'\e'* ]]
  options=--no-color
  [[ $(on_terminal) != *$'\e'* ]]
}

@test "it looks again and again until it is interrupted" {
  local screens
  # By SIGINT, which bash would keep from a command in the background.
  screens=$(in_host db1 perl -e 'alarm 60; my ($seen, $pid) = (0, open my $out, "-|", @ARGV);
    while (<$out>) { kill INT => $pid if /^Again in 0.5 s; Ctrl-C/ && ++$seen == 2 }
    close $out; print "$seen screens, signal ", $? & 127, ", exit ", $? >> 8' \
    "$MMM_AGENT_DIR/mmm_preflight" --watch=0.5)
  [[ $screens == @('2 screens, signal 2, exit 0'|'2 screens, signal 0, exit 130') ]]
}

@test "a slave or passive master that takes writes is found, and closed by the cure" {
  sql db3 'SET GLOBAL read_only = 0'
  sees db1 2 slave-writable
  cured
  sql db2 'SET GLOBAL read_only = 0'
  sees db3 2 two-writers
  cured
  is_good db3
}

@test "an applier that failed is found, without a customer's row in the text" {
  fail_applier db3 db1
  sees db3 2 sql-thread-failed
  [[ $output != *theirs* ]]
  sql db3 'SET sql_log_bin = 0' 'DELETE FROM app.entries WHERE id = 1001'
  cured || true
  becomes_good db3
}

# obeyed TEXT — it holds what a terminal would obey: C0, DEL, C1, or a mark that turns the text's direction.
obeyed() { LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' <<<"$1"; }

@test "a terminal obeys nothing that a server says" {
  leaves_traces
  local format
  sql db3 'STOP SLAVE' $'CHANGE MASTER TO MASTER_HOST = \'a\e[31mb\xc2\x9b1m\xe2\x80\xae\''
  for format in --format=text --format=json --format=yaml --plugin; do
    look db3 "$format"
    [[ $status == 2 ]] && ! obeyed "$output" || { cat -v <<<"$output" >&2; return 1; }
    if [[ $format == *text ]]; then [[ $output == *'follows a\u{1b}[31mb'* ]]; fi
    if [[ $format == *json ]]; then jq -e '.hosts[2].replicates_from.address | startswith("a\u001b[31mb")' <<<"$output"; fi
  done
}

@test "a fetching thread that is stopped, or is not let in, is found" {
  stop_replica_thread db2 IO_THREAD
  sees db1 2 io-thread-stopped
  set_password db1 "$REPLICATION_USER" other
  # The helper says that the account is refused.
  ! cured || false
  wait_for 5 sees db2 2 io-thread-failed replication-login-refused
  # cured reads the last look that was made here.
  sees db2 2 io-thread-failed replication-login-refused
  set_password db1 "$REPLICATION_USER" "$REPLICATION_PASSWORD"
  cured io-thread-failed
  becomes_good db2
}

@test "a privilege that is missing is found, and granted by the cure" {
  may_not db3 read_only
  sees db1 2 privilege-missing
  local log
  log=$(binlog_end db3)
  cured
  is_good db1
  # A transaction of a slave's own would keep it from being moved.
  [ "$(binlog_end db3)" = "$log" ]
}

@test "what the agent's account may not ask is not known, and not well" {
  leaves_traces
  [[ $FAMILY == MariaDB ]] || skip 'MySQL shows it to others'
  may_not db2 status
  look db1
  [[ $output == *'follows: not known (privileges)'* && $output != *'follows nobody'* ]]
  look db1 --format json
  jq -e '[.checks[] | select(.name == ("replication", "lag", "logs", "gtids")).state] | unique == ["skipped"]' <<<"$output"
  jq -e '.hosts[1] | .answers and (.replication_known | not) and .replicates_from == null' <<<"$output"
}

@test "a wrong password here is one finding, and no server is taken for silent" {
  local file
  file=$(host_dir db3)/mysql-mmm/mmm_common.conf
  cp "$file" "$BATS_TEST_TMPDIR/kept"
  sed -i 's/agent_password.*/agent_password other/' "$file"
  sees db3 2 agent-login-refused
  [[ $output == *"agent_password of this host's configuration is probably wrong"* ]]
  look db3
  [[ $output == *'LOG-IN REFUSED'* && $output != *'NO ANSWER'* && $output != *'ALTER USER'* ]]
  cat "$BATS_TEST_TMPDIR/kept" >"$file"
  becomes_good db3
}

@test "a disk that is full or mounted read-only is found where helpers write their journal and their state" {
  local folder options
  for folder in log lib; do
    in_host db3 mkdir -p "/var/$folder/mysql-mmm"
    for options in ro size=4k; do
      has_disk "/var/$folder/mysql-mmm" "$options"
    done
  done
}
# has_disk FOLDER OPTIONS — with such a disk there, exactly that is found.
has_disk() {
  local found expected=state-unwritable
  if [[ $1 == */log/* ]]; then expected=journal-unwritable; fi
  found=$(in_host db3 sh -c "mount -t tmpfs -o $2 none $1
    if [ $2 != ro ]; then dd if=/dev/zero of=$1/full bs=4k count=1; fi
    $MMM_AGENT_DIR/mmm_preflight --format json; umount $1" 2>/dev/null | jq -r '.checks[].findings[].code')
  [[ $found == "$expected" ]] || { echo "$1 $2: $found" >&2; return 1; }
}

@test "two servers with one id are found" {
  sql db3 'SET GLOBAL server_id = 2'
  sees db1 2 server-id-duplicate
  sql db3 'SET GLOBAL server_id = 3'
  is_good db1
}

@test "a master that does not log what it replicates, or leaves rows out, is found" {
  restart_server db2 --log-slave-updates=0
  wait_for 5 sees db1 2 log-slave-updates-off
  restart_server db2 --replicate-ignore-table=app.none --binlog-ignore-db=none
  wait_for 5 sees db1 2 master-filters
  look db1
  [[ $output == *"Binlog_Ignore_DB=none with binlog_format=$(sql db2 'SELECT @@GLOBAL.binlog_format')"* && $output == *Replicate_Ignore_Table=app.none* ]]
  restart_server db2
  becomes_good db1
}

@test "a late slave and a delayed one are found" {
  hold db3
  insert db1
  wait_for 20 sees db1 1 lag
  release db3
  becomes_good db1
  delay db3 600
  # Its I/O thread may still be connecting.
  wait_for 10 sees db1 1 delayed
  delay db3 0
  becomes_good db1
}

@test "a slave that a helper is moving right now is not complained of" {
  busy db3 replication
  is_good db3
  release db3
}

@test "a server that is frozen is found in time, wherever it is" {
  freeze db1
  # For 36 s, db3 takes what it has heard for a sign of life, and a move from db1 would be refused.
  sees db3 2 move-refused server-unreachable
  in_time
  look db3 --timeout 2
  [ "$status" = 2 ]
  within 3000
  look db1 --timeout 2
  [ "$status" = 2 ]
  thaw db1
  reconnects_to db1
  becomes_good db3
}

@test "a server that is down is found, and nothing else is said of it" {
  kill_server db2
  sees db3 2 server-unreachable
  sees db1 2 server-unreachable
  start_server db2
  reconnects_to db2
  becomes_good db1
}

@test "a configuration that everybody may read is found" {
  local file
  file=$(host_dir db3)/mysql-mmm/mmm_common.conf
  chmod 644 "$file"
  sees db3 2 config-world-readable
  chmod 640 "$file"
  is_good db3
}

@test "a configuration that was copied from another host, or is hardly meant as it is, is found" {
  local folder
  folder=$(host_dir db3)/mysql-mmm
  cp "$folder/mmm_agent_db2.conf" "$folder/copied.conf"
  look db3 copied --format json
  [[ $status == 2 && $output == *'"this-elsewhere"'* ]]
  cp "$folder/mmm_agent.conf" "$folder/quirk.conf"
  printf 'max_kill_retries 10 # seconds\n' >>"$folder/quirk.conf"
  chmod 640 "$folder/quirk.conf"
  look db3 quirk --format json
  [[ $status == 1 && $output == *'"config-quirk"'* ]]
  printf 'include missing.conf\n' >"$folder/quirk.conf"
  look db3 quirk
  [[ $status == 3 && $output == *'copy missing.conf from another host'* ]]
  rm "$folder/copied.conf" "$folder/quirk.conf"
}

@test "a helper that is missing, closed, or a stranger is found, and a stranger is never run" {
  in_host db3 sh -c "cd $AGENT && rm check_ip clear_ip turn_on_slave && cp /bin/true clear_ip && chmod 644 clear_ip &&
    printf '#!/bin/sh\ntouch /run/was-run\n' >turn_on_slave && chmod 755 turn_on_slave"
  sees db3 2 helper-missing helper-not-executable helper-foreign
  in_host db3 test ! -e /run/was-run
  in_host db3 sh -c "cd $AGENT && rm -f *_* && ln -s $MMM_AGENT_DIR/*_* ."
  is_good db3
}

@test "an interface that is down or not there is found" {
  in_host db3 ip link set eth0 down
  sees db3 2 interface-unusable server-unreachable server-unreachable
  in_host db3 ip link set eth0 up
  sed -i 's/eth0/eth9/' "$(host_dir db3)/mysql-mmm/mmm_common.conf"
  sees db3 2 interface-unusable
  sed -i 's/eth9/eth0/' "$(host_dir db3)/mysql-mmm/mmm_common.conf"
  becomes_good db3
}

@test "an address that two hosts hold, none, or the wrong one is found from every host" {
  in_host db2 ip addr add "$WRITER_IP/32" dev eth0
  for host in db1 db2 db3; do sees "$host" 2 address-conflict; done
  cured
  in_host db3 ip addr add "$WRITER_IP/32" dev eth0
  in_host db1 ip addr del "$WRITER_IP/32" dev eth0
  sees db1 2 address-misplaced writer-without-address
  in_host db3 ip addr del "$WRITER_IP/32" dev eth0
  sees db1 1 address-nowhere
  in_host db1 ip addr add "$WRITER_IP/32" dev eth0
  is_good db1
}
