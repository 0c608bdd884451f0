#!/usr/bin/env bats
# mmm_preflight --watch on a terminal: a full screen that is alive, and a terminal that is given back.

load ../lib/cluster
load ../lib/answers
load ../lib/failover
load ../lib/preflight

setup_file() { recommended && cluster_for_file && prepare; }
teardown_file() { end_cluster; }
setup() { good_cluster; }
teardown() {
  if [[ -z ${BATS_TEST_COMPLETED:-} ]]; then pane capture-pane -p || true; fi
  pane kill-server || true
  end_good_cluster
}

pane() { in_host db3 env LC_ALL=C.UTF-8 tmux -S "$BATS_TEST_TMPDIR/tmux" "$@"; }

# watch COMMAND… — in a shell on db3, at a terminal of 100 columns and 60 rows, with what its end came to below. Its
# process's id is in the file `pid`.
watch() {
  local width=100 height=60
  cat >"$BATS_TEST_TMPDIR/session" <<'EOF'
trap : INT
cd "$1" && shift
stty -a | sed 1d >before
echo 'the line before'
sh -c 'echo $$ >pid && exec "$@"' sh "$@"
echo "ended $?"
stty -a | sed 1d >after
sleep 600
EOF
  if [[ ${size:-} ]]; then width=${size%x*} height=${size#*x}; fi
  pane -f /dev/null new-session -d -x "$width" -y "$height" sh "$BATS_TEST_TMPDIR/session" "$BATS_TEST_TMPDIR" "$@"
}
preflight() { watch ${environment:+env "$environment"} "$MMM_AGENT_DIR/mmm_preflight" "$@"; }

shown() { pane capture-pane -p "$@"; }
shows() { wait_for "${patience:-8}" shows_now "$1"; }
shows_now() { grep -qE -e "$1" <(shown) || { shown && return 1; }; }
shows_no_more() { wait_for 8 shows_not_now "$1"; }
shows_not_now() { ! grep -E -e "$1" <(shown); }

# is_full_screen — the pane shows the alternate screen, without a cursor.
is_full_screen() { [[ $(pane display-message -p '#{alternate_on} #{cursor_flag}') == '1 0' ]]; }

# ended CODE — the program has ended with that code, and the terminal is as it was.
ended() {
  shows "^ended $1\$"
  shows '^the line before'
  [[ $(pane display-message -p '#{alternate_on} #{cursor_flag}') == '0 1' ]]
  wait_for 2 cmp "$BATS_TEST_TMPDIR"/{before,after}
}

@test "the full screen shows the cluster, marks what has changed since the last look, and q gives the terminal back" {
  preflight --watch=0.5
  shows '^  `-- db3 \(this host\), .*, slave, read-only'
  shows '^ GOOD: '
  is_full_screen
  shows_not_now '  new |^\*'
  stop_replica_thread db3 SQL_THREAD
  shows '^\* FAILURE  new db3 applies nothing'
  shows '^\*  .*follows db1 by (position|GTID): not applying'
  shows '^\*  .*before: running'
  shows '^ 1 failure: '
  # The mark has an end; what is wrong has none.
  patience=30 shows '^  FAILURE  db3 applies nothing'
  pane send-keys q
  ended 2
}

@test "what is cured is gone, and an address that moves is marked" {
  stop_replica_thread db3 SQL_THREAD
  preflight --watch=0.5
  shows '^  FAILURE  db3 applies nothing'
  in_host db3 ip addr del "$NETWORK.103/32" dev eth0
  shows "before: holds reader $NETWORK.103"
  sql db3 'START SLAVE SQL_THREAD'
  in_host db3 ip addr add "$NETWORK.103/32" dev eth0
  shows '^\* gone     db3 applies nothing'
  shows "^\* .*holds reader $NETWORK.103"
  shows '^ GOOD: '
  pane send-keys Escape
  ended 0
}

@test "keys help, pause, look and scroll; the screen follows the terminal's size" {
  size=80x24 preflight --watch=3600
  shows 'next look in'
  shows '1-[0-9]+ of [0-9]+'
  pane send-keys '?'
  shows 'Esc, Ctrl-C  quit'
  pane send-keys h
  shows_no_more 'Esc, Ctrl-C  quit'
  shows_not_now errant
  pane send-keys End
  shows errant
  pane send-keys Home
  shows '^  db1, '
  stop_replica_thread db3 SQL_THREAD
  shows_not_now 'not applying'
  pane send-keys r
  shows 'not applying'
  sql db3 'START SLAVE SQL_THREAD'
  pane send-keys p
  shows 'paused'
  pane resize-window -x 20 -y 5
  shows '^ [A-Z0-9]'
  pane resize-window -x 120 -y 60
  shows "^  db1, .*, master, takes writes, "
  pane send-keys C-c
  ended 2
}

@test "a frozen host keeps nobody from quitting, and nothing was seen then" {
  freeze db1
  preflight --watch --timeout 30
  shows 'looking… 1 s'
  pane send-keys q
  patience=5 ended 3
  thaw db1
  reconnects_to db1
}

@test "signals end it as they always did, with the terminal given back" {
  local signal
  for signal in TERM=143 HUP=129 INT=130; do
    preflight --watch=0.5
    shows '^ GOOD: '
    is_full_screen
    in_host db3 kill -s "${signal%=*}" "$(<"$BATS_TEST_TMPDIR/pid")"
    ended "${signal#*=}"
    ends
  done
}

# coloured — some text of the pane is in a colour.
coloured() { shown -e | grep -E $'\e\\[([0-9]+;)*(3[0-7]|4[0-7]|9[0-7]|38;[0-9;]*)(;[0-9]+)*m'; }

# ends — the terminal. Another one can begin at the same socket only when its server has gone.
ends() { pane kill-server; wait_for 5 no_server; }
no_server() { ! pane list-sessions 2>/dev/null; }
marks_it() { shown -e | grep -qE $'\e\\[([0-9]+;)*1;7mnot applying'; }

@test "without colour, marks are seen all the same" {
  preflight --watch=0.5
  shows '^ GOOD: '
  coloured
  ends
  local way
  for way in NO_COLOR=1 --no-color; do
    if [[ $way == --* ]]; then preflight --watch=0.5 "$way"; else environment=$way preflight --watch=0.5; fi
    shows '^ GOOD: '
    stop_replica_thread db3 SQL_THREAD
    shows '^\* FAILURE  new '
    # 1 is bold, 7 reversed.
    wait_for 8 marks_it
    ! coloured || false
    ends
    sql db3 'START SLAVE SQL_THREAD'
    becomes_good db3
  done
}

@test "where there is no such terminal, the text follows itself as it did" {
  local program=$MMM_AGENT_DIR/mmm_preflight
  # shellcheck disable=SC2016 # for sh
  for command in 'TERM=dumb "$0" --watch=0.5' 'unset TERM; "$0" --watch=0.5' '"$0" --watch=0.5 </dev/null' \
    '"$0" --watch=0.5 | cat'; do
    watch sh -c "$command" "$program"
    shows '^Again in 0.5 s; Ctrl-C ends.'
    [[ $(pane display-message -p '#{alternate_on} #{cursor_flag}') == '0 1' ]]
    pane send-keys C-c
    shows '^(\^C)?ended 130$'
    ends
  done
}

@test "the full screen obeys nothing that a server says" {
  leaves_traces
  sql db3 'STOP SLAVE' $'CHANGE MASTER TO MASTER_HOST = \'a\e[31mb\''
  preflight --watch=0.5
  shows 'follows a\\u\{1b\}\[31mb'
  pane send-keys q
  ended 2
}
