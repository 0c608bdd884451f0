#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and reads what its own run has set
# What `make dist` has built, in other systems: every program starts in every Debian, in a root with nothing but
# itself, and on aarch64 under emulation; the packages are clean.
#
# DIST: the folder (default: dist). Systems are made once by mmdebstrap, and kept in ~/.cache/mmm-agent-helpers/roots.

REPOSITORY=$BATS_TEST_DIRNAME/../..
# shellcheck source=packaging/names.bash
. "$BATS_TEST_DIRNAME/../names.bash"
# shellcheck source=packaging/tests/systems.bash
. "$BATS_TEST_DIRNAME/systems.bash"
DIST=${DIST:-$REPOSITORY/dist}
AGENT=/usr/lib/mysql-mmm/agent
version=$(version_of "$REPOSITORY")

setup_file() {
  if [[ ! -f $DIST/SHA256SUMS ]]; then
    echo "there is nothing in $DIST; run 'make dist' first" >&2
    return 1
  fi
}

# unpacked ARCH — the archive of an architecture, unpacked; prints its folder.
unpacked() {
  local name=mmm-agent-helpers-$version-$1-linux
  if [[ ! -e $DIST/$name.tar.xz ]]; then skip "dist has no $1"; fi
  [[ -d $BATS_FILE_TMPDIR/$name ]] || tar --extract --file "$DIST/$name.tar.xz" --directory "$BATS_FILE_TMPDIR"
  folder=$BATS_FILE_TMPDIR/$name
}

@test "the sums are those of the files, the compilers are named, and no helper has more than 5 MB" {
  (cd "$DIST" && sha256sum --check --quiet SHA256SUMS)
  # What a second builder needs for the same bytes.
  for line in '^x86_64: rustc ' '^ziglang ' '^RPM ' '^xz '; do grep -q "$line" "$DIST/BUILT-WITH"; done
  unpacked x86_64
  for name in "${HELPERS[@]}"; do [ "$(stat -c %s "$folder/bin/$name")" -le 5000000 ]; done
}

@test "lintian and rpmlint find nothing that is not named" {
  for package in "$DIST"/*.deb; do
    run lintian --allow-root --fail-on error,warning "$package"
    [ "$status" -eq 0 ]
  done
  for package in "$DIST"/*.rpm; do
    run rpmlint --config "$REPOSITORY/packaging/rpm/rpmlint.toml" "$package"
    [[ $output == *'0 errors, 0 warnings'* ]]
  done
}

@test "the rpm wants nothing that rpm 4.11 does not have" {
  for package in "$DIST"/*.rpm; do
    run rpm --query --package --requires "$package"
    [ "$(grep -vxE '/bin/sh|coreutils|diffutils|grep|rpmlib\((CompressedFileNames|FileDigests|PayloadFilesHavePrefix)\) .*' \
      <<<"$(grep -v '^rpm: ' <<<"$output")")" = '' ]
    [ "$(rpm --query --package --queryformat '%{PAYLOADCOMPRESSOR}' "$package" 2>/dev/null)" = gzip ]
  done
}

# asks_for_names FOLDER — the agent's configuration, with a host that has a name and no address. Nobody knows the name.
asks_for_names() {
  mkdir -p "$1/etc/mysql-mmm"
  printf '%s\n' 'active_master_role writer' '<host default>' ' cluster_interface lo' ' pid_path /p' ' bin_path /' \
    ' replication_user r' ' replication_password r' ' agent_user a' ' agent_password a' '</host>' \
    '<host db1>' ' ip db1.mmm.invalid' ' mode master' ' peer db2' '</host>' \
    '<host db2>' ' ip 192.0.2.2' ' mode master' ' peer db1' '</host>' \
    '<role writer>' ' hosts db1, db2' ' ips 192.0.2.100' ' mode exclusive' '</role>' >"$1/etc/mysql-mmm/mmm_common.conf"
  printf '%s\n' 'include mmm_common.conf' 'this db1' >"$1/etc/mysql-mmm/mmm_agent.conf"
  chmod 0640 "$1"/etc/mysql-mmm/*
}

# in_debian SUITE — the package of this host's architecture comes, serves and goes.
in_debian() {
  local root=$BATS_TEST_TMPDIR/root name
  system "$1" "$root"
  mkdir -p "$root$AGENT"
  for name in "${HELPERS[@]}"; do
    printf '#!/bin/sh\necho theirs\n' >"$root$AGENT/$name"
    chmod 755 "$root$AGENT/$name"
  done
  cp "$DIST/mmm-agent-helpers_$version-1_amd64.deb" "$root/"
  chroot "$root" dpkg --install "/mmm-agent-helpers_$version-1_amd64.deb"
  for name in "${HELPERS[@]}"; do
    run chroot "$root" "$AGENT/$name" --version
    [[ $status == 0 && $output == "$name $version" ]]
  done
  for name in "${TOOLS[@]}"; do
    run chroot "$root" "/usr/sbin/$name" --version
    [[ $status == 0 && $output == "$name $version" ]]
  done
  # A module of the name service kills a program that is linked statically with the GNU C library.
  asks_for_names "$root"
  echo 'hosts: files dns myhostname' >"$root/etc/nsswitch.conf"
  run unshare --net chroot "$root" "$AGENT/mysql_may_write" mmm_agent
  [[ $status == 255 && $(tail -n 1 <<<"$output") == 'ERROR: '*'the name service knows no such host' ]]
  run chroot "$root" dpkg --verify mmm-agent-helpers
  [ "$(grep -v '/usr/share/\(doc\|man\)' <<<"$output")" = '' ]
  chroot "$root" dpkg --purge mmm-agent-helpers
  for name in "${HELPERS[@]}"; do [ "$(chroot "$root" "$AGENT/$name")" = theirs ]; done
  rm -rf "$root"
}

@test "Debian 11: the package comes, every program starts, the originals are back" { in_debian bullseye; }
@test "Debian 12: the package comes, every program starts, the originals are back" { in_debian bookworm; }
@test "Debian 13: the package comes, every program starts, the originals are back" { in_debian trixie; }

# answers_with_nothing ROOT PREFIX… — what the agent may rely on, in a root with the programs alone, in a network of
# its own.
answers_with_nothing() {
  local root=$1
  shift
  run unshare --net chroot "$root" "$@" /check_ip lo 192.0.2.1
  [[ $status == 1 && $output == *'OK: IP address is not configured' ]]
  run unshare --net chroot "$root" "$@" /mysql_may_write mmm_agent
  [[ $status == 255 && $(tail -n 1 <<<"$output") == 'ERROR: '* ]]
  run unshare --net chroot "$root" "$@" /set_active_master
  [[ $(tail -n 1 <<<"$output") == 'Usage: '* || $(tail -n 1 <<<"$output") == 'ERROR: '* ]]
  asks_for_names "$root"
  run unshare --net chroot "$root" "$@" /mysql_may_write mmm_agent
  [[ $status == 255 && $(tail -n 1 <<<"$output") == 'ERROR: '*'he name service did not answer for db1.mmm.invalid'* ]]
  rm -r "$root/etc/mysql-mmm"
}

@test "with nothing but the programs, no C library and no /etc, the agent gets its answers" {
  unpacked x86_64
  root=$BATS_TEST_TMPDIR/root
  mkdir "$root"
  cp "$folder"/bin/* "$root/"
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do
    run chroot "$root" "/$name" --version
    [[ $status == 0 && $output == "$name $version" ]]
  done
  answers_with_nothing "$root"
}

@test "every program of aarch64 starts under emulation, and answers" {
  unpacked aarch64
  root=$BATS_TEST_TMPDIR/root
  mkdir "$root"
  cp "$folder"/bin/* "$(type -P qemu-aarch64-static)" "$root/"
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do
    run chroot "$root" /qemu-aarch64-static "/$name" --version
    [[ $status == 0 && $output == "$name $version" ]]
  done
  answers_with_nothing "$root" /qemu-aarch64-static
}

@test "install.sh of the archive needs no words, and uninstalls" {
  unpacked x86_64
  root=$BATS_TEST_TMPDIR/root
  mkdir -p "$root/usr/libexec/mysql-mmm/agent"
  echo theirs >"$root/usr/libexec/mysql-mmm/agent/check_ip"
  run "$folder/install.sh" install "$root"
  [ "$status" -eq 0 ]
  cmp "$folder/bin/check_ip" "$root/usr/libexec/mysql-mmm/agent/check_ip"
  cmp "$folder/bin/mmm_preflight" "$root/usr/sbin/mmm_preflight"
  [ -s "$root/usr/share/man/man8/check_ip.8" ]
  "$folder/install.sh" uninstall "$root"
  [ "$(cat "$root/usr/libexec/mysql-mmm/agent/check_ip")" = theirs ]
  [ "$(find "$root" -type f)" = "$root/usr/libexec/mysql-mmm/agent/check_ip" ]
}

@test "each program names its own libraries, and the document names them with their sums" {
  unpacked x86_64
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do
    readelf --wide --sections "$folder/bin/$name" | grep -q '\.dep-v0'
  done
  run jq -r '.bomFormat, (.components | length > 50), ([.components[] | select(.hashes == null).name] | join(" "))' \
    "$DIST/mmm-agent-helpers-$version-x86_64.cdx.json"
  # These two are no libraries of the registry.
  [ "$output" = $'CycloneDX\ntrue\nmusl rust-std' ]
  # Nothing of the builder's folders.
  run grep -rlF -e "$HOME/." -e "$(realpath "$BATS_TEST_DIRNAME/../..")/" -e /tmp/ "$folder/bin"
  [ "$output" = '' ]
}
