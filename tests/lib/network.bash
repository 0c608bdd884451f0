# shellcheck shell=bash disable=SC2034
# Two hosts without servers, for the address helpers: `db`, whose eth0 carries the addresses, and `peer` at
# the other end of its cable. Each is a network and mount namespace of its own, which ends with its process.
#   load ../lib/network
#   setup() { start_network; }      teardown() { end_network; }

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The helpers under test: this project's, or a folder with the originals.
export MMM_AGENT_DIR=${MMM_AGENT_DIR:-$REPOSITORY/target/release}
MMM_CONFIG=mmm_agent
JOURNAL=/var/log/mysql-mmm/mmm_helpers.log
# shellcheck source=tests/lib/untraced.bash
. "$REPOSITORY/tests/lib/untraced.bash"
# shellcheck source=tests/lib/calls.bash
. "$REPOSITORY/tests/lib/calls.bash"
# shellcheck source=tests/lib/observe.bash
. "$REPOSITORY/tests/lib/observe.bash"

declare -gA HOLDERS=()

start_network() {
  untraced
  start_host db
  start_host peer
  in_host db ip link add name eth0 type veth peer name eth0 netns "${HOLDERS[peer]}"
  in_host db ip link set eth0 address 02:00:00:00:00:db
  in_host db ip link set lo up
  in_host db ip link set eth0 up
  in_host peer ip link set eth0 up
  in_host peer ip addr add 10.0.0.250/24 dev eth0
}

# A namespace lives as long as its process; the sleep ends by itself should a test run be killed.
start_host() {
  setsid unshare --net --mount sleep 900 </dev/null >/dev/null 2>&1 3>&- &
  HOLDERS[$1]=$!
  # setsid may fork; what counts is the process that left our namespace.
  wait_for 10 has_left_home "${HOLDERS[$1]}"
  # A journal of its own, and none of the machine's settings.
  in_host "$1" sh -c 'mount -t tmpfs none /var/log && cd /var/log && mkdir -p mysql-mmm etc/upper etc/work &&
    mount -t overlay overlay -o lowerdir=/etc,upperdir=etc/upper,workdir=etc/work /etc &&
    rm -rf /etc/mysql-mmm && mkdir -m 755 /etc/mysql-mmm'
}

# settings TEXT — db's mmm_helpers.yaml.
settings() {
  in_host db sh -c 'umask 027 && cat >/etc/mysql-mmm/mmm_helpers.yaml' <<<"$1"
}

has_left_home() {
  [[ $(readlink "/proc/$1/ns/mnt") != "$(readlink /proc/self/ns/mnt)" && $(</proc/"$1"/comm) == sleep ]]
}

# in_host HOST COMMAND…
in_host() {
  local holder=${HOLDERS[$1]}
  shift
  nsenter --target "$holder" --net --mount -- "$@"
}

# kill_all_in HOLDER — ends what was started in that host. The pid of `in_host … &` is that of a shell that waits for it.
kill_all_in() {
  local network pid
  network=$(network_of "$1") || return 0
  # A holder that never left our own namespaces.
  [[ $network != "$(network_of self)" ]] || return 0
  while IFS=/ read -r _ _ pid _; do
    kill "$pid" 2>/dev/null || true
  done < <(find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:\\[$network\\]" 2>/dev/null)
}
network_of() { stat --dereference --format=%i "/proc/$1/ns/net" 2>/dev/null; }

end_network() {
  if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} && -n ${HOLDERS[db]:-} ]]; then
    printf '\n== db\n'
    in_host db ip addr || true
    in_host db tail -n 20 "$JOURNAL" || true
  fi
  end_capture
  local host
  for host in "${!HOLDERS[@]}"; do
    kill_all_in "${HOLDERS[$host]}"
    kill "${HOLDERS[$host]}" 2>/dev/null || true
    wait "${HOLDERS[$host]}" 2>/dev/null || true
  done
  HOLDERS=()
}

# give ADDRESS… — to eth0 of db, as `ip addr add` takes it.
give() { in_host db ip addr add dev eth0 "$@"; }

# held_by INTERFACE — its addresses on db, `IP/PREFIX`, sorted, on one line; link-local ones left out.
held_by() {
  in_host db ip -j addr show dev "$1" |
    jq -r '[.[].addr_info[] | select(.scope != "link") | "\(.local)/\(.prefixlen)"] | sort | join(" ")'
}

expect_held() {
  local now
  now=$(held_by eth0)
  [[ $now == "$1" ]] && return 0
  printf 'eth0 of db should hold: %s\nit holds:               %s\n' "$1" "$now" >&2
  return 1
}

# refuses ARGUMENT… — the helper under test ($HELPER) ends with one ERROR line, 255, and nothing on stderr.
refuses() {
  # shellcheck disable=SC2153
  run_bare db "$HELPER" "$@"
  expect_answer 255 'ERROR: ?*' && [[ $output == "$line" && -z $stderr ]] && return 0
  printf 'not one line, or something on stderr, for: %q\n' "$@" "$output" "$stderr" >&2
  return 1
}

# What neither an interface nor an address can be, and what an address cannot be.
HOSTILE=(';touch /tmp/hostile' ';id' "\$(touch /tmp/hostile)" "\$(id)" "\`id\`" '|id' '&' ' ' 'eth0 ' ' eth0' 'eth 0'
  $'eth0\n10.0.0.1' $'\n' $'\t' ../eth0 / . .. "'" '"' '*' 'eth0;id' 10.0.0.1/32 '10.0.0.1;id' '10.0.0.1 ' ' 10.0.0.1'
  $'10.0.0.1\n' '10.0.0.1#' $'\xff\xfe' $'\e[31m' "$(printf 'x%.0s' {1..5000})")
NO_ADDRESS=(010.0.0.1 10.0.0.01 10.0.0.1. .10.0.0.1 10.0.0 10.0.0.256 10.0.0.1.1 0x0a.0.0.1 167772161 0.0.0.0
  255.255.255.255 224.0.0.1 :: ff02::1 ::ffff:10.0.0.1 'fe80::1%eth0' localhost db1 eth0)

# start_capture — of the ARP frames and neighbour advertisements that reach the peer.
start_capture() {
  CAPTURE=$BATS_TEST_TMPDIR/frames.pcap
  (exec nsenter --target "${HOLDERS[peer]}" --net --mount -- \
    tcpdump -Z root --immediate-mode -U -w "$CAPTURE" -i eth0 'arp or icmp6[0] == 136 or vlan' \
    </dev/null >/dev/null 2>"$CAPTURE.log" 3>&-) &
  CAPTURER=$!
  wait_for 10 grep -q 'listening on' "$CAPTURE.log"
}

end_capture() {
  [[ -n ${CAPTURER:-} ]] || return 0
  kill -INT "$CAPTURER" 2>/dev/null || true
  wait "$CAPTURER" 2>/dev/null || true
  CAPTURER=
}

# frames — those captured so far about the address 10.0.0.1, one a line, decoded by tcpdump.
frames() { tcpdump -nn -e -tt -r "$CAPTURE" 'arp[14:4] = 0x0a000001' 2>/dev/null; }
frame_count() { frames | wc -l; }
has_frames() { (($(frame_count) == $1)); }
has_at_least() { (($(frame_count) >= $1)); }

# advertisements — the captured ones of 2001:db8::1, two lines each.
advertisements() { tcpdump -nn -e -tt -v -r "$CAPTURE" 'ip6 src 2001:db8::1' 2>/dev/null; }

# later COMMAND… — runs it on db by a clock that is 16 seconds ahead. A test says first that it needs such clocks.
later() { in_host db unshare --time --monotonic 16 --fork "$@"; }
needs_clocks() { in_host db unshare --time true 2>/dev/null || skip "this kernel has no time namespaces"; }

# turned_within MILLISECONDS ADDRESS — since the last call returned, the peer's neighbour table names db.
turned_within() {
  local end=$((${EPOCHREALTIME/./} + $1 * 1000))
  until in_host peer ip -j neigh show "$2" | jq -e '.[0].lladdr == "02:00:00:00:00:db"' >/dev/null; do
    ((${EPOCHREALTIME/./} < end)) || return 1
  done
}

# announcers — the processes on db that announce in the background.
announcers() { pgrep --ns "${HOLDERS[db]}" --nslist net -f '^mmm-announcer ' || true; }
no_announcer() { [[ -z $(announcers) ]]; }

journal_says() { in_host db grep -F -e "$1" "$JOURNAL"; }

# farewells — the processes on db that refuse what still comes for an address.
farewells() { pgrep --ns "${HOLDERS[db]}" --nslist net -f '^mmm-farewell ' || true; }
no_farewell() { [[ -z $(farewells) ]]; }
