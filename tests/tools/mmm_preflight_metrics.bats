#!/usr/bin/env bats
# mmm_preflight --format openmetrics: what a real cluster and a real journal come to for Prometheus, and the file that
# node_exporter reads.

load ../lib/cluster
load ../lib/answers
load ../lib/failover
load ../lib/preflight

setup_file() { recommended && cluster_for_file && prepare; }
teardown_file() { end_cluster; }
setup() { good_cluster; }
teardown() { end_good_cluster; }

# A Python with the client library of Prometheus (make deps); without one, the tests that parse are skipped.
PYTHON=${MMM_PYTHON:-/usr/bin/python3}

# metrics HOST [OPTION…]
metrics() { run_bare "$1" mmm_preflight --format openmetrics "${@:2}" && keeps_secrets; }

# has SAMPLE… — the last metrics have each of these lines.
has() {
  local sample
  for sample in "$@"; do
    if ! grep -qxF -e "$sample" <<<"$output"; then
      printf 'there is no %s in:\n%s\n' "$sample" "$output" >&2
      return 1
    fi
  done
}

# parsed — the last metrics, by both parsers of Prometheus's own client; names and values as `NAME{LABELS} VALUE`.
parsed() {
  "$PYTHON" -c 'import prometheus_client' 2>/dev/null || skip "$PYTHON has no prometheus_client (MMM_PYTHON=…)"
  "$PYTHON" - 3<<<"$output" <<'EOF'
import os
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as classic

text = os.fdopen(3).read()

def samples(families):
    return sorted((s.name, sorted(s.labels.items()), s.value) for family in families for s in family.samples)

one, other = samples(strict(text)), samples(classic(text))
assert one == other, (one, other)
assert len(one) == len({(name, tuple(labels)) for name, labels, _ in one}), "a sample twice"
assert len(one) > 30, one
EOF
}

@test "a good cluster's metrics are read by both of Prometheus's parsers" {
  metrics db1
  [ "$status" = 0 ]
  has 'mmm_preflight_result 0' 'mmm_host_up{host="db2",mode="master"} 1' 'mmm_host_read_only{host="db1",mode="master"} 0' \
    'mmm_host_read_only{host="db2",mode="master"} 1' 'mmm_replication_sql_running{host="db3",source="db1"} 1' \
    'mmm_replication_lag_seconds{host="db3",source="db1"} 0' \
    "mmm_address_held{address=\"$WRITER_IP\",role=\"writer\",host=\"db1\"} 1" \
    "mmm_address_holders{address=\"$WRITER_IP\",role=\"writer\"} 1" 'mmm_preflight_check{check="servers"} 0' '# EOF'
  parsed
}

@test "what is broken is in numbers, and its text is not" {
  leaves_traces
  fail_applier db3 db1
  in_host db2 ip addr add "$WRITER_IP/32" dev eth0
  metrics db1
  [ "$status" = 2 ]
  has 'mmm_preflight_result 2' 'mmm_replication_sql_running{host="db3",source="db1"} 0' \
    'mmm_preflight_findings{check="replication",code="sql-thread-failed",severity="failure",host="db3"} 1' \
    "mmm_address_holders{address=\"$WRITER_IP\",role=\"writer\"} 2"
  # The server's error has a row of it.
  [[ $output != *theirs* && $output != *1062* ]]
  # Seconds_Behind_Master is NULL.
  [[ $output != *'mmm_replication_lag_seconds{host="db3"'* ]]
  parsed
}

@test "the journal's moves and refusals are counted, and a fence that fails" {
  leaves_traces
  settings db2 'allow_write: {fence: {command: [/bin/false]}}'
  run_helper db2 mysql_allow_write
  run_helper db2 mysql_allow_write
  server_end db1 KILL
  wait_for 5 has_lost db2
  run_helper db2 mysql_allow_write
  expect_answer 255 'ERROR: db1 does not answer, and could not be fenced*'
  metrics db2
  has 'mmm_journal_readable 1' 'mmm_refusals{helper="mysql_allow_write",code="peer-writable"} 2' \
    'mmm_refusals{helper="mysql_allow_write",code="not-fenced"} 1' 'mmm_failures{what="fence"} 1' 'mmm_fences 0' \
    'mmm_move_worked{move="take"} 0' 'mmm_host_up{host="db1",mode="master"} 0'
  [[ $output != *mmm_writes_opened* ]]
  settings db2 'allow_write: {fence: {command: [/bin/true]}}'
  run_helper db2 mysql_allow_write
  expect_answer 0 'OK*'
  metrics db2
  has 'mmm_fences 1' 'mmm_move_worked{move="take"} 1'
  local opened now
  opened=$(sed -n 's/^mmm_writes_opened_timestamp_seconds //p' <<<"$output")
  now=$(date +%s)
  ((now - ${opened%.*} < 60))
  parsed
}

@test "--output replaces the file as a whole, for everybody to read, and leaves nothing beside it" {
  local folder
  folder=$(host_dir db1)/log/collector
  mkdir "$folder"
  echo old >"$folder/mmm.prom"
  chmod 600 "$folder/mmm.prom"
  # Who has the old file open still reads the old one.
  exec 4<"$folder/mmm.prom"
  in_host db1 sh -c "umask 077; exec '$MMM_AGENT_DIR/mmm_preflight' --format openmetrics --output /var/log/mysql-mmm/collector/mmm.prom"
  [ "$(cat <&4)" = old ]
  exec 4<&-
  [ "$(stat -c %a "$folder/mmm.prom")" = 644 ]
  [[ $(head -n 1 "$folder/mmm.prom") == '# HELP mmm_'* && $(tail -n 1 "$folder/mmm.prom") == '# EOF' ]]
  [ "$(ls -A "$folder")" = mmm.prom ]
  # A link in its place is replaced, and not followed.
  echo precious >"$folder/target"
  ln -sf target "$folder/mmm.prom"
  in_host db1 "$MMM_AGENT_DIR/mmm_preflight" --format openmetrics -o /var/log/mysql-mmm/collector/mmm.prom
  [[ $(cat "$folder/target") == precious && ! -L $folder/mmm.prom ]]
}

@test "--output that cannot be written says so, and the old file stays" {
  local folder
  folder=$(host_dir db1)/log/small
  mkdir -p "$folder"
  run_bare db1 mmm_preflight --format openmetrics --output /var/log/mysql-mmm/none/mmm.prom
  [[ $status == 3 && $stderr == *'/var/log/mysql-mmm/none/mmm.prom was not written'*'No such file'* ]]
  in_host db1 sh -c 'mount -t tmpfs -o size=4k none /var/log/mysql-mmm/small && echo old >/var/log/mysql-mmm/small/mmm.prom'
  run_bare db1 mmm_preflight --format openmetrics --output /var/log/mysql-mmm/small/mmm.prom
  [[ $status == 3 && $stderr == *'No space left'* ]]
  [ "$(in_host db1 sh -c 'cat /var/log/mysql-mmm/small/*; ls -A /var/log/mysql-mmm/small')" = $'old\nmmm.prom' ]
  in_host db1 umount /var/log/mysql-mmm/small
}

@test "the samples for Prometheus and Grafana name metrics that exist" {
  local samples=$REPOSITORY/etc/monitoring known used
  known=$(sed -n 's/.*"\(mmm_[a-z_]*\)",.*/\1/p' "$REPOSITORY/bin/tools/preflight/view/metrics.rs" | sort -u)
  used=$({
    sed -n '/expr:/,/labels:/p' "$samples/mmm-rules.yml"
    jq -r '.panels[].targets[].expr, .templating.list[].definition // empty' "$samples/mmm-dashboard.json"
  } | grep -o 'mmm_[a-z_]*' | sort -u)
  [ "$(wc -l <<<"$used")" -gt 15 ]
  jq -e '.panels | length > 10' "$samples/mmm-dashboard.json"
  [ "$(comm -13 <(echo "$known") <(echo "$used"))" = '' ]
  # Each metric that is written is described.
  while read -r name; do grep -qF "| \`$name\` |" "$REPOSITORY/docs/METRICS.md"; done < <(grep . <<<"$known")
  if command -v promtool >/dev/null; then
    promtool check rules "$samples/mmm-rules.yml"
    cp "$samples/mmm-rules.yml" "$BATS_TEST_DIRNAME/mmm_rules.test.yml" "$BATS_TEST_TMPDIR/"
    promtool test rules "$BATS_TEST_TMPDIR/mmm_rules.test.yml"
  fi
  if command -v systemd-analyze >/dev/null; then
    sed "s|/usr/sbin/mmm_preflight|$MMM_AGENT_DIR/mmm_preflight|" "$samples/mmm-metrics.service" >"$BATS_TEST_TMPDIR/mmm-metrics.service"
    cp "$samples/mmm-metrics.timer" "$BATS_TEST_TMPDIR/"
    systemd-analyze verify "$BATS_TEST_TMPDIR"/mmm-metrics.{service,timer}
  fi
}

@test "the samples' labels exist, and Prometheus reads every expression of the dashboard" {
  local samples=$REPOSITORY/etc/monitoring known used
  known=$({
    grep -o '("[a-z]*", ' "$REPOSITORY/bin/tools/preflight/view/metrics.rs" | grep -o '[a-z]*'
    # Prometheus's own.
    echo instance
  } | sort -u)
  used=$({
    { grep -v '^ *#' "$samples/mmm-rules.yml" && jq -r '.panels[].targets[] | .expr, .legendFormat' "$samples/mmm-dashboard.json"; } |
      grep -oE '\b(by|on|ignoring) \([a-z, ]+\)|\{\{[a-z]+\}\}|\$labels\.[a-z]+|[a-z]+=~?"' |
      sed -E 's/^(by|on|ignoring) |\$labels\.//' | grep -oE '[a-z]+'
    jq -r '.panels[].transformations[]? | .options.indexByName // {} | keys[] | select(test("^Value") | not)' "$samples/mmm-dashboard.json"
  } | sort -u)
  [ "$(wc -l <<<"$used")" -gt 10 ]
  [ "$(comm -13 <(echo "$known") <(echo "$used"))" = '' ]
  command -v promtool >/dev/null || skip 'no promtool'
  # A rule for each, with what Grafana would put in for its variables.
  jq '{groups: [{name: "dashboard", rules: [.panels[] as $panel | $panel.targets[] |
      {record: "panel:\($panel.id):\(.refId)", expr: (.expr | gsub("\\$instance"; "(db1:9100|db2:9100)") | gsub("\\$__range"; "21600s"))}]}]}' \
    "$samples/mmm-dashboard.json" >"$BATS_TEST_TMPDIR/dashboard.yml"
  # None is left.
  run grep -F "\$" "$BATS_TEST_TMPDIR/dashboard.yml"
  [ "$status" = 1 ]
  promtool check rules "$BATS_TEST_TMPDIR/dashboard.yml"
}
