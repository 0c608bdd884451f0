#!/usr/bin/env bats
# tests/fetch-server and tests/matrix: what they say when a server cannot be had, or a test fails.

# A copy of the programs whose cache is empty, and stand-ins for what is slow or needs a network.
setup() {
  mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/copy"
  cp -r "$BATS_TEST_DIRNAME/.." "$BATS_TEST_TMPDIR/copy/tests"
  cd "$BATS_TEST_TMPDIR/copy" || return 1
  export PATH=$BATS_TEST_TMPDIR/bin:$PATH XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache MMM_MATRIX_LOGS=$BATS_TEST_TMPDIR/logs
}

# stand_in PROGRAM TEXT — in the search path, or the file itself where it is a path.
stand_in() {
  local file=$1
  [[ $file == */* ]] || file=$BATS_TEST_TMPDIR/bin/$file
  printf '#!/bin/bash\n%s\n' "$2" >"$file"
  chmod +x "$file"
}

cache_holds() { [ "$(find "$XDG_CACHE_HOME/mmm-agent-helpers/servers" -mindepth 1 ! -name '*.lock' -printf '%P\n' | sort | tr '\n' ' ')" = "$1" ]; }

# An unpacked folder of a MySQL, as far as fetch-server looks at it; the last argument is the folder.
UNPACK='folder=${@: -1}; mkdir -p "$folder/usr/sbin"
  printf "#!/bin/sh\necho mysqld  Ver 9.9.9 for Linux\n" >"$folder/usr/sbin/mysqld"; chmod +x "$folder/usr/sbin/mysqld"'

@test "a server is fetched once, then it is there without a network" {
  stand_in mmdebstrap "$UNPACK"
  run tests/fetch-server mysql-9
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = "tests/fetch-server: mysql-9: there is version 9.9.9" ]
  cache_holds 'mysql-9 mysql-9/usr mysql-9/usr/sbin mysql-9/usr/sbin/mysqld '

  stand_in mmdebstrap 'echo "E: asked again"; exit 1'
  run tests/fetch-server mysql-9
  [ "$status" -eq 0 ]
  [ "$output" = "tests/fetch-server: mysql-9: there is version 9.9.9" ]
}

@test "a server that cannot be had leaves nothing but one line with the reason" {
  stand_in mmdebstrap 'echo "I: running"; mkdir -p "${@: -1}/usr"; echo "E: no route to host"; echo more; exit 25'
  run tests/fetch-server mysql-9
  [ "$status" -eq 1 ]
  [ "${lines[-1]}" = "tests/fetch-server: mysql-9: no route to host" ]
  cache_holds ''
}

@test "a download that hangs is given up" {
  stand_in mmdebstrap 'echo "I: downloading"; sleep 60'
  FETCH_PATIENCE=1 run tests/fetch-server mysql-9
  [ "$status" -eq 1 ]
  [ "${lines[-1]}" = "tests/fetch-server: mysql-9: it took longer than 1 s" ]
  cache_holds ''
}

@test "what was fetched and does not run is not kept" {
  stand_in mmdebstrap 'mkdir -p "${@: -1}/usr/sbin"'
  run tests/fetch-server mysql-9
  [ "$status" -eq 1 ]
  [[ ${lines[-1]} == "tests/fetch-server: mysql-9: fetched, but it does not run here: "* ]]
  cache_holds ''
}

@test "what a killed run left is fetched again" {
  mkdir -p "$XDG_CACHE_HOME/mmm-agent-helpers/servers/mysql-9.making.abcdef/mysql-9"
  stand_in mmdebstrap "$UNPACK"
  run tests/fetch-server mysql-9
  [ "$status" -eq 0 ]
  cache_holds 'mysql-9 mysql-9/usr mysql-9/usr/sbin mysql-9/usr/sbin/mysqld '
}

# plan LINES — what tests/matrix runs, in place of its own plan.
plan() {
  awk -v lines="$1" '/^plan\(\)/ { print "plan() { echo \"" lines "\"; }"; inside = 1 } !inside { print } /^}/ { inside = 0 }' \
    tests/matrix >tests/matrix.new
  cat tests/matrix.new >tests/matrix
}

@test "the matrix ends 3 and says why where a server cannot be had" {
  plan 'some tests/some.bats * * *'
  stand_in mmdebstrap 'echo "E: no route to host"; exit 25'
  stand_in tests/run 'echo "5 passed, 0 failed"'
  run tests/matrix mysql-9 mariadb-10.11
  [ "$status" -eq 3 ]
  [[ $output =~ mariadb\ 10.11[0-9.]*\ +gtid\ +5$'\n' ]]
  [[ $output =~ $'\n'10\ passed,\ 0\ failed,\ 0\ refused\ as\ known,\ 0\ skipped ]]
  [ "${lines[-1]}" = "mysql-9: not fetched: no route to host" ]
}

@test "the matrix ends 1 where a test fails, even where a server cannot be had" {
  plan 'some tests/some.bats * * *'
  stand_in mmdebstrap 'echo "E: no route to host"; exit 25'
  stand_in tests/run 'echo "not ok 3 rows are equal"; echo "4 passed, 1 failed"; exit 1'
  run tests/matrix mysql-9 mariadb-10.11
  [ "$status" -eq 1 ]
  [[ $output == *"not ok 3 rows are equal"* ]]
  [[ $output =~ file\ +1F,4$'\n' ]]
  [[ $output == *$'\n8 passed, 2 failed, '* ]]
  [ "${lines[-1]}" = "mysql-9: not fetched: no route to host" ]
}

@test "a test run that does not come to its end has failed" {
  plan 'some tests/some.bats * * *'
  stand_in tests/run 'echo "ok 1 something"; kill -KILL $$'
  run tests/matrix mariadb-10.11
  [ "$status" -eq 1 ]
  [[ ${lines[-1]} == "0 passed, 2 failed, "* ]]
}

@test "a cell says what was refused as known and what was skipped; neither has passed" {
  plan 'some tests/some_MODE.bats * gtid *'
  stand_in tests/run '[ "$1" = tests/some_gtid.bats ] || exit 1
    echo "ok 1 late in 5ms # skip known refusal: no place"; echo "ok 2 channels # skip there are none"
    echo "2 passed, 0 failed, 2 skipped"'
  run tests/matrix mariadb-10.11
  [ "$status" -eq 0 ]
  [[ $output =~ gtid\ +2\+1r-1 ]]
  [[ ${lines[-1]} == "2 passed, 0 failed, 1 refused as known, 1 skipped, "* ]]
}

@test "a short run leaves out what the plan says" {
  plan 'some tests/some.bats * * gtid'
  stand_in tests/run 'echo "1 passed, 0 failed"'
  run tests/matrix --short mariadb-10.11
  [ "$status" -eq 0 ]
  [[ $output =~ file\ +\.$'\n' && $output =~ gtid\ +1$'\n' ]]
  [[ ${lines[-1]} == "1 passed, 0 failed, "* ]]
}

@test "a run that was interrupted goes on: what failed or did not end is run again, what was green is not" {
  plan 'some tests/some_MODE.bats * * *'
  stand_in tests/run '[ "$1" = tests/some_gtid.bats ] || { echo "4 passed, 0 failed, 1 skipped"; exit; }
    echo "not ok 1 rows"; echo "3 passed, 1 failed"; exit 1'
  run tests/matrix mariadb-10.11
  [ "$status" -eq 1 ]

  stand_in tests/run 'echo "5 passed, 0 failed"'
  run tests/matrix --resume mariadb-10.11
  [ "$status" -eq 0 ]
  [[ $output =~ file\ +4-1$'\n' && $output =~ gtid\ +5$'\n' ]]
  run tests/matrix mariadb-10.11
  [[ $output =~ file\ +5$'\n' ]]
}

@test "every file of the plan is there, in each mode" {
  local column file servers modes in_short mode
  # shellcheck disable=SC1090
  . <(sed -n '/^plan()/,/^}/p' tests/matrix)
  while read -r column file servers modes in_short; do
    for mode in file gtid; do [ -e "${file/MODE/$mode}" ]; done
    [[ $in_short ]]
  done < <(plan)
}
