#!/usr/bin/env bats
# What the agent and people may rely on with every one of the ten helpers (docs/CONTRACT.md): one result line,
# exit codes that mean what they say, an answer in time whatever servers do, and silence everywhere else.

load lib/cluster
load lib/answers

setup_file() { cluster_for_file; }
teardown_file() { end_cluster; }
setup() { fresh; }
teardown() {
  unstick
  dump_on_failure
}

# fresh — as after up; and db3 has a peer, so that every helper has something to say there.
fresh() {
  reset_cluster
  mend
  sql db1 'SET GLOBAL read_only = 1'
}

# mend — db3's configuration as every test begins with it.
mend() {
  write_configuration db3
  configure db3 db3 mode master
  configure db3 db3 peer db1
}

ADDRESS_HELPERS=(check_ip configure_ip clear_ip)
SERVER_HELPERS=(mysql_may_write mysql_allow_write mysql_deny_write sync_with_master set_active_master
  turn_on_slave turn_off_slave)
HELPERS=("${ADDRESS_HELPERS[@]}" "${SERVER_HELPERS[@]}")

# An address that nobody holds, so that check_ip's answer is 1 and clear_ip has nothing to do.
FREE_IP=10.77.0.150

# What the agent gives each of them behind the configuration's name; with these, each succeeds on db3 and
# changes nothing but what teardown of the test undoes.
arguments() {
  case $1 in
    check_ip | configure_ip | clear_ip) words=(eth0 "$FREE_IP") ;;
    set_active_master) words=(db1) ;;
    *) words=() ;;
  esac
}

# The answer to that on db3, a slave of db1 that has everything. Sets want (the exit code) and text.
expected() {
  want=0
  case $1 in
    check_ip) want=1 text='OK: IP address is not configured' ;;
    clear_ip) text='OK: IP address is not configured' ;;
    mysql_may_write) text='OK: Not allowed' ;;
    set_active_master) text='OK: We are already a slave of the new master' ;;
    *) text=OK ;;
  esac
}

# One answers with 1, so none of its failures may.
one_is_an_answer() { [[ $1 == check_ip || $1 == mysql_may_write ]]; }

# back — to what the first test found, as far as successful calls have changed it.
back() {
  sql db3 'SET GLOBAL read_only = 1' 'START SLAVE'
  in_host db3 ip addr del "$FREE_IP/32" dev eth0 2>/dev/null || true
  wait_for 5 runs_from db3 db1
}

# together FUNCTION HELPER… — FUNCTION HELPER for all of them side by side.
together() {
  local function=$1 helper pid pids=() bad=0
  shift
  for helper in "$@"; do
    in_own_folder "$function" "$helper" 3>&- &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid" || bad=1; done
  return "$bad"
}

in_own_folder() {
  local BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR/$2
  mkdir -p "$BATS_TEST_TMPDIR"
  "$1" "$2"
}

# call HELPER — with its usual arguments on db3.
call() {
  local words
  arguments "$1"
  run_helper db3 "$1" "${words[@]}"
}

# in_shell HELPER SCRIPT — SCRIPT on db3 with the call as its arguments: "$@". Sets status and output.
in_shell() {
  local words
  arguments "$1"
  run in_host db3 sh -c "$2" shell "$MMM_AGENT_DIR/$1" mmm_agent_db3 "${words[@]}"
}

@test "every helper succeeds, says so in one line and nothing else, and the agent reads that line" {
  local helper want text words
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    call "$helper"
    answers "$want" "$text"
    back
    arguments "$helper"
    agent_call db3 "$helper" "${words[@]}"
    expect_agent_read "$want" "$text"
    back
    agent_call --joined db3 "$helper" "${words[@]}"
    expect_agent_read "$want" "$text"
    back
  done
}

@test "every helper works without environment, HOME, standard streams or a readable current directory" {
  local helper want text
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    in_shell "$helper" 'cd / && exec env -i "$@"'
    [[ $status == "$want" && $output == "$text" ]]
    back
    in_shell "$helper" 'mkdir -p /tmp/gone && cd /tmp/gone && rmdir /tmp/gone && unset HOME && exec "$@" <&- 2>&-'
    [[ $status == "$want" && $output == "$text" ]]
    back
  done
}

@test "a wrong number of arguments: Usage and 1, or an error and 255 where 1 is an answer" {
  local helper line_count
  wrongly() {
    local helper=$1
    shift
    run_bare db3 "$helper" "$@"
    if one_is_an_answer "$helper"; then
      answers 255 "ERROR: *Usage: $MMM_AGENT_DIR/$helper <config_file>*"
    else
      expect_answer 1 "Usage: $MMM_AGENT_DIR/$helper <config_file>*"
      # The line and a blank one, as the originals print them.
      [[ $(wc -l <"$BATS_TEST_TMPDIR/stdout") == 2 && $output == "$line" && -z $stderr ]]
    fi
  }
  for helper in "${HELPERS[@]}"; do
    wrongly "$helper" a b c d e
    wrongly "$helper" --no-such-option
    wrongly "$helper" -x mmm_agent_db3
    wrongly "$helper" mmm_agent_db3 --help
    wrongly "$helper" --version mmm_agent_db3
  done
  for helper in "${ADDRESS_HELPERS[@]}"; do wrongly "$helper"; wrongly "$helper" mmm_agent_db3; done
  for helper in mysql_may_write mysql_allow_write mysql_deny_write sync_with_master turn_on_slave turn_off_slave; do
    wrongly "$helper" mmm_agent_db3 more
  done
  wrongly set_active_master
  wrongly set_active_master mmm_agent_db3 db2 more
  runs_from db3 db1
}

@test "the usage line names the path by which the agent called, doubled slash and all" {
  run in_host db3 "${MMM_AGENT_DIR%/*}//${MMM_AGENT_DIR##*/}/turn_on_slave" a b
  [[ $status == 1 && ${lines[0]} == "Usage: ${MMM_AGENT_DIR%/*}//${MMM_AGENT_DIR##*/}/turn_on_slave <config_file>" ]]
}

@test "an empty argument and one that is no text are errors, never another generation's call" {
  local helper words odd place
  for helper in "${HELPERS[@]}"; do
    arguments "$helper"
    for odd in '' $'\xff\xfe'; do
      run_bare db3 "$helper" "$odd" "${words[@]}"
      answers 255 'ERROR: argument 1 is *'
      for ((place = 0; place < ${#words[@]}; place++)); do
        run_bare db3 "$helper" mmm_agent_db3 "${words[@]:0:place}" "$odd" "${words[@]:place+1}"
        answers 255 "ERROR: argument $((place + 2)) is *"
      done
    done
  done
}

@test "--help and --version answer to people: what it does, what it prints, exit codes, an example" {
  local helper option
  for helper in "${HELPERS[@]}"; do
    for option in --help -h; do
      run_bare db3 "$helper" "$option"
      [[ $status == 0 && -z $stderr ]]
      [[ $output == *"Usage: $helper "*'Prints, as its last line:'*OK*'exit 0'*ERROR*'exit 255'*Example:*"$helper mmm_agent"* ]]
    done
    run_bare db3 "$helper" --version
    answers 0 "$helper [0-9]*.[0-9]*"
  done
}

# config_error PATTERN — every helper that needs the configuration says so; the address helpers work.
config_error() {
  local helper want text open
  for helper in "${SERVER_HELPERS[@]}"; do
    open=''
    if [[ $helper == mysql_deny_write ]]; then open='; this host may still take writes; shut it down if it must not'; fi
    call "$helper"
    answers 255 "ERROR: $1$open" || return 1
    keeps_secrets || return 1
  done
  for helper in check_ip configure_ip clear_ip; do
    call "$helper"
    expected "$helper"
    expect_answer "$want" 'OK*' || return 1
  done
}

@test "a configuration that cannot be used is an error that names file and line, and nothing is done" {
  local folder
  folder=$(host_dir db3)/mysql-mmm

  MMM_CONFIG=mmm_agent_none config_error "Could not find a readable config file 'mmm_agent_none.conf'*/etc/mysql-mmm*"

  chmod 644 "$folder/mmm_agent_db3.conf"
  config_error '*/mmm_agent_db3.conf is world readable!*chmod 640*'
  chmod 640 "$folder/mmm_agent_db3.conf"
  chmod 642 "$folder/mmm_common.conf"
  config_error '*/mmm_common.conf is world writable!*chmod 640*'
  chmod 640 "$folder/mmm_common.conf"

  printf 'colour red\n' >>"$folder/mmm_agent_db3.conf"
  config_error "Unknown variable colour in '/etc/mysql-mmm/mmm_agent_db3.conf' on line 3! Remove or correct it"
  mend
  printf 'nonsense\n' >>"$folder/mmm_common.conf"
  config_error "Invalid config line in file '/etc/mysql-mmm/mmm_common.conf' on line $(wc -l <"$folder/mmm_common.conf")!*"
  mend
  printf 'include elsewhere.conf\n' >>"$folder/mmm_agent_db3.conf"
  config_error "Could not find a readable config file 'elsewhere.conf'*mmm_agent_db3.conf' on line 3*"
  mend
  printf 'include mmm_common.conf\nthis db9\n' >"$folder/mmm_agent_db3.conf"
  config_error "Config entry 'this' has invalid value 'db9'*mmm_agent_db3.conf*line 2*"
  printf 'include mmm_common.conf\n' >"$folder/mmm_agent_db3.conf"
  config_error "Required config entry 'this' is missing*"
  rm "$folder/mmm_agent_db3.conf"
  mkdir "$folder/mmm_agent_db3.conf"
  config_error '*/mmm_agent_db3.conf is not a regular file but a directory*'
  mend

  is_read_only db3
  runs_from db3 db1
}

# settings_error PATTERN — as config_error; mysql_deny_write closes its server all the same, and says so.
settings_error() {
  local helper others=()
  for helper in "${SERVER_HELPERS[@]}"; do
    if [[ $helper != mysql_deny_write ]]; then others+=("$helper"); fi
  done
  local -a SERVER_HELPERS=("${others[@]}")
  config_error "$1" || return 1
  sql db3 'SET GLOBAL read_only = 0'
  call mysql_deny_write
  answers 0 "OK: mmm_helpers.yaml was not used, which has an error: $1" && is_read_only db3 && keeps_secrets
}

@test "settings that cannot be used are an error that names file and line; a server is closed all the same" {
  settings db3 $'limits:\n  conect: 3s'
  settings_error "Invalid settings in '/etc/mysql-mmm/mmm_helpers.yaml' on line 2: *unknown field*conect*"
  chmod 644 "$(host_dir db3)/mysql-mmm/mmm_helpers.yaml"
  settings_error '*mmm_helpers.yaml is world readable!*'
  mend
}

@test "without /etc, and without any file descriptor to open it, a helper still ends by the contract" {
  local helper
  for helper in "${SERVER_HELPERS[@]}"; do
    in_shell "$helper" 'exec unshare --mount sh -c "mount -t tmpfs tmpfs /etc && exec \"\$@\"" shell "$@"'
    [[ $status == 255 && $output == "ERROR: Could not find a readable config file 'mmm_agent_db3.conf'"* ]]
    in_shell "$helper" 'exec prlimit --nofile=4:4 "$@"'
    [[ $status == 255 && ${#lines[@]} == 1 && $output == ERROR:* ]]
  done
  in_shell check_ip 'exec unshare --mount sh -c "mount -t tmpfs tmpfs /etc && exec \"\$@\"" shell "$@"'
  [[ $status == 1 && $output == 'OK: IP address is not configured' ]]
  # One is enough to ask the kernel with.
  in_shell check_ip 'exec prlimit --nofile=4:4 "$@"'
  [[ $status == 1 && $output == 'OK: IP address is not configured' ]]
}

# server_error PATTERN — every helper that asks the local server says so, in time; those that do not ask work.
server_error() {
  pattern=$1
  fails_in_time() {
    call "$1"
    answers 255 "ERROR: $pattern" && in_time && keeps_secrets
  }
  together fails_in_time "${SERVER_HELPERS[@]}"
}

UNREACHABLE="Can't connect to MySQL (host = 10.77.0.13:3306, user = mmm_agent)! ?*"

@test "a server that was stopped: every helper that needs it answers with an error" {
  stop_server db3
  server_error "$UNREACHABLE"
  start_server db3
}

@test "a server whose packets are dropped: every helper that needs it answers with an error in time" {
  drop_packets db3 db3
  server_error "$UNREACHABLE"
  pass_packets db3
}

@test "a server that is frozen: every helper that needs it answers with an error in time" {
  freeze db3
  server_error "$UNREACHABLE"
  thaw db3
}

@test "a server that lets nobody of this name in: the error says so, and shows no password" {
  configure db3 db3 agent_password wrong_secret
  server_error "Can't connect to MySQL (host = 10.77.0.13:3306, user = mmm_agent)! Access denied for user 'mmm_agent'*"
  keeps_secrets wrong_secret
  mend
  configure db3 db3 agent_user nobody
  server_error "Can't connect to MySQL (host = 10.77.0.13:3306, user = nobody)! ?*"
  mend
}

@test "what is no database server, or hangs up, is an error in time" {
  # impostor PORT GREETING HANGS-UP — ends with the host's other processes.
  impostor() {
    in_host db3 setsid perl -MIO::Socket::INET -e '
      my $listener = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 50) or die "$@";
      while (my $client = $listener->accept) { print $client $ARGV[1]; close $client if $ARGV[2]; push @open, $client }
    ' "$@" >/dev/null 2>&1 &
    wait_for 5 in_host db3 bash -c ": >/dev/tcp/127.0.0.1/$1"
    configure db3 db3 mysql_port "$1"
    server_error "Can't connect to MySQL (host = 10.77.0.13:$1, user = mmm_agent)! ?*"
  }
  impostor 3391 $'SSH-2.0-OpenSSH_9.2\r\n' ''
  impostor 3392 '' hangs-up
  impostor 3393 $'\xff\xff\xff' ''
}

# unheard HELPER — the exit code of its usual answer if stdout cannot be written: an answer keeps its own code. It is
# not 255, which beside an empty stdout kills the original agent.
unheard() {
  if one_is_an_answer "$1"; then echo "$want"; else echo 2; fi
}

@test "a full disk behind stdout: an answer in the exit code survives, nothing else looks like one" {
  local helper want text
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    in_shell "$helper" '"$@" >/dev/full 2>/dev/full'
    [[ $status == "$(unheard "$helper")" ]] || { echo "$helper: $status"; return 1; }
    back
    in_shell "$helper" '"$@" more arguments than any takes >/dev/full'
    [[ $status == 2 ]]
  done
}

@test "a stdout that is closed, or that nobody reads, ends no helper by a signal and changes no answer" {
  local helper want text
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    in_shell "$helper" '"$@" >&-'
    [[ $status == "$want" || $status == 2 && $want == 0 ]] || { echo "$helper, closed: $status"; return 1; }
    back
    arguments "$helper"
    run in_host db3 bash -c 'mkfifo /tmp/unread; exec 5<>/tmp/unread; exec 6>/tmp/unread; exec 5<&-; rm /tmp/unread
      "$@" >&6' shell "$MMM_AGENT_DIR/$helper" mmm_agent_db3 "${words[@]}"
    [[ $status == "$(unheard "$helper")" ]] || { echo "$helper, unread: $status"; return 1; }
    back
  done
}

JOURNAL_LINE='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z [a-z_]+\[[0-9]+\] (ERROR|WARN |INFO |DEBUG|TRACE) .+$'

@test "every call leaves its arguments, its host and its result in the journal, one line a step" {
  local helper want text words
  for helper in "${HELPERS[@]}"; do
    : >"$(host_dir db3)/log/mmm_helpers.log"
    expected "$helper"
    arguments "$helper"
    call "$helper"
    back
    # What still announces an address in the background has lines of its own.
    run grep -F -e "$(journal db3 | grep -m 1 'called with' | grep -o "$helper\[[0-9]*\]")" "$(host_dir db3)/log/mmm_helpers.log"
    [[ ${lines[0]} == *"${helper}["*'called with ["mmm_agent_db3"'* && ${lines[-1]} == *"${helper}["*"answered \"$text\", exit $want, "*' ms in all' ]]
    [[ $(journal db3 | grep -cEv "$JOURNAL_LINE") == 0 ]]
    if ((${#words[@]})); then journal_says db3 "${words[-1]}"; fi
  done
  for helper in "${SERVER_HELPERS[@]}"; do
    call "$helper"
    back
    journal_says db3 'this host is db3'
    journal_says db3 'connected to db3 (10.77.0.13:3306): '
  done
  keeps_secrets
}

@test "nothing of what a caller gives can forge a line of the journal or of the answer" {
  local helper words
  for helper in "${HELPERS[@]}"; do
    : >"$(host_dir db3)/log/mmm_helpers.log"
    run_bare db3 "$helper" $'mmm_agent_db3\n2026-01-01T00:00:00.000Z check_ip[1] INFO  forged\e[31m' eth0$'\r\nOK' $'OK\n'
    [[ $status == 1 || $status == 255 ]]
    [[ $(journal db3 | grep -cEv "$JOURNAL_LINE") == 0 && $(journal db3 | grep -c '^2026-01-01T00:00:00.000Z check_ip') == 0 ]]
    run grep -c $'\e' "$(host_dir db3)/log/mmm_helpers.log" "$BATS_TEST_TMPDIR/stdout"
    [[ $output == *:0*:0 ]]
    [[ $line == ERROR:* || $line == Usage:* ]]
  done
}

@test "calls that run at the same time leave whole lines" {
  : >"$(host_dir db3)/log/mmm_helpers.log"
  run in_host db3 sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do "$@" >/dev/null & "$@" >/dev/null & done; wait' shell \
    "$MMM_AGENT_DIR/mysql_may_write" mmm_agent_db3
  [[ -z $output && $(journal db3 | grep -cEv "$JOURNAL_LINE") == 0 ]]
  [ "$(journal db3 | grep -c 'answered "OK: Not allowed", exit 0')" = 20 ]
}

@test "a journal that cannot be written changes no answer and is no reason to speak" {
  local helper want text log
  log=$(host_dir db3)/log/mmm_helpers.log
  rm -f "$log"
  mkdir "$log"
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    call "$helper"
    answers "$want" "$text"
    back
  done
  rmdir "$log"
  # Nobody reads this one.
  mkfifo "$log"
  call mysql_may_write
  answers 0 'OK: Not allowed'
  within 2000
  rm "$log"
  settings db3 'log: {level: off}'
  call mysql_may_write
  answers 0 'OK: Not allowed'
  [ ! -e "$log" ]
}

@test "a parent that ignores SIGCHLD or limits the size of files changes no answer" {
  # A command has to be waited for.
  settings db3 'network: {hooks: {removed: {command: [/bin/true]}}}'
  in_shell clear_ip 'exec perl -e "\$SIG{CHLD} = q(IGNORE); exec @ARGV" "$@"'
  [[ $status == 0 && $output == 'OK: IP address is not configured' ]]
  # The journal is beyond the limit already.
  in_shell check_ip 'ulimit -f 0; exec "$@"'
  [[ $status == 1 && $output == 'OK: IP address is not configured' ]]
}

# by_agent HELPER — with its usual arguments, by Perl's backticks, which wait for the end of stdout and of the process.
by_agent() {
  local words
  arguments "$1"
  HELPER_TIMEOUT=20 agent_call db3 "$1" "${words[@]}"
  milliseconds=${milliseconds%.*}
}

@test "a journal on a mount that answers nobody costs no answer and hardly any time" {
  local helper want text
  stick db3 /var/log/mysql-mmm
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    by_agent "$helper"
    expect_agent_read "$want" "$text"
    within 3000
    back
  done
}

@test "settings or files of theirs on a mount that answers nobody are as good as unreadable, and the answer comes in time" {
  local stuck helper want text words
  in_host db3 mkdir -p /etc/stuck
  stick db3 /etc/stuck
  for stuck in settings ca configuration; do
    case $stuck in
      settings) in_host db3 ln -s /etc/stuck/settings /etc/mysql-mmm/mmm_helpers.yaml ;;
      ca) in_host db3 rm /etc/mysql-mmm/mmm_helpers.yaml
        settings db3 'tls: {mode: verify-ca, ca: /etc/stuck/ca.pem}' ;;
      configuration) in_host db3 sh -c 'cd /etc/mysql-mmm && rm mmm_helpers.yaml mmm_agent_db3.conf &&
        ln -s /etc/stuck/agent mmm_agent_db3.conf' ;;
    esac
    expected check_ip
    by_agent check_ip
    expect_agent_read "$want" "$text" && within 2000 || { echo "$stuck" >&2; return 1; }
    if [[ $stuck == settings ]]; then
      by_agent configure_ip
      expect_agent_read 0 OK
      # The process that announces in the background does not hang there; otherwise nothing would announce the address
      # again.
      wait_for 5 journal_says db3 "$FREE_IP announced 4 more times"
      back
    fi
    by_agent mysql_may_write
    case $stuck in
      configuration) expect_agent_read 255 'ERROR: no answer within the time limit*' && in_time ;;
      *) expect_agent_read 255 'ERROR: Could not read the settings file *: no answer within 4.0s*' && within 5000 ;;
    esac || { echo "$stuck" >&2; return 1; }
  done
}

@test "settings that a slow disk gives out late keep no server open" {
  in_host db3 mkdir -p /etc/stuck
  stick db3 /etc/stuck
  in_host db3 ln -s /etc/stuck/settings /etc/mysql-mmm/mmm_helpers.yaml
  # Then there is no such file any more, and the defaults hold.
  {
    sleep 1.5
    in_host db3 umount -l /etc/stuck
    in_host db3 kill -KILL "$(<"$BATS_TEST_TMPDIR/stuck")"
  } 3>&- 4>&- &
  stuck_on=
  call mysql_deny_write
  answers 0 OK
  ((milliseconds >= 1000))
  wait
}

@test "commands that others could have written keep no server open" {
  sql db3 'SET GLOBAL read_only = 0'
  settings db3 'network: {hooks: {removed: {command: [/bin/true]}}}'
  in_host db3 chmod 660 /etc/mysql-mmm/mmm_helpers.yaml
  call mysql_deny_write
  answers 0 OK
  by_agent clear_ip
  expect_agent_read 255 'ERROR: *its program is not run: the settings name it, and * may be written by others*chmod go-w *'
}

@test "a hook on a mount that answers nobody is not waited for beyond the limit, and the address is gone" {
  in_host db3 mkdir -p /etc/stuck
  stick db3 /etc/stuck
  settings db3 '{limits: {call: 1s}, network: {hooks: {removed: {command: [/etc/stuck/hook]}}}}'
  by_agent clear_ip
  expect_agent_read 255 'ERROR: no answer within the time limit*'
  within 2500
}

@test "with all that RUST_LOG can show, which a person alone decides, no password is in the journal" {
  local helper want text words
  for helper in "${HELPERS[@]}"; do
    : >"$(host_dir db3)/log/mmm_helpers.log"
    expected "$helper"
    arguments "$helper"
    RUST_LOG=trace RUST_BACKTRACE=full run_helper db3 "$helper" "${words[@]}"
    answers "$want" "$text"
    [[ $(journal db3 | grep -cE ' (DEBUG|TRACE) ') == 0 && $(journal db3) == *answered* ]]
    back
    RUST_LOG=trace RUST_BACKTRACE=full run_helper db3 "$helper" "${words[@]}" --format json
    [[ $status == "$want" ]]
    back
  done
  RUST_LOG=trace run_helper db3 set_active_master db2 --format json
  caught_up db3 db1
  RUST_LOG=trace run_helper db3 set_active_master db2 --format json
  [[ $status == 0 ]]
  journal_says db3 'DEBUG'
  RUST_LOG=off call mysql_may_write
  journal_says db3 'answered "OK: Not allowed"'
  keeps_secrets
}

@test "both generations of arguments do the same on a host whose configuration is mmm_agent" {
  local helper want text words
  for helper in "${HELPERS[@]}"; do
    expected "$helper"
    arguments "$helper"
    run_bare db3 "$helper" "${words[@]}"
    answers "$want" "$text"
    back
    run_bare db3 "$helper" mmm_agent "${words[@]}"
    answers "$want" "$text"
    back
  done
}
