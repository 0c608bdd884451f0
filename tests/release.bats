#!/usr/bin/env bats
# make release-check, with a stand-in for cargo and a tree of its own.

REPOSITORY=$BATS_TEST_DIRNAME/..

setup() {
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/packaging" "$BATS_TEST_TMPDIR/bin"
  cp "$REPOSITORY/packaging/release-check" "$REPOSITORY/packaging/names.bash" "$tree/packaging/"
  printf '[workspace.package]\nversion = "1.2.3"\n' >"$tree/Cargo.toml"
  printf '# Changelog\n\n## 1.2.3 - 2027-01-01\n' >"$tree/CHANGELOG.md"
  printf '#!/bin/sh\ncase $1 in deny) exit "${DENY:-0}" ;; esac\n' >"$BATS_TEST_TMPDIR/bin/cargo"
  chmod +x "$BATS_TEST_TMPDIR/bin/cargo"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  git init -q "$tree"
  commit
}

commit() {
  git -C "$tree" add -A
  git -C "$tree" -c user.name=a -c user.email=a@b.example commit -q --allow-empty -m change
}

# refused TEXT — the check ends with 1 and says this.
refused() {
  run "$tree/packaging/release-check"
  [[ $status == 1 && $output == *"$1"* ]]
}

@test "a clean tree with an entry for its version may be released, also when its tag is there" {
  run "$tree/packaging/release-check"
  [ "$status" -eq 0 ]
  [ "$output" = 'version 1.2.3 may be released' ]
  git -C "$tree" tag v1.2.3
  "$tree/packaging/release-check"
}

@test "changes that are not committed are refused" {
  echo more >"$tree/file"
  refused 'there are changes that are not committed'
}

@test "a version without an entry in CHANGELOG.md is refused, and one that is not closed" {
  sed -i 's/1\.2\.3/1.2.30/' "$tree/CHANGELOG.md"
  commit
  refused "CHANGELOG.md has no entry '## 1.2.3'"
  printf '## Unreleased\n\n## 1.2.3\n' >"$tree/CHANGELOG.md"
  commit
  refused "still has '## Unreleased'"
}

@test "a version that another commit has been released as is refused" {
  git -C "$tree" tag v1.2.3
  commit
  refused 'the tag v1.2.3 is on another commit'
}

@test "without cargo-deny nothing is released" {
  export DENY=1
  refused 'cargo-deny is not installed'
}

@test "both packages name every licence that a library may have" {
  local licence allowed
  mapfile -t allowed < <(sed -n '/^allow = \[/,/^]/s/^ *"\(.*\)",$/\1/p' "$REPOSITORY/deny.toml")
  ((${#allowed[@]} > 5))
  for licence in "${allowed[@]}"; do
    grep -E '^License: ' "$REPOSITORY/packaging/rpm/mmm-agent-helpers.spec" | grep -qwF -e "$licence"
    grep -qwF -e "$licence" "$REPOSITORY/packaging/deb/copyright"
  done
}

@test "the version of this project stands in one place, and CHANGELOG.md has its entry" {
  # shellcheck source=packaging/names.bash
  . "$REPOSITORY/packaging/names.bash"
  version=$(version_of "$REPOSITORY")
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
  grep -qE "^## $version( |$)" "$REPOSITORY/CHANGELOG.md"
  run grep -L 'version.workspace = true' "$REPOSITORY"/{bin,crates}/*/Cargo.toml "$REPOSITORY/tests/chaos/Cargo.toml"
  [ "$output" = '' ]
}
