# shellcheck shell=bash disable=SC2154,SC2046,SC2317
# Asking mmm_difference, and what it saved.
#   load ../lib/cluster
#   load ../lib/failover
#   load ../lib/difference

# differs STATUS A B [OPTION…] — as db3 sees it.
differs() {
  run_bare db3 mmm_difference "${@:2}" && keeps_secrets || return 1
  [[ $status == "$1" ]] && return 0
  printf '%s\n' "$last_call: $status, expected: $1" "$output" "$stderr" >&2
  return 1
}

# says JQ-EXPRESSION — true of the last document.
says() {
  jq -e "$1" <<<"$output" >/dev/null && return 0
  printf '%s\n' "not true: $1" "$output" >&2
  return 1
}

# only_db3_gets COMMAND… — what db1 logs meanwhile reaches db3 and not db2.
only_db3_gets() {
  stop_replica_thread db2
  "$@"
  caught_up db3 db1
}

# read_log FILE, apply_log FILE HOST — by the server's own program and client, as the last document advises.
read_log() { "${LOG_READER[@]}" $(advised) --base64-output=decode-rows --verbose "$1"; }
apply_log() { "${LOG_READER[@]}" $(advised) "$1" | client_of "$(host_dir "$2")" --binary-mode --max-allowed-packet=1G; }
advised() {
  jq -r '.advice[0].steps[]' <<<"$output" |
    sed -nE 's/^on [a-z0-9]+, shell: (mysql|mariadb-)binlog ((--[a-z-]+ )*)[^ ]+ [|] (mysql|mariadb) --binary-mode --max-allowed-packet=1G .*/\2/p'
}

# rebuilt_by_dump HOST SOURCE — carries out the steps for little data of the last document, word by word. Only the way to
# the servers differs: their sockets, and the password of replication.
rebuilt_by_dump() (
  host=$1 source=$2
  dumper=("${LOG_READER[@]/%mysqlbinlog/mysqldump}")
  dumper=("${dumper[@]/%mariadb-binlog/mariadb-dump}")
  advised_client() { command "${CLIENT[@]}" --socket="$(host_dir "$host")/mysqld.sock" --user=root "$@"; }
  mariadb() { advised_client "$@"; }
  mysql() { advised_client "$@"; }
  mariadb-dump() {
    local words=() word
    for word; do
      case $word in
        --host=*) words+=("--socket=$(host_dir "$source")/mysqld.sock") ;;
        --port=* | --password) ;;
        *) words+=("$word") ;;
      esac
    done
    command "${dumper[@]}" "${words[@]}"
  }
  mysqldump() { mariadb-dump "$@"; }
  cd "$BATS_TEST_TMPDIR" || return 1
  mapfile -t steps < <(jq -r '.advice[] | select(.name == "rebuild").steps[]' <<<"$output" |
    sed '1,/^or, if there is little data:$/d')
  ((${#steps[@]} > 5)) || { echo 'no such advice' >&2; return 1; }
  for step in "${steps[@]}"; do
    case $step in
      *', shell: mmm_preflight') ;;
      "on $host, shell: "*) eval "${step#*shell: }" ;;
      "on $host, SQL: "*)
        step=${step#*SQL: }
        advised_client <<<"${step//"'PASSWORD'"/"'$REPLICATION_PASSWORD'"}"
        ;;
      *) false ;;
    esac || { echo "failed: $step" >&2; return 1; }
  done
)
