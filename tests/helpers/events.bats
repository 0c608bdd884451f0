#!/usr/bin/env bats
# events.command: a command of the site learns once of each change, and no answer waits for it (docs/EVENTS.md).

# shellcheck disable=SC2016

load ../lib/cluster
load ../lib/failover
load ../lib/survivors

COMMAND=/etc/mysql-mmm/tell

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() {
  fresh_order
  local host
  for host in "${HOSTS[@]}"; do in_host "$host" sh -c 'rm -rf /var/lib/mysql-mmm'; done
}
teardown() {
  local host
  for host in "${HOSTS[@]}"; do in_host "$host" pkill -KILL -f 'sleep 60[0-9]' || true; done
  end_order
  end_second_slave
}

# told_on HOST [WHAT [LIMIT]] — from now on, HOST has a command that keeps each event and its environment, then does what
# the shell words WHAT say.
told_on() {
  local folder
  folder=$(host_dir "$1")/mysql-mmm
  cat >"$folder/tell" <<END
#!/bin/sh
cat >>/etc/mysql-mmm/told
env | grep ^MMM_EVENT_ >>/etc/mysql-mmm/environment
${2:-}
END
  chmod 755 "$folder/tell"
  settings "$1" "events: {command: [$COMMAND, 'a \"word\"'], limit: ${3:-10s}}"
}

# settled HOST — nothing of an earlier call runs there any more. A helper ends only after it has started this process.
settled() { wait_for 20 eval "! in_host $1 pgrep -f '^mmm-events' >/dev/null"; }

# told HOST — all events so far, one to a line.
told() {
  settled "$1" && touch "$(host_dir "$1")/mysql-mmm/told" && jq -c . "$(host_dir "$1")/mysql-mmm/told"
}

# kinds HOST — of all events so far.
kinds() { told "$1" | jq -r .kind | paste -sd' '; }

# has_told HOST KIND… — these and no others.
has_told() {
  local kinds
  kinds=$(kinds "$1")
  [[ $kinds == "${*:2}" ]] && return 0
  printf '%s has told: %s\nexpected:     %s\n' "$1" "$kinds" "${*:2}" >&2
  return 1
}

# last HOST FILTER — of the last event.
last() { told "$1" | tail -n 1 | jq -r "$2"; }

calls() {
  run_helper "$@"
  [[ $status != 255 ]] && return 0
  printf '%s: %s\n' "$last_call" "$line" >&2
  return 1
}
refuses() {
  run_helper "$@"
  expect_answer 255 'ERROR: *'
}

@test "a writer that opens and closes is told once each; calls that change nothing tell nothing" {
  told_on db1
  caught_up db1 db2

  for _ in 1 2 3; do calls db1 mysql_allow_write; done
  for _ in 1 2 3; do calls db1 mysql_may_write; done
  has_told db1
  for _ in 1 2 3; do calls db1 mysql_deny_write; done
  has_told db1 writer-closed
  [[ $(last db1 '[.schema, .host, .helper, .config, .message] | join("|")') == \
    '1|db1|mysql_deny_write|mmm_agent_db1|db1: closed to writes' ]]
  for _ in 1 2 3; do calls db1 mysql_allow_write; done

  has_told db1 writer-closed writer-opened
  [[ $(last db1 .reason) == 'the peer is read-only, '* ]]
  # Ours, within a minute, in UTC.
  [[ $(last db1 'now - (.time | sub("[.][0-9]+Z$"; "Z") | fromdate) | . >= -1 and . < 60') == true ]]
}

@test "an address that is added and removed is told once each, with the interface" {
  told_on db1
  for _ in 1 2 3; do calls db1 configure_ip eth0 "$WRITER_IP"; done
  for _ in 1 2 3; do calls db1 check_ip eth0 "$WRITER_IP"; done
  has_told db1 address-added
  [[ $(last db1 '[.host, .helper, .interface, .address] | join("|")') == "db1|configure_ip|eth0|$WRITER_IP" ]]

  for _ in 1 2 3; do calls db1 clear_ip eth0 "$WRITER_IP"; done

  has_told db1 address-added address-removed
  [[ $(last db1 '[.interface, .address, .message] | join("|")') == \
    "eth0|$WRITER_IP|db1: $WRITER_IP was removed from eth0" ]]
}

@test "calls at one moment that add one address, and that remove it, tell it once" {
  told_on db1
  local call
  for call in 1 2 3 4 5 6; do at_once db1 configure_ip eth0 "$WRITER_IP"; done
  they_answer
  has_told db1 address-added
  calls=() answers=()
  for call in 1 2 3 4 5 6; do at_once db1 clear_ip eth0 "$WRITER_IP"; done
  they_answer
  has_told db1 address-added address-removed
}

@test "a slave that moves, stops and starts is told once each" {
  told_on db3
  calls db1 mysql_deny_write
  all_caught_up db1 db2 db3
  for _ in 1 2 3; do calls db3 set_active_master db2; done
  has_told db3 slave-moved
  [[ $(last db3 '[.from, .to] | join("|")') == 'db1|db2' ]]

  for _ in 1 2; do calls db3 turn_off_slave; done
  for _ in 1 2; do calls db3 turn_on_slave; done

  has_told db3 slave-moved replication-stopped replication-started
  [[ $(told db3 | jq -r '.source // empty' | paste -sd' ') == 'db2 '* ]]
}

@test "of refusals the first of each name is told, and then that they have ended, with their number and duration" {
  told_on db2
  for _ in 1 2 3; do refuses db2 mysql_allow_write; done
  has_told db2 refusal
  [[ $(last db2 .code) == peer-writable && $(last db2 .reason) == 'db1 still takes writes'* ]]
  drop_packets db2 db1
  lock=$(run_helper db2 mysql_allow_write; echo "$line")
  pass_packets db2
  settled db2
  [[ $lock == 'ERROR: db1 '* ]]
  refuses db2 mysql_allow_write
  # A row of its own.
  refuses db2 configure_ip none0 "$WRITER_IP"
  calls db2 configure_ip eth0 "${READER_IPS[0]}"
  settled db2

  sql db1 'SET GLOBAL read_only = 1'
  caught_up db2 db1
  for _ in 1 2; do calls db2 mysql_allow_write; done

  told db2 | jq -c '[.helper, .kind, .code, .codes, .count]'
  [[ $(told db2 | jq -r 'select(.helper == "mysql_allow_write").kind' | paste -sd' ') == \
    'refusal refusal writer-opened refusal-ended' ]]
  [[ $(told db2 | jq -r 'select(.helper == "configure_ip").kind' | paste -sd' ') == 'refusal address-added' ]]
  [[ $(last db2 '[.count, (.codes | length), (.seconds > 0 and .seconds < 60)] | join("|")') == '5|2|true' ]]
  [[ -z $(in_host db2 find /var/lib/mysql-mmm -name '*refusals-mysql_allow_write*') ]]
}

@test "a refusal after a minute without one is told again" {
  told_on db2
  refuses db2 mysql_allow_write
  has_told db2 refusal
  # As if it were an hour old.
  in_host db2 perl -pi -e 's/"(since|last)":"\d{4}/"$1":"2020/g' /var/lib/mysql-mmm/mysql-mmm-refusals-mysql_allow_write-mmm_agent_db2
  refuses db2 mysql_allow_write
  has_told db2 refusal refusal
}

@test "what is taken over from a slave is told, and how much it was" {
  told_on db2
  dies_ahead 3
  wait_for 20 eval 'run_helper db2 mysql_allow_write; [[ $line == OK ]]'
  [[ $(told db2 | jq -r 'select(.kind == "tail-fetched") | [.survivor, (.tail | test("[0-9]"))] | join("|")') == 'db3|true' ]]
  [[ $(kinds db2) == *'writer-opened'* && $(kinds db2) != *transactions-lost* ]]
  calls db2 mysql_allow_write
  [[ $(kinds db2 | tr ' ' '\n' | sort | uniq -d) == '' ]]
}

@test "what a host opens without is told, and which slave has it" {
  leaves_traces
  told_on db2
  dies_ahead 2
  set_password db3 "$REPLICATION_USER" other
  wait_for 30 eval 'run_helper db2 mysql_allow_write; [[ $line == OK* ]]'
  calls db2 mysql_allow_write
  [[ $(told db2 | jq -r 'select(.kind == "transactions-lost") | [.survivor, .helper] | join("|")') == 'db3|mysql_allow_write' ]]
  [[ $(told db2 | jq -r 'select(.kind == "transactions-lost").reason') ]]
  [[ $(kinds db2) == *'writer-opened transactions-lost'* ]]
}

@test "a fence that has worked is told" {
  told_on db2
  sed -i '1i allow_write: {fence: {command: [/bin/true]}}' "$(host_dir db2)/mysql-mmm/mmm_helpers.yaml"
  caught_up db2 db1
  kill_server db1
  wait_for 20 eval 'run_helper db2 mysql_allow_write; [[ $line == OK ]]'
  [[ $(told db2 | jq -r 'select(.kind == "peer-fenced").peer') == db1 ]]
}

@test "a command that hangs delays no answer, and is ended at its limit with all it started" {
  told_on db1 'sleep 600 & sleep 601' 2s
  agent_call db1 configure_ip eth0 "$WRITER_IP"
  expect_agent_read 0 OK
  ((${milliseconds%.*} < 1500))
  # In a session of its own.
  wait_for 5 in_host db1 pgrep -f '^sleep 601' >/dev/null
  agent_call db1 configure_ip eth0 "$WRITER_IP"
  ((${milliseconds%.*} < 1500))
  settled db1
  [[ -z $(in_host db1 pgrep -f '^sleep 60[01]') ]]
  journal_says db1 "the event 'address-added' was not told: events.command: '$COMMAND' did not end within 2.0s"
}

@test "a command that fails is in the journal with its last line, and the answer is the same" {
  told_on db1 'echo no route to the pager >&2; exit 7'
  run_helper db1 configure_ip eth0 "$WRITER_IP"
  answers 0 OK
  settled db1
  journal_says db1 "events.command: '$COMMAND' exited with 7: no route to the pager"
}

@test "a command that cannot be started, or that others can write, is not run, and the journal says why" {
  settings db1 'events: {command: [/nonexistent/tell]}'
  run_helper db1 configure_ip eth0 "$WRITER_IP"
  answers 0 OK
  settled db1
  journal_says db1 "'/nonexistent/tell' could not be started"

  told_on db1
  chmod 777 "$(host_dir db1)/mysql-mmm/tell"
  run_helper db1 clear_ip eth0 "$WRITER_IP"
  answers 0 OK
  has_told db1
  journal_says db1 'events.command: its program is not run: '

  chmod 755 "$(host_dir db1)/mysql-mmm/tell"
  chmod 660 "$(host_dir db1)/mysql-mmm/mmm_helpers.yaml"
  run_helper db1 configure_ip eth0 "$WRITER_IP"
  answers 0 OK
  has_told db1
  journal_says db1 'the settings name it'
}

@test "names and arguments with quotes, blanks and line ends stay data" {
  told_on db1
  local config=$'a "b"\n$(touch /tmp/x);' environment
  environment=$(host_dir db1)/mysql-mmm/environment
  run_bare db1 configure_ip "$config" eth0 "$WRITER_IP"
  expect_answer 0 OK
  has_told db1 address-added
  [[ $(last db1 .config; echo .) == "$config"$'\n.' ]]
  grep -qxF 'MMM_EVENT_CONFIG=a "b"\n$(touch /tmp/x);' "$environment"

  run_bare db1 configure_ip "$config" "$config" $'10.0.0.1"\n'
  expect_answer 255 'ERROR: *'

  has_told db1 address-added refusal
  [[ $(last db1 .reason) == *'(touch /tmp/x)'* ]]
  # Each value is one line of the environment.
  [[ $(grep -cv '^MMM_EVENT_[A-Z]*=' "$environment") == 0 ]]
  in_host db1 test ! -e /tmp/x
}

@test "the environment has what the event has" {
  told_on db1
  calls db1 configure_ip eth0 "$WRITER_IP"
  settled db1
  event=$(told db1)
  for key in schema time host helper process config message kind interface address; do
    value=$(jq -r ".$key" <<<"$event")
    grep -qxF "MMM_EVENT_${key^^}=$value" "$(host_dir db1)/mysql-mmm/environment"
  done
  [[ $(jq -r 'keys | length' <<<"$event") == 10 ]]
  [[ $(wc -l <"$(host_dir db1)/mysql-mmm/environment") == 10 ]]
}

@test "a dry run tells nothing, and ends no row of refusals" {
  told_on db2
  run_helper db2 mysql_allow_write --dry-run
  [[ $status == 255 ]]
  run_helper db2 configure_ip --dry-run eth0 "$WRITER_IP"
  has_told db2
  refuses db2 mysql_allow_write
  has_told db2 refusal
  sql db1 'SET GLOBAL read_only = 1'
  caught_up db2 db1
  run_helper db2 mysql_allow_write --dry-run
  [[ $status == 0 ]]
  has_told db2 refusal
}

@test "no password is in an event" {
  told_on db2
  set_password db1 "$AGENT_USER" other
  refuses db2 sync_with_master
  set_password db2 "$AGENT_USER" other
  refuses db2 mysql_allow_write
  leaves_traces
  [[ $(kinds db2) == 'refusal refusal' ]]
  [[ $(cat "$(host_dir db2)"/mysql-mmm/{told,environment} |
    grep -cF -e "$AGENT_PASSWORD" -e "$REPLICATION_PASSWORD") == 0 ]]
}

@test "without the setting nothing is run and nothing is remembered" {
  refuses db2 mysql_allow_write
  calls db2 configure_ip eth0 "$WRITER_IP"
  [[ -z $(in_host db2 pgrep -f '^mmm-events') ]]
  in_host db2 test ! -e /var/lib/mysql-mmm/mysql-mmm-refusals-mysql_allow_write-mmm_agent_db2
}

@test "the samples tell their receivers" {
  local sample event
  mkdir "$BATS_TEST_TMPDIR/bin"
  event='{"schema":1,"kind":"writer-opened","host":"db1","message":"db1: opened to writes"}'
  for sample in curl sendmail logger; do
    printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s/%s"\ncat >>"%s/%s"\n' \
      "$BATS_TEST_TMPDIR" "$sample" "$BATS_TEST_TMPDIR" "$sample" >"$BATS_TEST_TMPDIR/bin/$sample"
    chmod 755 "$BATS_TEST_TMPDIR/bin/$sample"
  done
  echo 'url = "https://pager.example/hook"' >"$BATS_TEST_TMPDIR/receiver"
  environment=(PATH="$BATS_TEST_TMPDIR/bin" MMM_EVENT_KIND=writer-opened MMM_EVENT_HOST=db1
    MMM_EVENT_MESSAGE='db1: opened to writes')
  env -i "${environment[@]}" "$REPOSITORY/etc/hooks/event-webhook" "$BATS_TEST_TMPDIR/receiver" <<<"$event"
  env -i "${environment[@]}" "$REPOSITORY/etc/hooks/event-mail" dba@example.com <<<"$event"
  env -i "${environment[@]}" "$REPOSITORY/etc/hooks/event-logger" daemon.notice <<<"$event"

  grep -qxF "$BATS_TEST_TMPDIR/receiver" "$BATS_TEST_TMPDIR/curl" && grep -qxF "$event" "$BATS_TEST_TMPDIR/curl"
  grep -qx 'Subject: MMM: db1: opened to writes' "$BATS_TEST_TMPDIR/sendmail"
  grep -qxF "$event" "$BATS_TEST_TMPDIR/sendmail"
  grep -qxF 'writer-opened: db1: opened to writes' "$BATS_TEST_TMPDIR/logger"
}
