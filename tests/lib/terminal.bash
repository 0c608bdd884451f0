# shellcheck shell=bash disable=SC2034,SC2154
# Helpers that a person runs: on a terminal of their own, with keys to press.
#   load ../lib/cluster
#   load ../lib/terminal

# on_terminal HOST HELPER ARGUMENTS… — begins it there, 100 columns wide. What the terminal shows goes to the file
# $screen; stdout is a file, so all of that is stderr.
on_terminal() {
  local host=$1 call="$MMM_AGENT_DIR/$2 ${MMM_CONFIG:-mmm_agent_$1} ${*:3}" folder=$BATS_TEST_TMPDIR
  screen=$folder/screen
  last_call="${*:2} on $host, on a terminal"
  rm -f "$folder/keys" "$screen"
  mkfifo "$folder/keys"
  exec {keys}<>"$folder/keys"
  # What a shell starts in the background ignores SIGINT, and what that starts likewise.
  in_host "$host" script -qefc "stty rows 40 cols 100; exec perl -e '\$SIG{INT} = \"DEFAULT\"; exec @ARGV' $call >$folder/stdout" \
    "$screen" <"$folder/keys" >/dev/null 2>&1 3>&- 4>&- &
  terminal=$!
}

# press_ctrl_c — on that terminal.
press_ctrl_c() { printf '\003' >&"$keys"; }

# shows PATTERN — the terminal does, or did.
shows() {
  wait_for 10 grep -aqE -e "$1" "$screen" && return 0
  printf 'the screen does not show: %s\n' "$1" >&2
  tr '\r' '\n' <"$screen" >&2
  return 1
}

# ended — waits for its end; sets status, output, line and milliseconds since press_ctrl_c as run_helper does.
ended() {
  status=0
  wait "$terminal" || status=$?
  exec {keys}>&-
  output=$(<"$BATS_TEST_TMPDIR/stdout")
  stderr=$(tr '\r' '\n' <"$screen")
  line=${output##*$'\n'}
  milliseconds=unknown
}

# answers_on_terminal CODE PATTERN — of what ended: the answer is all of stdout.
answers_on_terminal() {
  expect_answer "$@" && [[ $output == "$line" ]]
}

# on_unread_terminal STDOUT HOST HELPER ARGUMENTS… — runs it on a terminal that is full and that nobody reads. STDOUT:
# `terminal`, or `file`. Sets status, output, line and milliseconds as run_helper does.
on_unread_terminal() {
  local stdout=$1 host=$2 helper=$3 file=$BATS_TEST_TMPDIR/stdout before=${EPOCHREALTIME/./}
  shift 3
  : >"$file"
  if [[ $stdout == file ]]; then stdout=$file; fi
  status=0
  in_host "$host" timeout --kill-after=1 "${HELPER_TIMEOUT:-20}" perl "$REPOSITORY/tests/lib/unread.pl" "$stdout" \
    "$MMM_AGENT_DIR/$helper" "$@" </dev/null >"$BATS_TEST_TMPDIR/unread" 2>&1 || status=$?
  milliseconds=$(((${EPOCHREALTIME/./} - before) / 1000))
  output=$(<"$file")
  stderr=$(<"$BATS_TEST_TMPDIR/unread")
  line=${output##*$'\n'}
  last_call="$helper $* on $host, on a terminal that nobody reads"
}
