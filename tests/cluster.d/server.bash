# shellcheck shell=bash
# The database server of a host: its data folder, starting and ending it.
# Process ids are recorded as the host's own process namespace counts them and used only inside it, so a
# signal can reach nothing but that host's processes.

# The schema that tests write to.
app_schema() {
  cat <<'EOF'
SET SESSION sql_log_bin = 0;
CREATE DATABASE app;
CREATE TABLE app.entries (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  origin VARCHAR(64) NOT NULL DEFAULT '',
  note VARCHAR(255) NOT NULL DEFAULT ''
) ENGINE = InnoDB;
EOF
}

# Accounts as MMM's guide has them; what the agent may do is the flavour's.
accounts() {
  local net="$NETWORK.%" grant
  cat <<EOF
SET SESSION sql_log_bin = 0;
CREATE USER '$AGENT_USER'@'$net' IDENTIFIED BY '$AGENT_PASSWORD';
$(for grant in "${AGENT_GRANTS[@]}"; do echo "GRANT $grant TO '$AGENT_USER'@'$net';"; done)
CREATE USER '$MONITOR_USER'@'$net' IDENTIFIED BY '$MONITOR_PASSWORD';
GRANT REPLICATION CLIENT ON *.* TO '$MONITOR_USER'@'$net';
CREATE USER '$REPLICATION_USER'@'$net' IDENTIFIED BY '$REPLICATION_PASSWORD';
GRANT REPLICATION SLAVE ON *.* TO '$REPLICATION_USER'@'$net';
CREATE USER '$APP_USER'@'$net' IDENTIFIED BY '$APP_PASSWORD';
GRANT ALL ON app.* TO '$APP_USER'@'$net';
EOF
}

# server_settings HOST DIRECTORY — the server's configuration file.
server_settings() {
  local number
  number=$(host_number "$1")
  cat <<EOF
[mysqld]
user = root
server_id = $number
datadir = $2/data
tmpdir = $2/tmp
socket = $2/mysqld.sock
pid_file = $2/data/mysqld.pid
bind_address = 0.0.0.0
skip_name_resolve = 1
# As MMM's guide asks for: nobody may write until the agent says so.
read_only = 1
log_bin = binlog
relay_log = relay
log_slave_updates = 1
auto_increment_increment = 2
auto_increment_offset = $((number == 2 ? 2 : 1))
slave_net_timeout = 4
# Tests kill servers, never the machine, so the page cache is durable enough.
innodb_flush_log_at_trx_commit = ${MMM_FLUSH_LOG:-2}
sync_binlog = 0
innodb_buffer_pool_size = 16M
innodb_fast_shutdown = 1
key_buffer_size = 1M
max_connections = 100
$(flavour_settings)
$OWN_SETTINGS
EOF
}

# A data folder with accounts and schema, made once per server version and recipe. Prints its path.
template() {
  local key path work
  key=$(
    { flavour_version; declare -f flavour_bootstrap app_schema make_template; accounts; server_settings db1 /; } |
      sha256sum | cut -c1-16
  )
  path=$CACHE_DIR/$MMM_SERVER-$key
  mkdir -p "$CACHE_DIR"
  (
    flock 9
    [[ -d $path ]] && exit 0
    work=$(mktemp -d "$CACHE_DIR/making.XXXXXX")
    mkdir "$work/tmp"
    if ! make_template "$work" >"$work/log" 2>&1 9>&-; then
      cat "$work/log" >&2
      rm -rf "$work"
      fail "a data folder for $MMM_SERVER could not be made"
      exit 1
    fi
    mv "$work/sparse" "$path"
    rm -rf "$work"
  ) 9>"$CACHE_DIR/lock" || return 1
  printf '%s\n' "$path"
}

make_template() {
  local work=$1 process tries
  flavour_bootstrap "$work/data" "$work/tmp" || return 1
  server_settings db1 "$work" | sed '/^log_bin\|^relay_log\|^log_slave/d' >"$work/my.cnf"
  "${SERVER[@]}" --defaults-file="$work/my.cnf" --skip-networking "${TEMPLATE_OPTIONS[@]}" &
  process=$!
  for ((tries = 0; tries < 1000; tries++)); do
    client_of "$work" -e 'DO 0' 2>/dev/null && break
    kill -0 "$process" || return 1
    sleep 0.02
  done
  { accounts; app_schema; } | client_of "$work" || { kill "$process"; wait "$process"; return 1; }
  kill "$process"
  wait "$process" || return 1
  # A MySQL server's own identity.
  rm -f "$work/data/auto.cnf"
  # Of what a server reserves for later, most is holes. A copy for a host then reads 7 MB of MariaDB 10.11's 77.
  cp -r --sparse=always "$work/data" "$work/sparse"
}

# client_of DIRECTORY OPTIONS… — the server's own client, as root, through its socket.
client_of() {
  local dir=$1
  shift
  "${CLIENT[@]}" --socket="$dir/mysqld.sock" --user=root --connect-timeout=5 "$@"
}

# in_words STATEMENT… — sets `words`: all of them as one text, in the server's words.
in_words() {
  local statement
  words=''
  # A server refuses an empty statement.
  for statement; do
    while [[ $statement == *[$'; \n'] ]]; do statement=${statement%?}; done
    words+=${statement:+${words:+;}$statement}
  done
  flavour_words
}

# statements STATEMENT… — prints that.
statements() {
  local words
  in_words "$@"
  printf '%s\n' "$words"
}

# The tests' own client: servers are asked some ten thousand times, and MariaDB's client takes five times longer to start.
SQL=${CARGO_TARGET_DIR:-$CLUSTER_LIB/../../target}/release/mmm_sql

# sql HOST STATEMENT… — as root, tab-separated, without headings. Statements are in MariaDB's words.
sql() {
  local words
  in_words "${@:2}"
  "$SQL" --socket="$CLUSTER_DIR/$1/mysqld.sock" "$words"
}

# sql_as USER PASSWORD ADDRESS STATEMENT… — by TCP from the client's place on the bridge.
sql_as() {
  local words
  in_words "${@:4}"
  MYSQL_PWD=$2 in_host client "$SQL" --host="$3" --user="$1" "$words"
}

# server_data HOST TEMPLATE — an unused data folder. Files that were there are written anew in their place: ext4 is slow to
# make files in a folder of which as many were just deleted, since it passes over the inodes that a crash might bring back.
server_data() {
  local dir
  dir=$(host_dir "$1")
  rm -f "$dir/mysqld.sock"
  mkdir -p "$dir/data"
  LC_ALL=C comm -z -23 <(entries "$dir/data") <(entries "$2") | cut -z -c 2- | (cd "$dir/data" && xargs -0 rm -rf --)
  cp -rT --sparse=always "$2" "$dir/data"
  server_settings "$1" "$dir" >"$dir/my.cnf"
  # A folder with more lines: for all hosts, and for one.
  if [[ ${MMM_SETTINGS:-} ]]; then cat "$MMM_SETTINGS/all" "$MMM_SETTINGS/$1" >>"$dir/my.cnf"; fi
}

# entries FOLDER — what is in it, and of which type, ended by NUL and sorted.
entries() { find "$1" -mindepth 1 -printf '%y%P\0' | LC_ALL=C sort -z; }

# server_launch HOST OPTIONS… — starts a server without waiting for it.
server_launch() {
  local host=$1 dir
  shift
  if server_alive "$host"; then
    fail "the server of $host is running already"
    return 1
  fi
  dir=$(host_dir "$host")
  rm -f "$dir/mysqld.sock"
  # shellcheck disable=SC2016
  (
    close_inherited_files
    in_host "$host" setsid --fork bash -c 'echo "$$" >"$0"; exec "$@"' "$dir/server.pid" \
      "${SERVER[@]}" --defaults-file="$dir/my.cnf" "$@"
  ) </dev/null >>"$dir/server.log" 2>&1
}

server_ready() {
  local host=$1 dir tries
  dir=$(host_dir "$host")
  for ((tries = 0; tries < 1500; tries++)); do
    "$SQL" --socket="$dir/mysqld.sock" 'DO 0' 2>/dev/null && return 0
    if ((tries > 20)) && ! server_alive "$host"; then break; fi
    sleep 0.02
  done
  tail -n 30 "$dir/server.log" >&2
  fail "the server of $host does not answer; its log is $dir/server.log"
}

server_start() {
  local host=$1
  server_launch "$@" && server_ready "$host"
}

server_pid() {
  local pid
  { read -r pid <"$(host_dir "$1")/server.pid"; } 2>/dev/null && printf '%s\n' "$pid"
}

# server_signal HOST SIGNAL
server_signal() {
  local pid
  pid=$(server_pid "$1") || { fail "no server was started on $1"; return 1; }
  in_host "$1" kill "-$2" "$pid" 2>/dev/null
}

server_alive() { server_signal "$1" 0 2>/dev/null; }

# server_end HOST SIGNAL — sends it and waits until the process has ended.
server_end() {
  local host=$1 pid
  pid=$(server_pid "$host") || return 0
  # The loop runs inside the host: one entry instead of many.
  # shellcheck disable=SC2016
  if ! in_host "$host" bash -c '
    kill "-$1" "$2" 2>/dev/null || exit 0
    kill -CONT "$2" 2>/dev/null
    for _ in {1..3000}; do
      kill -0 "$2" 2>/dev/null || exit 0
      sleep 0.01
    done
    exit 1' end "$2" "$pid"; then
    fail "the server of $host does not end"
    return 1
  fi
  rm -f "$(host_dir "$host")/server.pid"
}

# Prints `running`, `frozen` or `down`.
server_state() {
  local pid state
  pid=$(server_pid "$1") || { echo down; return; }
  state=$(in_host "$1" ps -o state= -p "$pid" 2>/dev/null) || state=
  case $state in
    '') echo down ;;
    T) echo frozen ;;
    *) echo running ;;
  esac
}

# replica_status HOST [STATEMENT] — a line for each column, by MariaDB's names.
replica_status() {
  local words
  in_words "${2:-$OWN_STATUS}"
  "$SQL" --seconds=20 --vertical --socket="$CLUSTER_DIR/$1/mysqld.sock" "$words" | flavour_fields
}

# Both threads as `Yes Yes`, `Connecting Yes`, …; empty if the host replicates from no host.
replica_threads() {
  replica_status "$1" |
    awk '$1 == "Slave_IO_Running:" { io = $2 } $1 == "Slave_SQL_Running:" { sql = $2 } END { if (io) print io, sql }'
}
