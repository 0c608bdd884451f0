#!/usr/bin/env bats
# tests/lint-imports: it finds arrows that lead upwards, and circles.

load lint

setup() {
  copies_of crates/replication/src
  source=$copy/crates/replication/src
}

# finds WORDS — they stand in its one complaint.
finds() { complains lint-imports "$1"; }

@test "the tree has its rooms in order" {
  accepts lint-imports
}

@test "a room that imports a higher one is named, with the place" {
  mkdir "$source/binlog/stray"
  printf '%s\n' '//! A stray file.' '' 'use crate::gate::Proof;' >"$source/binlog/stray/file.rs"
  finds 'binlog/stray/file.rs:3: imports gate.rs, and gate is above binlog'
}

@test "of an import in several lines, the one that leads upwards is found" {
  printf '%s\n' 'use std::fmt;' 'pub(crate) use crate::{' '    position::BinlogPosition,' \
    '    takeover::{way_back::{abandon}},' '};' >"$source/server/stray.rs"
  finds 'server/stray.rs:2: imports takeover/way_back.rs, and takeover is above server'
}

@test "a path in the midst of the code is an import, too" {
  printf '%s\n' 'fn f() {' '    crate::closing::confirm::f();' '}' >"$source/channel/stray.rs"
  finds 'channel/stray.rs:2: imports closing/confirm.rs, and closing is above channel'
}

@test "what a comment or a test names is no import" {
  printf '%s\n' '// See crate::closing::confirm.' 'use std::fmt; // crate::gate::Proof' >"$source/channel/stray.rs"
  mkdir "$source/channel/stray"
  echo 'use crate::gate::Proof;' >"$source/channel/stray/tests.rs"
  run tests/lint-imports "$copy"
  [ "$status" -eq 0 ]
}

@test "two files that import each other are named as a circle" {
  echo 'use super::other::f;' >"$source/gate/stray.rs"
  echo 'use crate::gate::stray::{self, g};' >"$source/gate/other.rs"
  finds 'files import each other in a circle: gate/'
  [[ $stderr == *'gate/stray.rs → gate/other.rs → gate/stray.rs' ||
    $stderr == *'gate/other.rs → gate/stray.rs → gate/other.rs' ]]
}

@test "a file that calls a module of its own which imports it is in a circle" {
  printf '%s\n' 'mod deep;' '' 'fn f() {' '    deep::g();' '}' >"$source/plan/stray.rs"
  mkdir "$source/plan/stray"
  echo 'use super::f;' >"$source/plan/stray/deep.rs"
  finds 'files import each other in a circle: plan/stray'
}

@test "a longer circle is found among files that import into it and are not in it" {
  echo 'use crate::gate::b::f;' >"$source/gate/a.rs"
  echo 'use crate::gate::c::f;' >"$source/gate/b.rs"
  echo 'use crate::gate::d::f;' >"$source/gate/c.rs"
  echo 'use crate::gate::b::f;' >"$source/gate/d.rs"
  finds 'files import each other in a circle: gate/'
  [[ $stderr != *gate/a.rs* ]]
}

@test "a file that is in no room is named" {
  echo '//! A stray file.' >"$source/attic.rs"
  finds 'attic.rs is in no room'
}
