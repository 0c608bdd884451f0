#!/usr/bin/env bats
# The manual pages and the completions, as the generator writes them.

REPOSITORY=$BATS_TEST_DIRNAME/..
BUILT=${MMM_AGENT_DIR:-$REPOSITORY/target/release}

setup_file() {
  export MANUAL=$BATS_FILE_TMPDIR/manual
  "$BUILT/mmm_manual" "$REPOSITORY/docs/man" "$MANUAL"
}

# read_page FILE — as a person at a terminal of 80 columns reads it.
read_page() { MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings --local-file "$1" 2>"$BATS_TEST_TMPDIR/warnings" | col -b; }

@test "there is a page for each helper, each tool and the settings" {
  [ "$(cd "$MANUAL" && ls man8)" = "$(cd "$REPOSITORY/bin/agent" && printf '%s\n' [cmst]*_*.rs | sed 's/rs$/8/')" ]
  [ "$(cd "$MANUAL" && ls man1)" = "$(cd "$REPOSITORY/bin/tools" && printf '%s\n' mmm_*.rs | sed 's/rs$/1/')" ]
  [ "$(cd "$MANUAL" && ls man5)" = mmm_helpers.yaml.5 ]
}

@test "every page formats without a warning, in 80 columns" {
  local page
  for page in "$MANUAL"/man?/*; do
    read_page "$page" >"$BATS_TEST_TMPDIR/page"
    cat "$BATS_TEST_TMPDIR/warnings"
    [ ! -s "$BATS_TEST_TMPDIR/warnings" ]
    [ "$(expand "$BATS_TEST_TMPDIR/page" | LC_ALL=C.UTF-8 wc -L)" -le 80 ]
    grep -q '^NAME$' "$BATS_TEST_TMPDIR/page"
    grep -q '^SEE ALSO$' "$BATS_TEST_TMPDIR/page"
  done
}

@test "a page says what --help says, and more" {
  local helper option
  for helper in "$REPOSITORY"/bin/agent/[cmst]*_*.rs; do
    helper=$(basename "$helper" .rs)
    read_page "$MANUAL/man8/$helper.8" >"$BATS_TEST_TMPDIR/page"
    for option in $("$BUILT/$helper" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+'); do
      grep -qF -e "$option" "$BATS_TEST_TMPDIR/page"
    done
    grep -q "^EXIT STATUS$" "$BATS_TEST_TMPDIR/page"
    grep -qF 'ERROR: …' "$BATS_TEST_TMPDIR/page"
  done
}

@test "no page refers to one that does not exist" {
  local name
  cd "$MANUAL"
  while read -r name; do
    [ -s "$name" ] || { echo "$name"; return 1; }
  done < <(grep -hoE '^\.BR [a-z_.]+ \([158]\)' man?/* | sed -E 's/^\.BR ([a-z_.]+) \((.)\)/man\2\/\1.\2/' | sort -u)
}

@test "the completions are sound, and bash completes an option" {
  local name
  for name in $(cd "$MANUAL/bash" && ls); do
    bash -n "$MANUAL/bash/$name"
    if command -v zsh >/dev/null; then zsh -n "$MANUAL/zsh/_$name"; fi
    if command -v fish >/dev/null; then fish --no-execute "$MANUAL/fish/$name.fish"; fi
  done
  run bash -c '. "$1"; COMP_WORDS=(mmm_journal --for) COMP_CWORD=1
    _mmm_journal mmm_journal --for mmm_journal; echo "${COMPREPLY[@]}"' bash "$MANUAL/bash/mmm_journal"
  [ "$output" = --format ]
}
