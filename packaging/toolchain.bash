# shellcheck shell=bash disable=SC2034,SC2154
# The compilers for static programs. What lies in the Python and Cargo registries is fetched once, into `tools`; what
# has to be installed is named. The caller sets `here`, this tree, and `tools`.

# Versions that were tried together.
ZIGBUILD=0.24.1
ZIGLANG=0.17.1
AUDITABLE=0.7.7

refuse() {
  printf 'make dist: %s\n' "$@" >&2
  exit 1
}

# find_rust TARGET — sets `rust` (a folder with bin/cargo and bin/rustc), `library` (where its standard library's
# sources lie) and `build_std` (what cargo is told if it has to compile them).
find_rust() {
  local target=$1 candidate sysroot
  local candidates=()
  if [[ -n ${RUST:-} ]]; then candidates+=("$RUST"); fi
  if command -v rustc >/dev/null; then candidates+=("$(rustc --print sysroot)"); fi
  candidates+=(/usr)
  build_std=()
  for candidate in "${candidates[@]}"; do
    [[ -x $candidate/bin/rustc && -x $candidate/bin/cargo ]] || continue
    sysroot=$("$candidate/bin/rustc" --print sysroot)
    library=$(realpath -m "$sysroot/lib/rustlib/src/rust/library")
    rust=$candidate
    if compgen -G "$sysroot/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null; then return; fi
    if [[ -f $library/std/Cargo.toml ]]; then
      # Without what prints a backtrace: a released program has no names to show.
      build_std=('-Zbuild-std=std,panic_unwind' '-Zbuild-std-features=panic-unwind,optimize_for_size')
      return
    fi
  done
  refuse "there is no standard library for $target here. Either of these brings it:" \
    "  rustup target add $target" \
    '  apt-get install rustc-web cargo-web rust-web-src      (Debian 12 with its security archive)'
}

# What is there, as the programs themselves say; empty if nothing is.
zigbuild_version() { "$tools/python/bin/cargo-zigbuild" --version 2>/dev/null || true; }
zig_version() { "$tools/python/bin/python3" -m ziglang version 2>/dev/null || true; }
# This one cannot be asked: to --version it answers with cargo's. cargo notes what it has installed.
auditable_version() {
  [[ -x $tools/bin/cargo-auditable && -f $tools/.crates.toml ]] || return 0
  sed -nE 's/^"cargo-auditable ([^ ]+) .*/\1/p' "$tools/.crates.toml"
}

find_tools() {
  local program lacking=()
  for program in python3 jq xz dpkg-deb rpmbuild; do
    command -v "$program" >/dev/null || lacking+=("$program")
  done
  ((${#lacking[@]} == 0)) ||
    refuse "not installed: ${lacking[*]}" '  apt-get install python3 python3-venv jq xz-utils dpkg rpm'
  # Other versions, such as an earlier release had, are replaced.
  if [[ $(zigbuild_version) != "cargo-zigbuild $ZIGBUILD" || $(zig_version) != "$ZIGLANG" ]]; then
    rm -rf "$tools/python"
    # A linker and a C compiler for every target.
    if ! python3 -m venv "$tools/python" ||
      ! "$tools/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$here/packaging/requirements.txt"; then
      refuse "cargo-zigbuild $ZIGBUILD and ziglang $ZIGLANG could not be had from PyPI"
    fi
  fi
  if [[ $(auditable_version) != "$AUDITABLE" ]]; then
    cargo install --quiet --force --locked --root "$tools" --version "$AUDITABLE" cargo-auditable ||
      refuse "cargo-auditable $AUDITABLE could not be had from crates.io"
  fi
}

# What else has to be the same for the same bytes is named, one line for each program, without the name of a folder.

# name_compiler ARCH — what find_rust has found for it.
name_compiler() {
  local from=unknown package
  if [[ $rust =~ /toolchains/([^/]+)$ ]]; then
    from="rustup, ${BASH_REMATCH[1]}"
  elif package=$(dpkg-query --search "$(realpath "$rust/bin/rustc")" 2>/dev/null); then
    package=${package%%:*}
    from="package $package $(dpkg-query --show --showformat '${Version}' "$package")"
  fi
  printf '%s: %s, from %s; the standard library %s\n' "$1" "$("$rust/bin/rustc" --version)" "$from" \
    "$(if ((${#build_std[@]})); then echo 'compiled from its sources'; else echo 'as it comes with it'; fi)"
}

name_tools() {
  printf 'ziglang %s\n' "$(zig_version)"
  zigbuild_version
  printf 'cargo-auditable %s\n' "$(auditable_version)"
  local program
  for program in rpmbuild dpkg-deb xz gzip tar; do "$program" --version | sed -n 1p; done
}
