# shellcheck shell=bash
# What goes wrong in a cluster: servers that stop, hang or die, and networks that lose packets.

start_server() { server_start "$@"; }
stop_server() { server_end "$1" TERM; }
kill_server() { server_end "$1" KILL; }

# The process stays and the kernel continues to accept connections for it, but nothing answers.
freeze() { server_signal "$1" STOP; }
thaw() { server_signal "$1" CONT; }

# drop_packets HOST OTHER — between the two nothing arrives, without an error (OTHER: host, client or
# an address).
drop_packets() {
  local other
  other=$(address_of "$2")
  in_host "$1" iptables -A INPUT -s "$other" -j DROP
  in_host "$1" iptables -A OUTPUT -d "$other" -j DROP
}

# reject_packets HOST OTHER — HOST refuses whatever OTHER asks for by TCP.
reject_packets() {
  in_host "$1" iptables -A INPUT -p tcp -s "$(address_of "$2")" --syn -j REJECT --reject-with tcp-reset
}

# drop_connections HOST OTHER — HOST gets no new connection of OTHER by TCP; existing ones continue.
drop_connections() {
  in_host "$1" iptables -A INPUT -p tcp -s "$(address_of "$2")" --syn -j DROP
}

# pass_packets HOST — takes back the above.
pass_packets() { in_host "$1" iptables -F; }

# hold_up HOST TEXT — its server does not get what says that, until pass_packets HOST. is_held_up HOST: somebody has
# said it.
hold_up() { in_host "$1" iptables -A INPUT -p tcp --dport 3306 -m string --algo bm --string "$2" -j DROP; }
is_held_up() { [[ $(in_host "$1" iptables -L INPUT -v -x -n | awk '/STRING/ { print $1 }') != 0 ]]; }

# names HOST SCRIPT — there, the name service is this shell script, which may call the real one as "$REAL"; until
# names_again HOST.
names() {
  local stand_in=$BATS_TEST_TMPDIR/getent
  cp /usr/bin/getent "$BATS_TEST_TMPDIR/real-getent"
  printf '#!/bin/sh\nREAL=%s\n%s\n' "$BATS_TEST_TMPDIR/real-getent" "$2" >"$stand_in"
  chmod 755 "$stand_in"
  in_host "$1" mount --bind "$stand_in" /usr/bin/getent
}
names_again() { in_host "$1" umount /usr/bin/getent; }

# takes_connections HOST — applications of the site have every connection there that is not reserved.
takes_connections() {
  sql "$1" 'SET GLOBAL max_connections = 12'
  wait_for 10 takes_one_or_all_are_taken "$1"
}
sleepers() { sql "$1" "SELECT id FROM information_schema.processlist WHERE info LIKE 'DO SLEEP(60)%'"; }
takes_one_or_all_are_taken() {
  sql_as_app "$1" 'DO SLEEP(60)' >/dev/null 2>&1 3>&- 4>&- &
  (($(sleepers "$1" | wc -l) >= 12))
}
gives_connections_back() {
  local id
  # Both have to wait for the one connection that is reserved.
  wait_for 5 sql "$1" 'SET GLOBAL max_connections = 151'
  for id in $(sleepers "$1"); do sql "$1" "KILL $id" || true; done
}

address_of() {
  case $1 in
    db* | client) host_ip "$1" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

# stop_replica_thread HOST [IO_THREAD|SQL_THREAD], start_replica_thread likewise.
stop_replica_thread() { sql "$1" "STOP SLAVE ${2:-}"; }
start_replica_thread() { sql "$1" "START SLAVE ${2:-}"; }

# stick HOST FOLDER [writes] — from now on no process there gets an answer about a file in it, and not even SIGKILL ends one that
# asks. With `writes`, who only looks sees an empty folder. unstick ends that; without a stuck folder it does nothing.
stick() {
  stuck_on=$1 stuck_folder=$2
  rm -f "$BATS_TEST_TMPDIR/stuck"
  in_host "$1" perl "$REPOSITORY/tests/lib/stuck.pl" "$2" "$BATS_TEST_TMPDIR/stuck" "${3:-}" >"$BATS_TEST_TMPDIR/stuck.log" 2>&1 3>&- 4>&- &
  wait_for 5 test -s "$BATS_TEST_TMPDIR/stuck" && return 0
  echo "no file system could be mounted that never answers; is there a /dev/fuse? $(<"$BATS_TEST_TMPDIR/stuck.log")" >&2
  return 1
}
unstick() {
  [[ -n ${stuck_on:-} ]] || return 0
  in_host "$stuck_on" kill -KILL "$(<"$BATS_TEST_TMPDIR/stuck")"
  wait_for 5 in_host "$stuck_on" umount "$stuck_folder"
  stuck_on=
}

# has_lost HOST — its I/O thread has seen that its source is unreachable, and sleeps before it retries (60 s).
has_lost() { [[ $(threads "$1") != Yes* && $(replica_field "$1" Last_IO_Errno) != 0 ]]; }

# reconnects_to HOST — it is back, and those that replicate from it connect, as an operator has it done.
reconnects_to() {
  local host
  for host in "${HOSTS[@]}"; do
    if [[ $host != "$1" && $(server_state "$host") == running && $(replica_field "$host" Master_Host) == "$(host_ip "$1")" &&
      $(threads "$host") != No* ]]; then
      stop_replica_thread "$host" IO_THREAD
      start_replica_thread "$host" IO_THREAD
    fi
  done
}
