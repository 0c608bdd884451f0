# shellcheck shell=bash disable=SC2034
# Calling helpers: plainly, and as MMM's agent does.

# run_helper HOST HELPER ARGUMENTS… — as MMM 2.2 and later call it, configuration first.
# Sets status, output (stdout), stderr, line (stdout's last), milliseconds.
run_helper() {
  local host=$1 helper=$2
  shift 2
  run_bare "$host" "$helper" "${MMM_CONFIG:-mmm_agent_$host}" "$@"
}

# run_bare HOST HELPER ARGUMENTS… — with just these arguments, as MMM 2.0 and 2.1 do.
run_bare() {
  local host=$1 helper=$2 folder=${BATS_TEST_TMPDIR:-/tmp} before
  shift 2
  before=${EPOCHREALTIME/./}
  status=0
  in_host "$host" timeout --kill-after=5 "${HELPER_TIMEOUT:-60}" "$MMM_AGENT_DIR/$helper" "$@" \
    </dev/null >"$folder/stdout" 2>"$folder/stderr" || status=$?
  milliseconds=$(((${EPOCHREALTIME/./} - before) / 1000))
  output=$(<"$folder/stdout")
  stderr=$(<"$folder/stderr")
  line=${output##*$'\n'}
  last_call="$helper $* on $host"
}

# expect_answer CODE PATTERN — of the last run_helper or run_bare; the pattern is a glob.
expect_answer() {
  # shellcheck disable=SC2053
  [[ $status == "$1" && $line == $2 ]] && return 0
  {
    printf '%s\n' "$last_call ($milliseconds ms)" "expected: $1, $2" "got:      $status, $line" \
      "stdout:" "$output" "stderr:" "$stderr"
  } >&2
  return 1
}

# agent_call [--joined] HOST HELPER ARGUMENTS… — through a Perl caller that does what the agent does.
# Sets answer (the last line of stdout, `undef` when there is none), code ($? >> 8) and milliseconds.
# --joined: with 2>&1, as EPEL's agent.
agent_call() {
  local joined=() host helper said=()
  if [[ $1 == --joined ]]; then joined=(--joined); shift; fi
  host=$1 helper=$2
  shift 2
  mapfile -t said < <(in_host "$host" timeout --kill-after=5 "${HELPER_TIMEOUT:-60}" \
    perl "$REPOSITORY/tests/lib/agent_call.pl" "${joined[@]}" \
    "$MMM_AGENT_DIR/$helper" "${MMM_CONFIG:-mmm_agent_$host}" "$@")
  if ((${#said[@]} != 3)); then
    printf 'the caller of %s failed or ran out of time\n' "$helper" >&2
    return 1
  fi
  code=${said[0]} answer=${said[1]} milliseconds=${said[2]}
  last_call="$helper $* on $host, by the agent"
}

# expect_agent_read CODE PATTERN — of the last agent_call.
expect_agent_read() {
  # shellcheck disable=SC2053
  [[ $code == "$1" && $answer == $2 ]] && return 0
  printf '%s\n' "$last_call" "expected: $1, $2" "the agent read: $code, $answer" >&2
  return 1
}
