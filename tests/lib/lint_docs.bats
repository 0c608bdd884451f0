#!/usr/bin/env bats
# tests/lint-docs: it finds citations of what does not exist.

load lint

setup() {
  copies_of README.md CHANGELOG.md Makefile install.sh bin crates docs etc tests
}

# finds WORDS — they stand in its one complaint.
finds() { complains lint-docs "$1"; }

@test "a tree in which everything that is cited exists is accepted" {
  accepts lint-docs
}

@test "a cited section that the document does not have is named, with the place that cites it" {
  echo '// See docs/FAILOVER.md, 2.99.' >"$copy/bin/agent/stray.rs"
  finds 'bin/agent/stray.rs:1: docs/FAILOVER.md has no section 2.99'
}

@test "of several cited sections, the one that is missing is named" {
  echo 'docs/CONTRACT.md, 1.1 and 9' >"$copy/tests/lib/stray.bash"
  finds 'tests/lib/stray.bash:1: docs/CONTRACT.md has no section 9'
}

@test "a section that has lost its number is missed where it is cited" {
  sed -i 's/^### 3.5 /### /' "$copy/docs/FAILOVER.md"
  finds 'docs/FAILOVER.md has no section 3.5'
}

@test "a document that is not there is named" {
  echo '# docs/NOWHERE.md' >"$copy/etc/stray.yaml"
  finds 'etc/stray.yaml:1: there is no docs/NOWHERE.md'
}

@test "a section of a document that is not in the tree is named" {
  echo '// (failover section A, 10)' >"$copy/crates/core/src/stray.rs"
  finds "crates/core/src/stray.rs:1: 'failover section A' is no section"
}

@test "a test that docs/ORDERS.md names and that is gone is named" {
  sed -i '/^@test "A6: /s/still takes writes/takes writes still/' "$copy/tests/failover/living_file.bats"
  finds 'docs/ORDERS.md, A6: no test of tests/failover/living_file.bats begins with "the old master still takes"'
}

@test "a unit test that docs/ORDERS.md names and that is gone is named" {
  grep -rl 'fn a22_' "$copy/crates" | xargs sed -i 's/fn a22_/fn b1_a22_/'
  finds 'docs/ORDERS.md, A22: no unit test is named `a22_a_delayed_replica'
}

@test "an order that a test names and that has no row is named" {
  echo '@test "A99: nobody has thought of this" {' >"$copy/tests/failover/stray.bats"
  finds 'tests/failover/stray.bats:1: docs/ORDERS.md has no row A99'
}
