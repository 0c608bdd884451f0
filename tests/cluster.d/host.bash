# shellcheck shell=bash
# Hosts without servers: a namespace each for processes, network, mounts and host name.
# One process holds a host's namespaces and is its init: when it dies, the kernel ends every process of
# the host and takes the interfaces with them. Nothing outside the namespaces is touched, so there is
# nothing to collide with and nothing to leave behind.

# Descriptors above stderr belong to the caller. If one stays open in a holder, its reader (bats) hangs.
close_inherited_files() {
  local fd
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    if ((fd > 2)); then eval "exec $fd>&-"; fi
  done
}

start_time() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # Fields 3 and 22, counted after the command's name, which may hold blanks.
  read -ra stat <<<"${stat##*) }"
  # A zombie has ended; an init becomes one only after the last process of its namespace.
  [[ ${stat[0]} != Z ]] || return 1
  printf '%s\n' "${stat[19]}"
}

# The holder's process id, provided it still is the process that was recorded.
holder() {
  local dir pid started
  dir=$(host_dir "$1")
  { read -r pid started <"$dir/holder"; } 2>/dev/null || return 1
  [[ -n $started && $(start_time "$pid") == "$started" ]] || return 1
  printf '%s\n' "$pid"
}

host_up() {
  local host=$1 dir pid
  dir=$(host_dir "$host")
  mkdir -p "$dir/mysql-mmm" "$dir/log" "$dir/tmp"
  chmod 1777 "$dir/tmp"
  mkfifo "$dir/ready"
  # Without --fork the shell stays in its own process namespace: its first child is the host's init, and
  # $! is that child's id as seen from here.
  # shellcheck disable=SC2016
  (
    close_inherited_files
    exec setsid --wait unshare --mount --net --pid --uts bash -c '"$@" & echo "$!" >"$0"' \
      "$dir/holder.pid" bash "$CLUSTER_LIB/host-init" "$host" "$dir"
  ) </dev/null >"$dir/holder.log" 2>&1
  if ! { read -r pid <"$dir/holder.pid"; } 2>/dev/null; then
    no_namespaces "$host"
    return 1
  fi
  printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$dir/holder"
  if ! is_ready "$host"; then
    no_namespaces "$host"
    return 1
  fi
  rm -f "$dir/ready" "$dir/holder.pid"
}

# Waits for the word of a host's init while that lives, at most 20 seconds.
is_ready() {
  local dir pipe word='' tries
  dir=$(host_dir "$1")
  # Opened for reading and writing so that a holder that died cannot leave this waiting for ever.
  exec {pipe}<>"$dir/ready"
  for ((tries = 0; tries < 40; tries++)); do
    if read -r -t 0.5 -u "$pipe" word || ! holder "$1" >/dev/null; then break; fi
  done
  exec {pipe}>&-
  [[ -n $word ]]
}

no_namespaces() {
  local reason
  reason=$(paste -sd ' ' "$(host_dir "$1")/holder.log")
  fail "the namespaces of $1 cannot be made: ${reason:-their first process ended, or said nothing for 20 seconds};" \
    "this needs root, and a kernel or container that allows them; in a chroot there are none"
}

# Ends every process of a host and waits until the kernel has let go of them.
host_down() {
  local pid
  pid=$(holder "$1") || return 0
  kill -KILL "$pid"
  for _ in {1..1000}; do
    holder "$1" >/dev/null || return 0
    sleep 0.01
  done
  fail "process $pid of $1 does not end"
}

# in_host HOST COMMAND… — runs a command in a host, in the directory $in_host_dir (default /).
in_host() {
  local host=$1 pid
  shift
  pid=$(holder "$host") || { fail "$host is not up in cluster '$MMM_CLUSTER'; see: tests/cluster status"; return 1; }
  # 3 and 4 are of bats: what a test leaves running in a host must not keep them open.
  nsenter --target "$pid" --mount --net --pid --uts --wdns="${in_host_dir:-/}" -- "$@" 3>&- 4>&-
}

# The bridge, in the client's namespace, and one cable to every host.
network_up() {
  local host pid client number
  client=$(holder client)
  nsenter --target "$client" --net ip -batch - <<EOF || { fail "the bridge and its cables cannot be made; see above"; return 1; }
link add br0 type bridge forward_delay 0
addr add $CLIENT_IP/$PREFIX dev br0
link set br0 up
$(for host in "${HOSTS[@]}"; do
    printf 'link add %s type veth peer name eth0 netns %s\nlink set %s master br0 up\n' \
      "$host" "$(holder "$host")" "$host"
  done)
EOF
  for host in "${HOSTS[@]}"; do
    pid=$(holder "$host")
    number=$(host_number "$host")
    nsenter --target "$pid" --net ip -batch - <<EOF || { fail "eth0 of $host cannot be set up; see above"; return 1; }
link set eth0 address 02:00:00:00:00:0$number
addr add $(host_ip "$host")/$PREFIX dev eth0
link set eth0 up
EOF
  done
}

# Back to one address and no packet filter, as network_up left it.
network_reset() {
  local host pid ip
  for host in "${HOSTS[@]}"; do
    pid=$(holder "$host")
    ip=$(host_ip "$host")
    nsenter --target "$pid" --net sh -c "
      ip link set eth0 up
      ip -4 addr flush dev eth0 && ip addr add $ip/$PREFIX dev eth0
      iptables -F && iptables -X
      tc qdisc del dev eth0 root 2>/dev/null
      true"
  done
}
