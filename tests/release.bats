#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell
# make release-check, and what make dist looks at before it builds, with stand-ins for cargo and others and a tree of its
# own.

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

@test "a file that is not in the repository is refused, also where git is told not to show such files" {
  git -C "$tree" config status.showUntrackedFiles no
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

# dist_of — packaging/dist in the tree; it gets no further than to the tools that it would fetch.
dist_of() {
  cp "$REPOSITORY"/packaging/{dist,dist-check,start.bash,toolchain.bash} "$tree/packaging/"
  local program
  for program in python3 rpmbuild jq xz dpkg-deb; do
    printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/$program"
    chmod +x "$BATS_TEST_TMPDIR/bin/$program"
  done
  export HOME=$BATS_TEST_TMPDIR/home COMPILERS=$BATS_TEST_TMPDIR/tools
  unset CARGO_HOME
  mkdir -p "$HOME/.cargo"
}

@test "make dist removes no folder that it has not made" {
  dist_of
  mkdir -p "$tree/full" "$tree/made" "$tree/empty"
  echo mine >"$tree/full/file"
  echo x >"$tree/made/BUILT-WITH"
  for program in dist dist-check; do
    for folder in "$tree/full" "$tree" "$tree/packaging" "$tree/.." / "$HOME" "$tree/Cargo.toml"; do
      export OUT=$folder
      run "$tree/packaging/$program" "$folder"
      [[ $status == 1 && $output == *'name another folder'* ]]
      [[ -e $tree/full/file && -e $tree/Cargo.toml && -d $HOME ]]
    done
  done
  # These it does take: it goes on to the tools.
  for folder in "$tree/made" "$tree/empty" "$tree/new"; do
    OUT=$folder run "$tree/packaging/dist"
    [[ $status == 1 && $output == *'could not be had from PyPI'* ]]
  done
}

@test "make dist refuses a setting of cargo that would change the programs, wherever it stands, and takes a mirror" {
  dist_of
  export OUT=$tree/new
  mkdir -p "$BATS_TEST_TMPDIR/.cargo"
  for file in "$HOME/.cargo/config.toml" "$HOME/.cargo/config" "$BATS_TEST_TMPDIR/.cargo/config.toml"; do
    for text in '[profile.dist]\npanic = "abort"' 'profile.dist.panic = "abort"' '[build]\nrustflags = ["-Cpanic=abort"]' \
      '[ build ]\n"rustc-wrapper" = "x"' 'build = { target = "x" }' '[target.x86_64-unknown-linux-musl]\nlinker = "x"' \
      '[env]\nCFLAGS = "-O0"'; do
      printf '%b\n' "$text" >"$file"
      run "$tree/packaging/dist"
      [[ $status == 1 && $output == *"$file has "*', which would change the programs'* ]]
    done
    printf '%s\n' '# [profile.dist]' '[source.crates-io]' 'replace-with = "mirror"' '[source.mirror]' \
      'registry = "sparse+https://mirror.example/"' '[registries.a]' 'index = "x"' '[net]' 'offline = false' '[http]' \
      'cainfo = "/x"' '[build]' 'jobs = 1' '[term]' 'quiet = true' >"$file"
    run "$tree/packaging/dist"
    [[ $status == 1 && $output == *'could not be had from PyPI'* ]]
    rm "$file"
  done
}

@test "make dist passes on how registries are reached, and nothing else of the shell" {
  dist_of
  printf '#!/bin/sh\nenv >"%s"\nexit 1\n' "$BATS_TEST_TMPDIR/seen" >"$BATS_TEST_TMPDIR/bin/python3"
  export OUT=$tree/new
  passed=(https_proxy=http://proxy.example:1 PIP_INDEX_URL=https://pip.example/ PIP_CERT=/c SSL_CERT_FILE=/s
    REQUESTS_CA_BUNDLE=/r CARGO_HTTP_CAINFO=/h CARGO_REGISTRIES_A_INDEX=x CARGO_SOURCE_A_REGISTRY=y CARGO_NET_OFFLINE=false)
  dropped=(CARGO_PROFILE_DIST_PANIC=abort CARGO_PROFILE_RELEASE_PANIC=abort CARGO_ENCODED_RUSTFLAGS=x RUSTFLAGS=x
    RUSTC_WRAPPER=x CARGO_BUILD_TARGET=x CARGO_BUILD_RUSTFLAGS=x CFLAGS_x86_64_unknown_linux_musl=-O0 CC=x XZ_DEFAULTS=-0
    XZ_OPT=-0 TAR_OPTIONS=-v GZIP=-1 DPKG_DEB_COMPRESSOR_LEVEL=1 VERSION=9 MAINTAINER=x BASH_ENV=/dev/null
    CFLAGS_x86_64-unknown-linux-musl=-O0 name=x pair=x dropped=x SHELLOPTS=allexport 'BASH_FUNC_cargo%%=() { false; }')
  run timeout 30 env "${passed[@]}" "${dropped[@]}" "$tree/packaging/dist"
  for word in "${passed[@]}"; do grep -qxF -e "$word" "$BATS_TEST_TMPDIR/seen"; done
  for word in "${dropped[@]}"; do
    run grep -e "^${word%%=*}=" "$BATS_TEST_TMPDIR/seen"
    [ "$output" = '' ]
  done
}

@test "tools of another version are replaced, and what was built with says what they are" {
  here=$REPOSITORY tools=$BATS_TEST_TMPDIR/tools
  # shellcheck source=packaging/toolchain.bash
  . "$REPOSITORY/packaging/toolchain.bash"
  export ZIGBUILD ZIGLANG LOG=$BATS_TEST_TMPDIR/log
  for program in rpmbuild dpkg-deb xz jq; do
    printf '#!/bin/sh\necho x\n' >"$BATS_TEST_TMPDIR/bin/$program"
    chmod +x "$BATS_TEST_TMPDIR/bin/$program"
  done
  # A python whose pip brings what requirements.txt names, and a cargo that installs.
  cat >"$BATS_TEST_TMPDIR/bin/python3" <<'PYTHON'
#!/bin/bash
echo venv >>"$LOG"
mkdir -p "$3/bin"
printf '%s\n' '#!/bin/bash' 'cd "${0%/*}"' 'printf "#!/bin/sh\necho cargo-zigbuild %s\n" "$ZIGBUILD" >cargo-zigbuild' \
  'printf "#!/bin/sh\necho %s\n" "$ZIGLANG" >python3' 'chmod +x cargo-zigbuild python3' >"$3/bin/pip"
chmod +x "$3/bin/pip"
PYTHON
  cat >"$BATS_TEST_TMPDIR/bin/cargo" <<'CARGO'
#!/bin/bash
echo cargo >>"$LOG"
[[ "$*" =~ --root\ ([^ ]+)\ --version\ ([^ ]+) ]]
mkdir -p "${BASH_REMATCH[1]}/bin"
printf '#!/bin/sh\n' >"${BASH_REMATCH[1]}/bin/cargo-auditable"
chmod +x "${BASH_REMATCH[1]}/bin/cargo-auditable"
printf '[v1]\n"cargo-auditable %s (registry+https://x)" = ["cargo-auditable"]\n' "${BASH_REMATCH[2]}" >"${BASH_REMATCH[1]}/.crates.toml"
CARGO
  chmod +x "$BATS_TEST_TMPDIR/bin"/{python3,cargo}
  mkdir -p "$tools/bin" "$tools/python/bin"
  printf '#!/bin/sh\necho cargo-zigbuild 0.19.0\n' >"$tools/python/bin/cargo-zigbuild"
  printf '#!/bin/sh\necho 0.13.0\n' >"$tools/python/bin/python3"
  printf '#!/bin/sh\n' >"$tools/bin/cargo-auditable"
  printf '[v1]\n"cargo-auditable 0.6.0 (registry+https://x)" = ["cargo-auditable"]\n' >"$tools/.crates.toml"
  chmod +x "$tools/bin/cargo-auditable" "$tools/python/bin"/{cargo-zigbuild,python3}

  run name_tools
  [[ $output == *'ziglang 0.13.0'*'cargo-zigbuild 0.19.0'*'cargo-auditable 0.6.0'* ]]
  find_tools
  run name_tools
  [[ $output == *"ziglang $ZIGLANG"*"cargo-zigbuild $ZIGBUILD"*"cargo-auditable $AUDITABLE"* ]]
  find_tools
  [ "$(cat "$LOG")" = $'venv\ncargo' ]
}

@test "the licences of what a library has taken from others are there, too" {
  mkdir -p "$BATS_TEST_TMPDIR/ring/third_party/fiat"
  echo own >"$BATS_TEST_TMPDIR/ring/LICENSE"
  echo theirs >"$BATS_TEST_TMPDIR/ring/third_party/fiat/LICENSE"
  echo musl >"$BATS_TEST_TMPDIR/COPYRIGHT"
  printf 'ring\t1\tISC\t%s\n' "$BATS_TEST_TMPDIR/ring" >"$BATS_TEST_TMPDIR/list"
  run "$REPOSITORY/packaging/licences" "$BATS_TEST_TMPDIR/list" "musl=$BATS_TEST_TMPDIR/COPYRIGHT"
  [[ $output == *'ring 1, ISC (third_party/fiat/LICENSE)'*'theirs'* && $output == *'ring 1, ISC (LICENSE)'*'own'* ]]
  [[ $output == *'musl (COPYRIGHT)'* ]]
}

@test "the CycloneDX document names libraries that cargo does not know, beside the others" {
  cp "$REPOSITORY/packaging/components" "$tree/packaging/"
  printf '[[package]]\nname = "libc"\nversion = "0.2.1"\nchecksum = "abc"\n' >"$tree/Cargo.lock"
  cat >"$BATS_TEST_TMPDIR/metadata" <<'JSON'
{"packages": [
  {"id": "a", "name": "mmm-tools", "version": "1", "source": null, "license": null, "manifest_path": "/a/Cargo.toml", "targets": [{"kind": ["bin"]}]},
  {"id": "b", "name": "libc", "version": "0.2.1", "source": "r", "license": "MIT/Apache-2.0", "manifest_path": "/b/Cargo.toml", "targets": [{"kind": ["lib"]}]}],
 "resolve": {"nodes": [{"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": null}]}]}, {"id": "b", "deps": []}]}}
JSON
  printf '#!/bin/sh\ncat "%s"\n' "$BATS_TEST_TMPDIR/metadata" >"$BATS_TEST_TMPDIR/bin/cargo"
  "$tree/packaging/components" x cyclonedx 'musl=1.2.5=MIT' 'rust-std=1.95.0=MIT OR Apache-2.0' >"$BATS_TEST_TMPDIR/cdx"
  run jq -r '.components[] | "\(.purl) \(.licenses[0].expression) \(.hashes[0].content)"' "$BATS_TEST_TMPDIR/cdx"
  [ "${lines[0]}" = 'pkg:cargo/libc@0.2.1 MIT OR Apache-2.0 abc' ]
  [ "${lines[1]}" = 'pkg:generic/musl@1.2.5 MIT null' ]
  [ "${lines[2]}" = 'pkg:generic/rust-std@1.95.0 MIT OR Apache-2.0 null' ]
  run "$tree/packaging/components" x list
  [ "$output" = $'libc\t0.2.1\tMIT/Apache-2.0\t/b' ]
}
