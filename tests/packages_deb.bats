#!/usr/bin/env bats
# The package takes the place of the helpers of MMM's agent and gives it back: stand-ins for the programs and for the
# agent's package, installed by the real dpkg or rpm. packages_rpm.bats is a link to this file.
#
# MMM_KILL_STEP: the package is killed at every n-th step (default 7, or 19). MMM_ROOT: a folder with a whole system to try
# it in. MMM_BUILT: a folder with programs that make dist has built, to be tried instead of stand-ins.

REPOSITORY=$BATS_TEST_DIRNAME/..
# shellcheck source=packaging/names.bash
. "$BATS_TEST_DIRNAME/../packaging/names.bash"
load lib/packages

way=${BATS_TEST_FILENAME##*_}
way=${way%.bats}
agent=$(agent_of)
OWN=/usr/libexec/mmm-agent-helpers

# True if the packages can be made here.
can_build() { [[ $way == deb ]] || command -v rpmbuild >/dev/null; }

setup_file() {
  can_build || return 0
  make_packages "$BATS_FILE_TMPDIR/packages"
  if [[ -n ${MMM_ROOT:-} ]]; then
    cp -a "$MMM_ROOT" "$BATS_FILE_TMPDIR/clean"
  else
    make_root "$BATS_FILE_TMPDIR/clean"
  fi
}

setup() {
  can_build || skip 'there is no rpmbuild here; make test-packages installs it'
  packages=$BATS_FILE_TMPDIR/packages
  root=$BATS_TEST_TMPDIR/root
  cp -a "$BATS_FILE_TMPDIR/clean" "$root"
}

teardown() {
  [[ -n ${root:-} ]] || return 0
  if mountpoint -q "$root/proc"; then umount "$root/proc"; fi
  rm -rf --one-file-system "$root"
}

# Whatever the package manager itself checks of the agent's package.
agent_is_unharmed() {
  if [[ $way == deb ]]; then
    run inside dpkg --verify mysql-mmm-agent
  else
    run inside rpm --verify --nodeps mysql-mmm-agent
  fi
  [[ $output == '' ]]
}

# The helpers of somebody who installed MMM by hand: one is a link, one may not be executed, one has a special mode.
by_hand() {
  local name
  for name in "${HELPERS[@]}"; do stand_in "$root$agent/$name" hand "$name" 0; done
  mv "$root$agent/clear_ip" "$root$agent/clear_ip.pl"
  ln -s clear_ip.pl "$root$agent/clear_ip"
  chmod 4711 "$root$agent/check_ip"
  touch -d '2011-01-01 01:01:01.123456789' "$root$agent"/*
}

@test "the agent's helpers are replaced by the package, and are back byte for byte after it" {
  manage install "$(theirs 1)"
  before=$(picture)

  run manage install "$(ours 1)"
  [ "$status" -eq 0 ]
  [ "$(grep -c 'Run: mmm_preflight' <<<"$output")" -eq 1 ]
  say_all ours 1
  [ "$(inside "$agent/mmm_other")" = 'theirs mmm_other 1' ]
  [ -d "$root/var/log/mysql-mmm" ]
  [ -x "$root/usr/sbin/mmm_preflight" ]
  (cd "$root$OWN/agent" && sha256sum --check --quiet "$root/usr/share/mmm-agent-helpers/$way.sha256sums")
  if [[ $way == deb ]]; then agent_is_unharmed; fi

  manage remove mmm-agent-helpers
  [ "$(picture)" = "$before" ]
  [ ! -e "$root$OWN" ]
  agent_is_unharmed
}

@test "the agent's package may come later, and goes first" {
  manage install "$(ours 1)"
  manage install "$(theirs 1)"
  say_all ours 1
  manage remove mysql-mmm-agent
  run find "$root" -name '*.distrib*'
  [ "$output" = '' ]
  manage remove mmm-agent-helpers
  [ ! -e "$root$agent" ]

  # The agent's own are there when it comes back without ours.
  manage install "$(theirs 1)"
  say_all theirs 1
  agent_is_unharmed
}

@test "both packages are installed and removed at once, in either order" {
  manage install "$(theirs 1)"
  before=$(picture)
  manage remove mysql-mmm-agent
  for order in 'ours theirs' 'theirs ours'; do
    read -r first second <<<"$order"
    manage install "$("$first" 1)" "$("$second" 1)"
    say_all ours 1
    manage remove mmm-agent-helpers
    [ "$(picture)" = "$before" ]
    manage install "$(ours 1)"
    manage remove mmm-agent-helpers mysql-mmm-agent
    [ ! -e "$root$agent" ]
    manage install "$(theirs 1)" "$(ours 1)"
    manage remove mysql-mmm-agent mmm-agent-helpers
    [ ! -e "$root$agent" ]
  done
}

@test "either package is upgraded and downgraded beside the other, and both at once" {
  manage install "$(theirs 1)" "$(ours 1)"
  manage install "$(theirs 2)"
  say_all ours 1
  manage install "$(ours 2)"
  say_all ours 2
  manage install "$(theirs 1)" "$(ours 1)"
  say_all ours 1
  manage install "$(ours 2)" "$(theirs 2)"
  say_all ours 2
  manage install "$(ours 2)"
  say_all ours 2

  manage remove mmm-agent-helpers
  # An upgrade leaves nothing behind.
  run find "$root" -name '*.distrib*'
  [ "$output" = '' ]
  after=$(picture)
  say_all theirs 2
  agent_is_unharmed
  manage remove mysql-mmm-agent
  manage install "$(theirs 2)"
  [ "$(picture)" = "$after" ]
}

@test "helpers that no package owns come back with mode, times and links" {
  by_hand
  before=$(picture)
  manage install "$(ours 1)"
  say_all ours 1
  manage install "$(ours 2)"
  say_all ours 2
  manage remove mmm-agent-helpers
  [ "$(picture)" = "$before" ]
}

@test "a helper that somebody put over ours is kept, and ours is back after the next installation" {
  manage install "$(theirs 1)" "$(ours 1)"
  rm "$root$agent/check_ip"
  stand_in "$root$agent/check_ip" hand check_ip 5
  run manage install "$(ours 1)"
  say_all ours 1
  run manage remove mmm-agent-helpers
  say_all theirs 1
  agent_is_unharmed
  [ "$(cat "$root$agent/check_ip.distrib.1")" = $'#!/bin/sh\necho hand check_ip 5' ]

  # The package is removed without another installation before.
  manage install "$(ours 1)"
  rm "$root$agent/clear_ip"
  stand_in "$root$agent/clear_ip" hand clear_ip 6
  run manage remove mmm-agent-helpers
  say_all theirs 1
  agent_is_unharmed
  [ "$(cat "$root$agent/clear_ip.distrib.1")" = $'#!/bin/sh\necho hand clear_ip 6' ]
}

@test "a helper that somebody put over ours, and then an upgrade of either package: each copy is kept" {
  manage install "$(theirs 1)" "$(ours 1)"
  for upgrade in "$(ours 2)" "$(theirs 2)"; do
    rm "$root$agent/check_ip"
    stand_in "$root$agent/check_ip" hand check_ip "$upgrade"
    manage install "$upgrade"
    if [[ $upgrade == "$(ours 2)" || $way == rpm ]]; then say_all ours 2; fi
  done
  manage install "$(ours 2)"
  say_all ours 2
  manage remove mmm-agent-helpers
  say_all theirs 2
  agent_is_unharmed
  run grep -l 'hand check_ip' -r "$root$agent"
  [[ $output == *"$root$agent/check_ip.distrib.1"* ]]
}

@test "what rpm cannot say is not decided against a copy: both are kept" {
  [[ $way == rpm ]] || skip 'dpkg itself keeps the two apart'
  manage install "$(theirs 1)" "$(ours 1)"
  rm "$root$agent/check_ip"
  stand_in "$root$agent/check_ip" hand check_ip 5
  mv "$root/usr/bin/rpm" "$root/usr/bin/rpm.apart"
  inside "$OWN/takeover" rpm take "$agent"
  mv "$root/usr/bin/rpm.apart" "$root/usr/bin/rpm"
  say_all ours 1
  run cat "$root$agent"/check_ip.distrib*
  [[ $output == *'hand check_ip 5'*'theirs check_ip 1'* ]]
}

@test "helpers of somebody who installed MMM by hand are kept when the agent's package comes" {
  [[ $way == rpm ]] || skip 'dpkg writes over files that no package owns'
  by_hand
  manage install "$(ours 1)"
  manage install "$(theirs 1)"
  say_all ours 1
  manage remove mmm-agent-helpers
  say_all theirs 1
  agent_is_unharmed
  for name in "${HELPERS[@]}"; do
    [[ $name == clear_ip || $(inside "$agent/$name.distrib.1") == "hand $name 0" ]]
  done
  [ "$(readlink "$root$agent/clear_ip.distrib.1")" = clear_ip.pl ]
}

# stand_ins_of_make — programs that install.sh takes for ours, and what it installs beside them; sets `install_sh`.
stand_ins_of_make() {
  local name page
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do
    printf '\177ELF\0mmm_helpers.yaml\0\n%s\n' "$name" >"$BATS_TEST_TMPDIR/$name"
    chmod 755 "$BATS_TEST_TMPDIR/$name"
  done
  mkdir -p "$BATS_TEST_TMPDIR/manual"/{man1,man5,man8,bash,zsh,fish}
  for name in "${TOOLS[@]}"; do
    for page in "man1/$name.1" "bash/$name" "zsh/_$name" "fish/$name.fish"; do
      echo x >"$BATS_TEST_TMPDIR/manual/$page"
    done
  done
  install_sh=("$REPOSITORY/install.sh" install "$root" "$agent" /usr/sbin "$BATS_TEST_TMPDIR"
    "$BATS_TEST_TMPDIR/manual")
}

@test "an installation by install.sh is not mixed with the package, in either order" {
  stand_ins_of_make
  manage install "$(theirs 1)"
  before=$(picture)
  "${install_sh[@]}"
  placed=$(picture)
  run manage install "$(ours 1)"
  [ "$status" -ne 0 ]
  [[ $output == *"install.sh ('make install') has put helpers into $agent"*'take them away first'* ]]
  [ "$(picture)" = "$placed" ]
  [ ! -e "$root$OWN" ]
  "$REPOSITORY/install.sh" uninstall "$root" "$agent"
  [ "$(picture)" = "$before" ]

  manage install "$(ours 1)"
  placed=$(picture)
  for action in install uninstall; do
    install_sh[1]=$action
    run "${install_sh[@]}"
    [ "$status" -ne 0 ]
    [[ $output == *'the package mmm-agent-helpers is installed here'*'nothing was done'*"${way/deb/apt-get remove}"* ]]
    [ "$(picture)" = "$placed" ]
  done
  say_all ours 1
}

@test "a helper of a build that was copied over a link: each cure that is named leads back to the agent's own" {
  stand_ins_of_make
  manage install "$(theirs 1)"
  before=$(picture)
  manage install "$(ours 1)"
  for cure in reinstall upgrade none; do
    for name in check_ip mysql_may_write; do
      install -m 755 "$BATS_TEST_TMPDIR/$name" "$root$agent/.$name"
      mv -T "$root$agent/.$name" "$root$agent/$name"
    done
    case $cure in
      reinstall) manage install "$(ours 1)" ;;
      upgrade) manage install "$(ours 2)" ;;
    esac
    case $cure in
      reinstall) say_all ours 1 ;;
      upgrade) say_all ours 2 ;;
    esac
    run "$REPOSITORY/install.sh" uninstall "$root" "$agent"
    [[ $status != 0 && $output == *'Remove it first: '* ]]
    manage remove mmm-agent-helpers
    say_all theirs 1
    agent_is_unharmed
    "$REPOSITORY/install.sh" uninstall "$root" "$agent"
    say_all theirs 1
    agent_is_unharmed
    # The copies stay beside, under a number.
    cmp "$BATS_TEST_TMPDIR/check_ip" "$root$agent/check_ip.distrib.1"
    rm "$root$agent"/*.distrib.1
    [ "$(picture)" = "$before" ]
    # It may come again.
    manage install "$(ours 1)"
    say_all ours 1
  done
}

@test "a helper of a build that was copied over a link, where no package owns the agent's" {
  stand_ins_of_make
  by_hand
  before=$(picture)
  for cure in reinstall none; do
    manage install "$(ours 1)"
    rm "$root$agent/check_ip"
    install -m 755 "$BATS_TEST_TMPDIR/check_ip" "$root$agent/check_ip"
    if [[ $cure == reinstall ]]; then
      manage install "$(ours 1)"
      say_all ours 1
    fi
    manage remove mmm-agent-helpers
    "$REPOSITORY/install.sh" uninstall "$root" "$agent"
    rm "$root$agent"/*.distrib.1
    [ "$(picture)" = "$before" ]
  done
}

@test "while packages come and go, no helper is missing for a moment" {
  manage install "$(theirs 1)"
  # A caller that never stops.
  printf '%s\n' 'cd "$1" || exit' 'shift' 'while [ ! -e /tmp/enough ]; do' \
    '  for name; do [ -x "$name" ] || echo "$name"; done' 'done >/tmp/gaps' >"$root/tmp/watch"
  inside sh /tmp/watch "$agent" "${HELPERS[@]}" &
  watcher=$!
  manage install "$(ours 1)"
  manage install "$(ours 2)"
  manage remove mmm-agent-helpers
  manage install "$(ours 1)"
  manage install "$(theirs 2)"
  touch "$root/tmp/enough"
  wait "$watcher"
  [ -e "$root/tmp/gaps" ]
  [ ! -s "$root/tmp/gaps" ]
}

@test "a takeover that fails halfway leaves ten whole helpers, and the next version or removal ends it" {
  manage install "$(theirs 1)"
  before=$(picture)
  run manage install "$(ours 3)"
  half='not all helpers in /usr/libexec/mysql-mmm/agent could be replaced'
  if [[ $way == rpm ]]; then
    # For rpm it is a success.
    [[ $output == *"$half"*'run: yum reinstall mmm-agent-helpers'* ]]
    run manage install "$(theirs 2)"
    [[ $output == *"$half"*'run: yum reinstall mmm-agent-helpers'* ]]
    manage install "$(theirs 1)"
  else
    [ "$status" -ne 0 ]
  fi
  are_whole
  manage remove mmm-agent-helpers
  [ "$(picture)" = "$before" ]
  run manage install "$(ours 3)"
  manage install "$(ours 2)"
  say_all ours 2
  manage remove mmm-agent-helpers
  [ "$(picture)" = "$before" ]
  agent_is_unharmed
}

@test "if the agent's helpers cannot be brought back, the package stays and says so, and the next removal ends it" {
  manage install "$(theirs 1)"
  before=$(picture)
  run manage install "$(ours 1)"
  [[ $output != *'not all'* ]]
  # A file system that takes no more.
  mv "$root/usr/bin/mv" "$root/usr/bin/mv.real"
  printf '%s\n' '#!/bin/sh' 'case $* in *agent/mysql_may_write) exit 1 ;; esac' 'exec mv.real "$@"' >"$root/usr/bin/mv"
  chmod 755 "$root/usr/bin/mv"
  run manage remove mmm-agent-helpers
  [ "$status" -ne 0 ]
  if [[ $way == rpm ]]; then [[ $output == *"not all of the agent's helpers in $agent could be brought back"*'yum remove'* ]]; fi
  are_whole
  mv "$root/usr/bin/mv.real" "$root/usr/bin/mv"
  manage remove mmm-agent-helpers
  [ "$(picture)" = "$before" ]
  agent_is_unharmed
}

# is_theirs_again BEFORE — the agent's helpers are what they were, dpkg diverts nothing, and the agent's package
# installed anew changes nothing.
is_theirs_again() {
  say_all theirs 1
  [[ $(picture) == "$1" ]] || return 1
  [[ $(inside dpkg-divert --list '*mysql-mmm*') == '' ]] || return 1
  agent_is_unharmed
  manage install "$(theirs 1)"
  say_all theirs 1
  [[ $(picture) == "$1" ]]
}

@test "unpacked and not configured, the package gives the ten back when it is removed or purged" {
  [[ $way == deb ]] || skip 'rpm knows no such state'
  manage install "$(theirs 1)"
  before=$(picture)
  # Nothing was taken yet.
  manage unpack "$(ours 1)"
  say_all theirs 1
  manage remove mmm-agent-helpers
  is_theirs_again "$before"

  # Ours are in use.
  for verb in remove purge; do
    manage install "$(ours 1)"
    manage unpack "$(ours 2)"
    say_all ours 2
    manage "$verb" mmm-agent-helpers
    is_theirs_again "$before"
  done

  # A takeover that failed, with another version unpacked since.
  run manage install "$(ours 3)"
  are_whole
  manage unpack "$(ours 2)"
  are_whole
  manage remove mmm-agent-helpers
  is_theirs_again "$before"

  # Where nobody has put anything, nothing is left.
  manage remove mysql-mmm-agent
  manage install "$(ours 1)"
  manage unpack "$(ours 2)"
  manage purge mmm-agent-helpers
  [ ! -e "$root$agent" ]
  [ "$(inside dpkg-divert --list '*mysql-mmm*')" = '' ]
}

# killing STEP — from now on, the script that runs the program of that number of those that change something is killed
# before: the takeover, or one of dpkg's that has it inside.
killing() {
  local name path
  if [[ ! -d $root/killing ]]; then
    mkdir "$root/killing"
    for name in ln cp mv rm rmdir mkdir dpkg-divert; do
      # Debian 11 may have /bin apart.
      path=$root/usr/bin/$name
      [[ -e $path ]] || path=$root/bin/$name
      [[ -x $path ]] || continue
      mv "$path" "$root/killing/$name"
      printf '%s\n' '#!/bin/bash' 'if [[ -e /killing/step && $(cat /proc/$PPID/comm) =~ ^(takeover|mmm-agent-helpe)$ ]]; then' \
        '  echo x >>/killing/steps' '  if (($(wc -l </killing/steps) >= $(cat /killing/step))); then' \
        '    rm /killing/step' '    kill -KILL "$PPID"' '  fi' 'fi' "exec /killing/$name \"\$@\"" >"$path"
      chmod +x "$path"
    done
  fi
  rm -f "$root/killing/steps"
  echo "$1" >"$root/killing/step"
}

@test "killed at any step of taking or giving, the ten are whole, and the same call again ends it" {
  mount --bind /proc "$root/proc"
  manage install "$(theirs 1)"
  before=$(picture)
  step=1 rounds=0
  while :; do
    killing "$step"
    run manage install "$(ours 1)"
    is_over=$([[ -e $root/killing/step ]] && echo 1) || true
    rm -f "$root/killing/step"
    are_whole
    # It is finished in turn by the package manager, by an upgrade, by a removal.
    case $((rounds % 3)) in
      0) if [[ $way == deb ]]; then manage finish; else manage install "$(ours 1)"; fi ;;
      1) manage install "$(ours 2)" ;;
      2) : ;;
    esac
    if ((rounds % 3 < 2)); then say_all ours "$((rounds % 3 + 1))"; fi
    killing "$step"
    run manage remove mmm-agent-helpers
    rm -f "$root/killing/step"
    are_whole
    # Where the removal was refused; where it went through, there is nothing to remove.
    run manage remove mmm-agent-helpers
    [ "$(picture)" = "$before" ]
    agent_is_unharmed
    if [[ $is_over ]]; then break; fi
    step=$((step + ${MMM_KILL_STEP:-7})) rounds=$((rounds + 1))
  done
  ((rounds >= 3))
}

@test "killed at any step while a package that is not configured is removed, the next removal ends it" {
  [[ $way == deb ]] || skip 'rpm knows no such state'
  mount --bind /proc "$root/proc"
  manage install "$(theirs 1)"
  before=$(picture)
  step=1 rounds=0
  while :; do
    manage install "$(ours 1)"
    manage unpack "$(ours 2)"
    killing "$step"
    run manage remove mmm-agent-helpers
    is_over=$([[ -e $root/killing/step ]] && echo 1) || true
    rm -f "$root/killing/step"
    if [[ ! $is_over ]]; then
      [ "$status" -ne 0 ]
      # By a removal, by a purge, by an installation and a removal.
      case $((rounds % 3)) in
        0) manage remove mmm-agent-helpers ;;
        1) manage purge mmm-agent-helpers ;;
        2)
          manage install "$(ours 1)"
          say_all ours 1
          manage remove mmm-agent-helpers
          ;;
      esac
    fi
    is_theirs_again "$before"
    if [[ $is_over ]]; then break; fi
    step=$((step + ${MMM_KILL_STEP:-19})) rounds=$((rounds + 1))
  done
  ((rounds >= 3))
}

@test "settings and the changed logrotate file stay at removal, and purge takes the journal" {
  [[ $way == deb ]] || skip 'rpm knows no purge'
  manage install "$(ours 1)"
  mkdir -p "$root/etc/mysql-mmm"
  echo mine >"$root/etc/mysql-mmm/mmm_helpers.yaml"
  echo mine >"$root/etc/logrotate.d/mysql-mmm-helpers"
  touch "$root/var/log/mysql-mmm/mmm_helpers.log"
  manage remove mmm-agent-helpers
  [ "$(cat "$root/etc/logrotate.d/mysql-mmm-helpers")" = mine ]
  [ -e "$root/var/log/mysql-mmm/mmm_helpers.log" ]
  manage purge mmm-agent-helpers
  [ ! -e "$root/etc/logrotate.d/mysql-mmm-helpers" ]
  [ ! -e "$root/var/log/mysql-mmm" ]
  [ "$(cat "$root/etc/mysql-mmm/mmm_helpers.yaml")" = mine ]

  # A folder that another package has, too, is not ours to remove.
  mkdir -p "$BATS_TEST_TMPDIR/monitor/DEBIAN" "$BATS_TEST_TMPDIR/monitor/var/log/mysql-mmm" "$root/packages"
  printf '%s\n' 'Package: mysql-mmm-common' 'Version: 1' 'Architecture: all' 'Maintainer: A <a@b.example>' \
    'Description: common' >"$BATS_TEST_TMPDIR/monitor/DEBIAN/control"
  dpkg-deb --root-owner-group -Zxz --build "$BATS_TEST_TMPDIR/monitor" "$root/packages/common.deb"
  inside dpkg --force-unsafe-io --install /packages/common.deb
  manage install "$(ours 1)"
  touch "$root/var/log/mysql-mmm/mmm_helpers.log"
  manage purge mmm-agent-helpers
  [ -d "$root/var/log/mysql-mmm" ]
  [ ! -e "$root/var/log/mysql-mmm/mmm_helpers.log" ]
}
