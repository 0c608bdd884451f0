# shellcheck shell=bash disable=SC2154
# Packages of stand-ins, ours and the agent's, and small roots in which the real dpkg or rpm installs them. The caller
# has included packaging/names.bash, and sets `way`: deb or rpm. MMM_BUILT: a folder with programs that make dist has
# built; ours then has these.

REPOSITORY=${REPOSITORY:-$BATS_TEST_DIRNAME/..}
# shellcheck source=tests/lib/untraced.bash
. "$REPOSITORY/tests/lib/untraced.bash"

# Where the agent's helpers lie.
agent_of() { if [[ $way == deb ]]; then echo /usr/lib/mysql-mmm/agent; else echo /usr/libexec/mysql-mmm/agent; fi; }

# stand_in FILE WORDS… — a program that says them.
stand_in() {
  mkdir -p "${1%/*}"
  printf '#!/bin/sh\necho %s\n' "${*:2}" >"$1"
  chmod 755 "$1"
}

# our_program FILE NAME VERSION — a stand-in, or from MMM_BUILT the program itself, with the version behind its end.
our_program() {
  if [[ -z ${MMM_BUILT:-} ]]; then
    stand_in "$1" ours "$2" "$3"
  else
    install -D -m 0755 "$MMM_BUILT/$2" "$1"
    printf '\nours %s %s\n' "$2" "$3" >>"$1"
  fi
}

# make_packages FOLDER — ours and the agent's, each in the versions 1 and 2; of version 3, ours has a script that fails,
# and the agent's lacks turn_off_slave.
make_packages() {
  local version work=$1/made
  for version in 1 2 3; do
    our_package "$version" "$work" "$1"
    agent_package "$version" "$1"
  done
  rm -r "$work"
}

# our_package VERSION WORK FOLDER — FOLDER takes the package; WORK has what it was made of.
our_package() {
  local version=$1 work=$2 name page
  export SOURCE_DATE_EPOCH=1700000000
  mkdir -p "$work/manual"/{man1,man5,man8,bash,zsh,fish} "$work/extra"
  echo licences | gzip -9n >"$work/extra/LICENCES.gz"
  for name in "${TOOLS[@]}"; do
    for page in "man1/$name.1" "bash/$name" "zsh/_$name" "fish/$name.fish"; do echo "$name" >"$work/manual/$page"; done
  done
  echo page >"$work/manual/man5/mmm_helpers.yaml.5"
  echo page >"$work/manual/man8/check_ip.8"
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do our_program "$work/built$version/$name" "$name" "$version"; done
  "$REPOSITORY/packaging/tree" "$way" "$work/built$version" "$work/manual" "$work/extra" "$work/tree$version"
  if ((version == 3)); then break_script "$work/tree3"; fi
  case $way in
    deb) "$REPOSITORY/packaging/deb/build" "$work/tree$version" amd64 "$version" "$3" ;;
    rpm) "$REPOSITORY/packaging/rpm/build" "$work/tree$version" x86_64 "$version" "$3" ;;
  esac
}

# Version 3's takeover fails halfway.
break_script() {
  # shellcheck disable=SC2016 # for sed
  sed -i 's/^ *for name in \$HELPERS; do$/&\n    [ "$1:$name" != take:mysql_may_write ] || exit 1/' \
    "$1/usr/libexec/mmm-agent-helpers/takeover"
  grep -qF 'take:mysql_may_write ]' "$1/usr/libexec/mmm-agent-helpers/takeover"
}

# agent_package VERSION FOLDER
agent_package() {
  local name agent tree=$2/made/agent$1
  agent=$(agent_of)
  for name in "${HELPERS[@]}" mmm_other; do
    stand_in "$tree$agent/$name" theirs "$name" "$1"
    touch -d '2010-05-04 03:02:01' "$tree$agent/$name"
  done
  if (($1 == 3)); then rm "$tree$agent/turn_off_slave"; fi
  if [[ $way == deb ]]; then
    mkdir -p "$tree/DEBIAN"
    printf '%s\n' 'Package: mysql-mmm-agent' "Version: 2.2.$1" 'Architecture: all' 'Maintainer: A <a@b.example>' \
      'Description: agent' >"$tree/DEBIAN/control"
    dpkg-deb --root-owner-group -Zxz --build "$tree" "$2/agent_$1.deb" >/dev/null
  else
    printf '%s\n' 'Name: mysql-mmm-agent' "Version: 2.2.$1" 'Release: 1' 'Summary: agent' 'License: GPL' \
      'BuildArch: noarch' 'AutoReqProv: no' '%description' agent '%install' "cp -a $tree/. %{buildroot}/" '%files' /usr/libexec/mysql-mmm \
      >"$2/made/agent.spec"
    rpmbuild -bb --quiet --define "_topdir $2/made/rpm" --define "_rpmdir $2/made/out" \
      --define '_binary_payload w9.gzdio' --define '__os_install_post %{nil}' "$2/made/agent.spec" >/dev/null 2>&1
    mv "$2/made/out/noarch/mysql-mmm-agent-2.2.$1-1.noarch.rpm" "$2/agent_$1.rpm"
  fi
}

# make_root FOLDER — what the package manager and its scripts run, and nothing else.
make_root() {
  local root=$1 program path library programs
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64,libexec,share} "$root"/{etc,dev,tmp,var/log,var/lib,proc}
  for path in bin sbin lib lib64; do ln -s "usr/$path" "$root/$path"; done
  cp -a /dev/null "$root/dev/null"
  programs=(
    sh bash cat chmod cmp cp cut diff env false grep kill ln ls mkdir mv readlink rm rmdir sleep stat tar touch true wc
  )
  case $way in
    deb) programs+=(dpkg dpkg-deb dpkg-divert dpkg-query dpkg-split ldconfig start-stop-daemon sha256sum) ;;
    rpm) programs+=(rpm timeout sha256sum md5sum) ;;
  esac
  for program in "${programs[@]}"; do
    path=$(PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin type -P "$program")
    cp -L "$path" "$root/usr/bin/$program"
    while read -r library; do
      [[ -e $root$library ]] || { mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library"; }
    done < <(ldd "$path" 2>/dev/null | grep -oE '/[^ ]+')
  done
  if [[ $way == deb ]]; then
    mkdir -p "$root/var/lib/dpkg"/{info,updates,triggers}
    touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"
  else
    cp -a /usr/lib/rpm "$root/usr/lib/"
    if [[ -d /etc/rpm ]]; then cp -a /etc/rpm "$root/etc/"; fi
  fi
}

inside() { PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C chroot "$root" "$@"; }

# manage WORDS… — the package manager, inside, in words that both know: install FILE…, remove NAME…, and that only dpkg
# knows: unpack FILE…, which runs no postinst, purge NAME, finish.
manage() {
  local verb=$1 file files=()
  shift
  if [[ $verb == install || $verb == unpack ]]; then
    mkdir -p "$root/packages"
    for file in "$@"; do
      cp "$packages/$file" "$root/packages/"
      files+=("/packages/$file")
    done
  fi
  case $way:$verb in
    deb:install) inside dpkg --force-unsafe-io --install "${files[@]}" ;;
    deb:unpack) inside dpkg --force-unsafe-io --unpack "${files[@]}" ;;
    deb:remove) inside dpkg --force-unsafe-io --remove "$@" ;;
    deb:purge) inside dpkg --force-unsafe-io --purge "$@" ;;
    deb:finish) inside dpkg --force-unsafe-io --configure --pending ;;
    rpm:install) inside rpm --upgrade --oldpackage --replacepkgs --nodeps "${files[@]}" ;;
    rpm:remove) inside rpm --erase --nodeps "$@" ;;
    rpm:finish) : ;;
  esac
}

# ours VERSION, theirs VERSION — the package's file.
ours() {
  if [[ $way == deb ]]; then
    echo "mmm-agent-helpers_$1-1_amd64.deb"
  else
    echo "mmm-agent-helpers-$1-1.x86_64.rpm"
  fi
}
theirs() { echo "agent_$1.$way"; }

# said_by NAME — whose helper it is that the agent would run, and of which version.
said_by() {
  local said
  said=$(inside "$agent/$1" --version 2>&1) || true
  if [[ -n ${MMM_BUILT:-} && $said == "$1 $(version_of "$REPOSITORY")" ]]; then
    said=$(tail -n 1 "$root$(inside readlink -f "$agent/$1")")
  fi
  echo "$said"
}

# say_all OWNER VERSION — each of the ten, run as the agent runs it, is the owner's of that version.
say_all() {
  local name said
  for name in "${HELPERS[@]}"; do
    said=$(said_by "$name")
    if [[ $said != "$1 $name $2" ]]; then
      echo "$name says '$said', not '$1 $name $2'"
      ls -la "$root$agent" || true
      return 1
    fi
  done
}

# are_whole [FOLDER] — each of the ten runs, ours or theirs.
are_whole() {
  local name said
  for name in "${HELPERS[@]}"; do
    said=$(said_by "$name")
    if ! [[ $said =~ ^(ours|theirs|hand)\ $name ]]; then
      echo "$name says '$said'"
      ls -la "$root$agent"
      return 1
    fi
  done
}

# Everything that is known about the files of the agent's folder, without the number of names that a file has.
picture() {
  [[ -d $root$agent ]] || return 0
  (
    cd "$root$agent" || exit
    find . -mindepth 1 -printf '%p %y %m %U %G %T@ %l\n' | sort
    find . -type f | sort | xargs -r sha256sum
  )
}
