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

@test "the matrix ends 3 and says why where a server cannot be had" {
  stand_in mmdebstrap 'echo "E: no route to host"; exit 25'
  stand_in tests/run 'echo "5 passed, 0 failed"'
  run tests/matrix mysql-9 mariadb-10.11
  [ "$status" -eq 3 ]
  [[ $output == *"mysql-9: not fetched: no route to host"* ]]
  [[ $output =~ mariadb-10.11\ \(10.11[^\)]*\)\ +gtid\ +5\ ok ]]
  [ "${lines[-1]}" = "10 passed, 0 failed" ]
}

@test "the matrix ends 1 where a test fails, even where a server cannot be had" {
  stand_in mmdebstrap 'echo "E: no route to host"; exit 25'
  stand_in tests/run 'echo "not ok 3 rows are equal"; echo "4 passed, 1 failed"; exit 1'
  run tests/matrix mysql-9 mariadb-10.11
  [ "$status" -eq 1 ]
  [[ $output == *"not ok 3 rows are equal"* ]]
  [[ $output =~ file\ +1\ FAILED,\ 4\ ok ]]
  [ "${lines[-1]}" = "8 passed, 2 failed" ]
}

@test "a test run that does not come to its end has failed" {
  stand_in tests/run 'echo "ok 1 something"; kill -KILL $$'
  run tests/matrix mariadb-10.11
  [ "$status" -eq 1 ]
  [ "${lines[-1]}" = "0 passed, 2 failed" ]
}
