# shellcheck shell=bash disable=SC2034,SC2154
# One stand-in for MMM's agent on every host: a daemon that is told what to call and calls it as the
# agent does. The demo itself plays the monitor.

declare -A agent_in=() agent_out=()
# In tenths of a millisecond. Nothing is started between two calls: it would add to the writers' pause.
calls_sum=0

start_agents() {
  local host in out
  for host in "${HOSTS[@]}"; do
    mkfifo "$work/$host.in" "$work/$host.out"
    in_host "$host" perl "$REPOSITORY/tests/lib/agent_call.pl" --serve <"$work/$host.in" >"$work/$host.out" 2>/dev/null &
    # Both ends opened for reading and writing: a fifo must not wait for an agent that failed to start.
    exec {in}<>"$work/$host.in" {out}<>"$work/$host.out"
    agent_in[$host]=$in agent_out[$host]=$out
  done
}

# ask HOST HELPER ARGUMENTS… — sets code, answer, milliseconds.
ask() {
  local host=$1 helper=$2
  shift 2
  printf '%s\n' "$AGENT_DIR/$helper mmm_agent $*" >&"${agent_in[$host]}"
  code='' answer='no answer within 30 s' milliseconds=0.0
  read -r -t 30 code <&"${agent_out[$host]}" || return 0
  IFS= read -r -t 1 answer <&"${agent_out[$host]}"
  read -r -t 1 milliseconds <&"${agent_out[$host]}"
}

# call HOST HELPER ARGUMENTS… — shows it, adds its time up, and takes anything but OK as a failure. With
# `expected=PATTERN` before it, that answer is right.
call() {
  ask "$@"
  printf '    %-4s %-40s %8s ms   %s\n' "$1" "${*:2}" "$milliseconds" "$answer"
  calls_sum=$((calls_sum + 10#${milliseconds/./}))
  # shellcheck disable=SC2053
  [[ $answer == ${expected:-OK*} ]] || wrong "$2 on $1 answered: $answer"
}
