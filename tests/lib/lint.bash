# shellcheck shell=bash disable=SC2154
# For the tests of the programs of `make lint`: a copy of the tree in $copy gets a fault, and has to be refused.

bats_require_minimum_version 1.5.0

# copies_of FILE… — these of the tree, in $copy.
copies_of() {
  copy=$BATS_TEST_TMPDIR/copy
  mkdir "$copy"
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  cp -r --parents "$@" "$copy"
}

# complains PROGRAM WORDS — the copy is refused, with one complaint, which has WORDS.
complains() {
  run --separate-stderr "tests/$1" "$copy"
  echo "$stderr" >&2
  [ "$status" -eq 1 ]
  [ "${#stderr_lines[@]}" -eq 1 ]
  [[ ${stderr_lines[0]} == "tests/$1: "*"$2"* ]]
}

# accepts PROGRAM — the copy, without a word.
accepts() {
  run "tests/$1" "$copy"
  [ "$status" -eq 0 ]
  [ "$output" = '' ]
}
