#!/usr/bin/env bats
# tests/run: CI goes by its closing line.

# Without the variables and the search path of the bats that runs this.
run_tests() {
  run env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$HOME" "$BATS_TEST_DIRNAME/../run" "$@"
}

write_test() { printf '%s\n' "${@:2}" >"$BATS_TEST_TMPDIR/$1.bats"; }

@test "passed and failed tests are counted on the last line, and a failure is an exit code" {
  write_test some '@test "good" { true; }' '@test "bad" { false; }' '@test "good too" { true; }'
  run_tests "$BATS_TEST_TMPDIR/some.bats"
  [ "${lines[-1]}" = "2 passed, 1 failed" ]
  [ "$status" -eq 1 ]
}

@test "a skipped test has not passed" {
  write_test some '@test "good" { true; }' '@test "left out" { skip "no server"; }'
  run_tests "$BATS_TEST_TMPDIR/some.bats"
  [ "${lines[-1]}" = "1 passed, 0 failed, 1 skipped" ]
  [ "$status" -eq 0 ]
}

@test "all good is exit code 0" {
  write_test some '@test "good" { true; }'
  run_tests "$BATS_TEST_TMPDIR/some.bats"
  [ "${lines[-1]}" = "1 passed, 0 failed" ]
  [ "$status" -eq 0 ]
}

@test "a file whose set-up fails, or that is no test file at all, counts as failed" {
  write_test broken 'setup_file() { false; }' '@test "good" { true; }'
  run_tests "$BATS_TEST_TMPDIR/broken.bats"
  [ "${lines[-1]}" = "0 passed, 1 failed" ]
  [ "$status" -eq 1 ]

  run_tests "$BATS_TEST_TMPDIR/missing.bats"
  [ "${lines[-1]}" = "0 passed, 1 failed" ]
  [ "$status" -eq 1 ]
}

@test "a cluster that a test file left up is ended" {
  write_test careless "load $BATS_TEST_DIRNAME/cluster" 'setup_file() { cluster_for_file; }' \
    '@test "leaves it" { echo "$MMM_CLUSTER" >"$BATS_TEST_DIRNAME/name"; }'
  run_tests "$BATS_TEST_TMPDIR/careless.bats"
  [ "$status" -eq 0 ]
  name=$(<"$BATS_TEST_TMPDIR/name")
  [[ $name == run-*-careless ]]
  [ ! -e "/tmp/mmm-cluster-$name" ]
}
