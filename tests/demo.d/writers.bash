# shellcheck shell=bash disable=SC2154
# The writers of the demo: starting and pausing them, and what they saw.

WRITERS=4
writer_pids=()

start_writers() {
  local number host
  # So that their servers know the account: see writer.pl.
  for host in db1 db2; do sql_as "$APP_USER" "$APP_PASSWORD" "$(host_ip "$host")" 'DO 1'; done
  for ((number = 1; number <= WRITERS; number++)); do
    : >"$work/acknowledged.$number"
    in_host client perl "$REPOSITORY/tests/demo.d/writer.pl" \
      "$WRITER_IP" "$APP_USER" "$APP_PASSWORD" "$number" "$work" </dev/null >>"$work/writers.log" 2>&1 &
    writer_pids+=("$!")
  done
}

stop_writers() {
  : >"$work/stop"
  wait "${writer_pids[@]}" || true
}

# Until every writer has been acknowledged something after that time.
writers_go_on() {
  local since=$1 number last
  for ((number = 1; number <= WRITERS; number++)); do
    last=$(tail -n 1 "$work/acknowledged.$number" | cut -d' ' -f1)
    awk -v last="${last:-0}" -v since="$since" 'BEGIN { exit !(last > since) }' || return 1
  done
}

# Asynchronous replication loses what a dying server acknowledged and had not yet sent to anybody, whoever fails over
# afterwards. The demo shows the failover, so one replica gets a moment to receive it all.
hold_writers() {
  rm -f "$work"/held.*
  : >"$work/hold"
  wait_for 5 all_held
}

all_held() {
  local held=("$work"/held.*)
  ((${#held[@]} == WRITERS))
}

release_writers() { rm -f "$work/hold"; }

# longest_pause FROM TO [all] — the longest time in milliseconds that a writer went without an
# acknowledgement, of the pauses that overlap that stretch of time. With `all`, counted from FROM at the
# earliest.
longest_pause() {
  awk -v from="$1" -v to="$2" -v clip="${3:-}" '
    FNR == 1 { last = 0 }
    {
      if (last && $1 > from && last < to) {
        begin = (clip && last < from) ? from : last
        if ($1 - begin > longest) longest = $1 - begin
      }
      last = $1
    }
    END { printf "%.0f\n", longest * 1000 }' "$work"/acknowledged.*
}

acknowledged() { cut -d' ' -f2 "$work"/acknowledged.* | sort; }
