# shellcheck shell=bash disable=SC2034,SC2154
# mmm_preflight on hosts as it wants them, what it finds there, and its cures.
#   load ../lib/cluster
#   load ../lib/answers
#   load ../lib/failover
#   load ../lib/preflight
#   setup_file() { recommended && cluster_for_file && prepare; }
#   setup() { good_cluster; }      teardown() { end_good_cluster; }

# An I/O thread that has lost its master tries again soon, and for long enough.
SOURCE_OPTIONS+=' MASTER_CONNECT_RETRY = 5,'
if [[ $FAMILY == MySQL ]]; then SOURCE_OPTIONS+=' MASTER_RETRY_COUNT = 86400,'; fi

# recommended — from the next start on, the servers have the settings that docs/PREFLIGHT.md recommends. The network
# time-out is the servers' default: whenever a slave connects anew, a master's other dump threads begin their wait for the
# next heartbeat again, so that two slaves' reconnects within the cluster's usual 4 s cut a third slave off (10.11).
recommended() {
  export MMM_SETTINGS=$BATS_FILE_TMPDIR/settings
  mkdir -p "$MMM_SETTINGS"
  touch "$MMM_SETTINGS"/{all,db1,db2,db3}
  {
    printf '%s\n' 'sync_binlog = 1' 'innodb_flush_log_at_trx_commit = 1' 'expire_logs_days = 7' \
      'slave_net_timeout = 60'
    if [[ $FAMILY == MariaDB ]]; then echo 'gtid_strict_mode = 1'; fi
  } >"$MMM_SETTINGS/all"
  if [[ $MMM_SERVER == mysql-9 ]]; then sed -i '/expire_logs_days/d' "$MMM_SETTINGS/all"; fi
}

AGENT=/var/lib/mmm/agent

# prepare — helpers where the agents look for them, and the addresses that a monitor would have given.
prepare() {
  local host
  for host in "${HOSTS[@]}"; do
    in_host "$host" sh -c "rm -rf $AGENT && mkdir -p $AGENT && ln -s $MMM_AGENT_DIR/*_* $AGENT/"
    sed -i "s|bin_path.*|bin_path ${AGENT%/agent}/|" "$(host_dir "$host")/mysql-mmm/mmm_common.conf"
    in_host "$host" ip addr add "$NETWORK.10$(host_number "$host")/32" dev eth0
  done
  in_host db1 ip addr add "$WRITER_IP/32" dev eth0
}

# good_cluster — as after prepare; made anew only if the test before has failed or leaves traces.
good_cluster() {
  if [[ -e $BATS_FILE_TMPDIR/broken ]]; then reset_cluster && prepare; fi
  : >"$BATS_FILE_TMPDIR/broken"
}
end_good_cluster() {
  dump_on_failure
  if [[ ${BATS_TEST_COMPLETED:-} && ! ${has_traces:-} ]]; then rm "$BATS_FILE_TMPDIR/broken"; fi
}

# look HOST [OPTION…]
look() { run_bare "$1" mmm_preflight "${@:2}" && keeps_secrets; }

# sees HOST STATUS [CODE…] — what HOST finds: exactly these, each with a cure.
sees() {
  local found expected
  look "$1" --format json || return 1
  found=$(jq -r '[.checks[].findings[].code] | sort | join(" ")' <<<"$output")
  expected=$(printf '%s\n' "${@:3}" | sort | paste -sd ' ')
  if [[ $status == "$2" && $found == "$expected" ]] &&
    jq -e '[.checks[].findings[] | select(.cure == [])] == []' <<<"$output" >/dev/null; then return 0; fi
  printf '%s\n' "$1: $status, '$found'; expected: $2, '$expected'" "$output" "$stderr" >&2
  return 1
}
is_good() { sees "$1" 0; }
becomes_good() { wait_for 5 is_good "$1"; }

# cured [CODE] — does what the cures of the last `sees` say, or of this code alone, word by word.
cured() {
  local host how what
  while IFS=$'\t' read -r host how what; do
    if [[ $how == SQL ]]; then sql "$host" "${what%;}"; else in_host "$host" sh -c "$what"; fi || return 1
  done < <(jq -r --arg code "${1:-}" '.checks[].findings[] | select($code == "" or .code == $code) | .cure[] | capture("^on (?<h>[a-z0-9]+), (?<k>SQL|shell): (?<w>.*)$") | [.h, .k, .w] | @tsv' <<<"$output")
}
