#!/usr/bin/env bats
# network.hooks: a site's own commands around the address helpers, and the worked samples for two clouds.

# shellcheck disable=SC2016,SC2034,SC2154

load ../lib/network

HELPER=configure_ip
HELD='OK: IP address is configured'
NOT_HELD='OK: IP address is not configured'
HOOKS=/etc/mysql-mmm/hooks

setup() {
  start_network
  give 10.0.0.7/24
  in_host db mkdir -m 755 "$HOOKS"
}
teardown() { end_network; }

# put NAME — stdin as a program NAME in the folder of the hooks.
put() { in_host db sh -c 'cat >"$1" && chmod 755 "$1"' put "$HOOKS/$1"; }

# hook MOMENT [KEY…] — one that records its arguments, then does what /hooks/do says.
hook() {
  put record <<'END'
#!/bin/sh
printf '%s\n' "$@" >>/etc/mysql-mmm/hooks/recorded
[ ! -e /etc/mysql-mmm/hooks/do ] || . /etc/mysql-mmm/hooks/do
END
  settings "network: {hooks: {$1: {command: [$HOOKS/record, $1, '{interface}', '--to={address}'], ${2:-}}}}"
}

does() { in_host db sh -c 'cat >/etc/mysql-mmm/hooks/do' <<<"$1"; }

recorded() { in_host db cat "$HOOKS/recorded" | paste -sd' '; }
nothing_recorded() { in_host db test ! -e "$HOOKS/recorded"; }

# configuration_of_db — of an agent whose host is called db1.
configuration_of_db() {
  in_host db sh -c 'umask 027 && cp "$1"/mmm_agent.conf "$1"/mmm_common.conf /etc/mysql-mmm' copy \
    "$REPOSITORY/etc/mysql-mmm"
}

@test "the added hook runs once the address is there, with everything filled in" {
  hook added
  does 'ip -j addr show dev eth0 | grep -q 10.0.0.1 || exit 3; echo hello; echo there >&2'
  run_helper db configure_ip eth0:1 10.0.0.1
  expect_answer 0 OK
  [[ $output == OK && -z $stderr ]]
  [[ $(recorded) == 'added eth0 --to=10.0.0.1' ]]
  journal_says 'network.hooks.added: hello'
  journal_says 'network.hooks.added: there'
}

@test "an address is filled in as the kernel writes it, whatever the caller's spelling" {
  hook removed
  run_helper db clear_ip eth0 2001:0DB8:0:0::0001
  expect_answer 0 "$NOT_HELD"
  [[ $(recorded) == 'removed eth0 --to=2001:db8::1' ]]
}

@test "the added hook runs before the address is announced" {
  hook added
  does 'exit 3'
  start_capture
  refuses mmm_agent eth0 10.0.0.1
  no_announcer
  run_helper db configure_ip eth0 10.0.0.2
  has_frames 0
}

@test "an added hook that fails is an error with its last line, and the address is taken back" {
  hook added
  does 'echo first; echo the cloud says no >&2; exit 3'
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == 'ERROR: Could not configure ip adress 10.0.0.1 on interface eth0! network.hooks.added: '* ]]
  [[ $line == *'exited with 3: the cloud says no' ]]
  expect_held 10.0.0.7/24
}

@test "an added hook that hangs is ended with all it started, and the address is taken back" {
  hook added 'limit: 300ms'
  does 'sleep 600 & echo $! >>/etc/mysql-mmm/hooks/pids; echo $$ >>/etc/mysql-mmm/hooks/pids; sleep 601'
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'did not end within 300'* ]]
  ((milliseconds < 1500))
  expect_held 10.0.0.7/24
  local process
  for process in $(in_host db cat "$HOOKS/pids"); do
    wait_for 5 eval '! kill -0 "$process" 2>/dev/null'
  done
}

@test "a hook may not take longer than the call has, and the address is taken back even then" {
  hook added 'limit: 1m'
  in_host db sh -c 'echo "limits: {call: 1s}" >>/etc/mysql-mmm/mmm_helpers.yaml'
  does 'sleep 600'
  refuses mmm_agent eth0 10.0.0.1
  ((milliseconds < 1700))
  expect_held 10.0.0.7/24
}

@test "a hook that cannot be started is an error, and the address is taken back" {
  settings 'network: {hooks: {added: {command: [/nonexistent/hook]}}}'
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *"'/nonexistent/hook' could not be started"* ]]
  expect_held 10.0.0.7/24
}

@test "an address that has been there for a while is left to itself, a young one is completed" {
  needs_clocks
  hook added
  give 10.0.0.1/32
  [[ $(later "$MMM_AGENT_DIR/configure_ip" mmm_agent eth0 10.0.0.1) == "$HELD" ]]
  nothing_recorded
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
  [[ $(recorded) == 'added eth0 --to=10.0.0.1' ]]
}

@test "the removed hook runs once the address is gone, and where it was gone already" {
  hook removed
  give 10.0.0.1/32
  does '! ip -j addr show dev eth0 | grep -q 10.0.0.1 || exit 3'
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 OK
  [[ $(recorded) == 'removed eth0 --to=10.0.0.1' ]]

  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 "$NOT_HELD"
  [[ $(recorded) == 'removed eth0 --to=10.0.0.1 removed eth0 --to=10.0.0.1' ]]
}

@test "a removed hook that fails is an error, and the address is gone all the same" {
  HELPER=clear_ip
  hook removed
  give 10.0.0.1/32
  does 'exit 4'
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'network.hooks.removed: '*'exited with 4'* ]]
  expect_held 10.0.0.7/24
}

@test "the checked hook decides about an address that is there, and is not asked about another" {
  HELPER=check_ip
  hook checked
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 1 "$NOT_HELD"
  nothing_recorded
  give 10.0.0.1/32
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 0 "$HELD"
  [[ $(recorded) == 'checked eth0 --to=10.0.0.1' ]]
  does 'exit 1'
  run_helper db check_ip eth0 10.0.0.1
  expect_answer 1 "$NOT_HELD"
  does 'exit 2'
  refuses mmm_agent eth0 10.0.0.1
  does 'kill -9 $$'
  refuses mmm_agent eth0 10.0.0.1
}

@test "the agent is not kept waiting by what a hook leaves running" {
  hook added
  does 'sleep 2 & echo started'
  agent_call --joined db configure_ip eth0 10.0.0.1
  expect_agent_read 0 OK
  ((${milliseconds%.*} < 1500))
}

@test "a word of a hook is one argument, whatever it holds" {
  put record <<'END'
#!/bin/sh
printf '<%s>' "$@" >>/etc/mysql-mmm/hooks/recorded
END
  settings 'network: {hooks: {removed: {command: [/etc/mysql-mmm/hooks/record, "a b", "$(id)", ";", "*", "", "{address}"]}}}'
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 "$NOT_HELD"
  [[ $(recorded) == '<a b><$(id)><;><*><><10.0.0.1>' ]]
}

@test "a hook gets the fourth argument only where it is an identifier, and says so where it is none" {
  HELPER=clear_ip
  put record <<'END'
#!/bin/sh
echo "$@" >>/etc/mysql-mmm/hooks/recorded
END
  settings 'network: {hooks: {removed: {command: [/etc/mysql-mmm/hooks/record, "{eni}"]}}}'
  run_bare db clear_ip mmm_agent eth0 10.0.0.1 eni-0a1b2c
  expect_answer 0 "$NOT_HELD"
  [[ $(recorded) == eni-0a1b2c ]]

  local text
  for text in "${HOSTILE[@]}" null; do refuses mmm_agent eth0 10.0.0.1 "$text"; done
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'network.hooks.removed: there is no value for {eni}: the agent gave no fourth argument'* ]]
  [[ $(recorded) == eni-0a1b2c ]]
}

@test "a hook that others could have written is not run, nor one of settings that they could have written" {
  hook added
  local deed
  for deed in "chmod 775 $HOOKS/record" "chmod 755 $HOOKS/record; chown 12345 $HOOKS/record" \
    "chown 0 $HOOKS/record; chmod 777 $HOOKS"; do
    in_host db sh -c "$deed"
    refuses mmm_agent eth0 10.0.0.1
    [[ $line == *'network.hooks.added: its program is not run: '*'; fix it with: ch'* ]]
  done
  expect_held 10.0.0.7/24
  in_host db sh -c "chmod 755 $HOOKS; chmod 660 /etc/mysql-mmm/mmm_helpers.yaml"
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'network.hooks.added: its program is not run: the settings name it, and /etc/mysql-mmm/mmm_helpers.yaml may be written by others'* ]]
  expect_held 10.0.0.7/24
  nothing_recorded
  # There is no hook for this one.
  run_helper db clear_ip eth0 10.0.0.1
  expect_answer 0 "$NOT_HELD"
  in_host db chmod 640 /etc/mysql-mmm/mmm_helpers.yaml
  run_helper db configure_ip eth0 10.0.0.2
  expect_answer 0 OK
  [[ $(recorded) == 'added eth0 --to=10.0.0.2' ]]
}

@test "this host's name comes from the agent's configuration, and its lack is an error only where it is wanted" {
  put record <<'END'
#!/bin/sh
echo "$@" >>/etc/mysql-mmm/hooks/recorded
END
  settings 'network: {hooks: {added: {command: [/etc/mysql-mmm/hooks/record, "{host}"]}}}'
  refuses mmm_agent eth0 10.0.0.1
  [[ $line == *'there is no value for {host}: '*'onfig'* ]]
  expect_held 10.0.0.7/24
  configuration_of_db
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  [[ $(recorded) == db1 ]]
}

@test "settings that cannot be used never stop an address helper" {
  settings 'network: {hooks: {added: {command: [hook]}}}'
  run_helper db configure_ip eth0 10.0.0.1
  expect_answer 0 OK
  journal_says 'expected the absolute path of the program, beginning with /; continuing with the defaults'
}

# sample NAME TOOL — the sample as an operator installs it, and TOOL as a stand-in that records how it is
# called and says what the file `answer` holds.
sample() {
  in_host db cp "$REPOSITORY/etc/hooks/$1" "$HOOKS/$1"
  settings "$(<"$REPOSITORY/etc/hooks/$1.yaml")"
  put "$2" <<'END'
#!/bin/sh
echo "${0##*/} $*" >>/etc/mysql-mmm/hooks/recorded
[ ! -e /etc/mysql-mmm/hooks/fails ] || { echo; echo "An error occurred" >&2; exit 254; }
[ ! -e /etc/mysql-mmm/hooks/answer ] || cat /etc/mysql-mmm/hooks/answer
END
}

# with_tools HELPER ARGUMENTS… — the stand-in comes first in PATH.
with_tools() {
  : >"$BATS_TEST_TMPDIR/empty"
  in_host db cp "$BATS_TEST_TMPDIR/empty" "$HOOKS/recorded"
  run in_host db env PATH="$HOOKS:/usr/bin:/bin" "$MMM_AGENT_DIR/$1" mmm_agent "${@:2}"
}

says() { in_host db sh -c 'cat >/etc/mysql-mmm/hooks/answer' <<<"$1"; }

@test "the sample for EC2 moves a secondary address to this host's ENI and takes it away again" {
  sample ec2-address aws
  local describe="aws ec2 describe-network-interfaces --network-interface-ids eni-1 --output text --query NetworkInterfaces[].PrivateIpAddresses[].PrivateIpAddress"

  with_tools configure_ip eth0 10.0.0.1 eni-1
  [[ $status == 0 && $output == OK ]]
  [[ $(recorded) == 'aws ec2 assign-private-ip-addresses --network-interface-id eni-1 --private-ip-addresses 10.0.0.1 --allow-reassignment' ]]

  says $'10.0.0.7\t10.0.0.1'
  with_tools check_ip eth0 10.0.0.1 eni-1
  [[ $status == 0 && $output == "$HELD" && $(recorded) == "$describe" ]]

  with_tools clear_ip eth0 10.0.0.1 eni-1
  [[ $status == 0 && $output == OK ]]
  [[ $(recorded) == "$describe aws ec2 unassign-private-ip-addresses --network-interface-id eni-1 --private-ip-addresses 10.0.0.1" ]]
}

@test "the sample for EC2 leaves an address alone that another host has by now" {
  sample ec2-address aws
  says $'10.0.0.7\t10.0.0.11'
  give 10.0.0.1/32
  with_tools check_ip eth0 10.0.0.1 eni-1
  [[ $status == 1 && $output == "$NOT_HELD" ]]
  with_tools clear_ip eth0 10.0.0.1 eni-1
  [[ $status == 0 && $output == OK && $(recorded) != *unassign* ]]
}

@test "the sample for EC2 turns Amazon's failure into an error, and the address is taken back" {
  sample ec2-address aws
  in_host db touch "$HOOKS/fails"
  with_tools configure_ip eth0 10.0.0.1 eni-1
  [[ $status == 255 && $output == 'ERROR: Could not configure'*': An error occurred' ]]
  expect_held 10.0.0.7/24
  give 10.0.0.1/32
  with_tools check_ip eth0 10.0.0.1 eni-1
  [[ $status == 255 && $output == ERROR:* ]]
  with_tools clear_ip eth0 10.0.0.1 eni-1
  [[ $status == 255 && $output == ERROR:* ]]
  expect_held 10.0.0.7/24
}

@test "the sample for a floating IP assigns it to this host and unassigns only its own" {
  sample floating-ip hcloud
  configuration_of_db
  local describe='hcloud floating-ip describe 10.0.0.1 -o format={{if .Server}}{{.Server.Name}}{{end}}'

  with_tools configure_ip eth0 10.0.0.1
  [[ $status == 0 && $output == OK && $(recorded) == 'hcloud floating-ip assign 10.0.0.1 db1' ]]

  says db1
  with_tools check_ip eth0 10.0.0.1
  [[ $status == 0 && $(recorded) == "$describe" ]]
  says db2
  with_tools check_ip eth0 10.0.0.1
  [[ $status == 1 && $output == "$NOT_HELD" ]]

  with_tools clear_ip eth0 10.0.0.1
  [[ $status == 0 && $output == OK && $(recorded) == "$describe" ]]
  says db1
  with_tools clear_ip eth0 10.0.0.1
  [[ $status == 0 && $(recorded) == "$describe hcloud floating-ip unassign 10.0.0.1" ]]
}
