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
  rm -rf "${apart:-}"
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
    [[ $output == *"$half"*'run: /usr/libexec/mmm-agent-helpers/takeover rpm take /'* ]]
    run manage install "$(theirs 2)"
    [[ $output == *"$half"*'run: /usr/libexec/mmm-agent-helpers/takeover rpm take /'* ]]
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
  # A file system that takes no more. Before Debian 12, /bin is a folder of its own.
  local mv=usr/bin/mv
  if [[ ! -e $root/$mv ]]; then mv=bin/mv; fi
  mv "$root/$mv" "$root/$mv.real"
  printf '%s\n' '#!/bin/sh' 'case $* in *agent/mysql_may_write) exit 1 ;; esac' 'exec mv.real "$@"' >"$root/$mv"
  chmod 755 "$root/$mv"
  run manage remove mmm-agent-helpers
  [ "$status" -ne 0 ]
  if [[ $way == rpm ]]; then [[ $output == *"not all of the agent's helpers in $agent could be brought back"*'yum remove'* ]]; fi
  are_whole
  mv "$root/$mv.real" "$root/$mv"
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

# written_through NAME WORDS… — somebody writes to the name in the agent's folder, which is our link, and so to what it
# leads to.
written_through() {
  printf '#!/bin/sh\necho %s\n' "${*:2}" >"$root/tmp/written"
  inside sh -c "cat /tmp/written >$agent/$1"
  rm "$root/tmp/written"
}

@test "what was written through our links is kept when ours is installed again, upgraded or removed" {
  manage install "$(theirs 1)"
  before=$(picture)
  manage install "$(ours 1)"
  number=1
  for next in "$(ours 1)" "$(ours 2)" none; do
    written_through check_ip hand check_ip "$number"
    [ "$(said_by check_ip)" = "hand check_ip $number" ]
    if [[ $next != none ]]; then
      run manage install "$next"
      [[ $status == 0 && $output == *"check_ip was kept as $agent/check_ip.distrib.$number"* ]]
      [ "$(said_by check_ip)" = "ours check_ip $number" ]
    fi
    number=$((number + 1))
  done
  manage remove mmm-agent-helpers
  say_all theirs 1
  agent_is_unharmed
  for number in 1 2 3; do [ "$(inside "$agent/check_ip.distrib.$number")" = "hand check_ip $number" ]; done
  rm "$root$agent"/check_ip.distrib.[1-3]
  [ "$(picture)" = "$before" ]
}

@test "what was written through our links, and the agent's package is upgraded or removed: it is kept" {
  manage install "$(theirs 1)" "$(ours 1)"
  written_through check_ip hand check_ip 5
  manage install "$(theirs 2)"
  manage remove mysql-mmm-agent
  manage remove mmm-agent-helpers
  [[ $(cat "$root$agent"/check_ip*) == *'hand check_ip 5'* ]]
}

@test "MMM that no package owns is installed again over our links: that is what comes back" {
  by_hand
  manage install "$(ours 1)"
  for name in check_ip mysql_may_write; do written_through "$name" hand "$name" 5; done
  manage install "$(ours 2)"
  say_all ours 2
  manage remove mmm-agent-helpers
  for name in check_ip mysql_may_write; do
    [ "$(said_by "$name")" = "hand $name 5" ]
    [ "$(inside "$agent/$name.distrib.1")" = "hand $name 0" ]
  done
  [ "$(said_by set_active_master)" = 'hand set_active_master 0' ]
  rm "$root$agent"/*.distrib.1

  # Without an upgrade between, and where nothing was.
  rm -r "${root:?}$agent"
  mkdir -p "$root$agent"
  manage install "$(ours 1)"
  written_through check_ip hand check_ip 6
  manage remove mmm-agent-helpers
  [ "$(ls -A "$root$agent")" = check_ip ]
  [ "$(said_by check_ip)" = 'hand check_ip 6' ]
}

@test "the agent's next version lacks a helper: ours stays" {
  manage install "$(theirs 1)" "$(ours 1)"
  manage install "$(theirs 3)"
  say_all ours 1
  manage remove mmm-agent-helpers
  # rpm no longer knows whose copy it was, so it is not deleted.
  if [[ $way == rpm ]]; then
    [ "$(said_by turn_off_slave)" = 'theirs turn_off_slave 1' ]
  else
    [ ! -e "$root$agent/turn_off_slave" ]
  fi
  [ "$(said_by turn_on_slave)" = 'theirs turn_on_slave 3' ]
  agent_is_unharmed
}

@test "an old copy that lies beside the agent's own file is not what a refusal or a removal brings back" {
  [[ $way == deb ]] || skip 'rpm knows no diversions'
  manage install "$(theirs 1)"
  stand_in "$root$agent/check_ip.distrib" old check_ip 1
  inside dpkg-divert --local --rename --add "$agent/turn_on_slave"
  before=$(picture)
  run manage install "$(ours 1)"
  [ "$status" -ne 0 ]
  [ "$(picture)" = "$before" ]
  agent_is_unharmed

  inside dpkg-divert --local --rename --remove "$agent/turn_on_slave"
  manage install "$(ours 1)"
  say_all ours 1
  manage remove mmm-agent-helpers
  say_all theirs 1
  agent_is_unharmed
}

@test "a folder for logrotate that takes nothing stops neither the takeover nor the removal" {
  manage install "$(theirs 1)"
  rm -rf "$root/etc/logrotate.d"
  ln -s /nowhere/logrotate.d "$root/etc/logrotate.d"
  manage install "$(ours 1)"
  say_all ours 1
  manage remove mmm-agent-helpers
  say_all theirs 1
  agent_is_unharmed
  rm "$root/etc/logrotate.d"
}

@test "where somebody else diverts a helper, the package refuses before anything is changed, and names the cure" {
  [[ $way == deb ]] || skip 'rpm knows no diversions'
  manage install "$(theirs 1)"
  inside dpkg-divert --local --rename --add "$agent/check_ip"
  stand_in "$root$agent/check_ip" own check_ip 1
  before=$(picture)
  remedy="dpkg-divert --local --rename --remove $agent/check_ip"
  run manage install "$(ours 1)"
  [[ $status != 0 && $output == *"$agent/check_ip is diverted to $agent/check_ip.distrib by"*"$remedy"* ]]
  [ "$(picture)" = "$before" ]
  agent_is_unharmed
  [ ! -e "$root$OWN" ]
  inside sh -ec "mv -n $agent/check_ip $agent/check_ip.own; $remedy"
  manage install "$(ours 1)"
  say_all ours 1
  manage remove mmm-agent-helpers
  say_all theirs 1
  rm "$root$agent/check_ip.own"

  # It comes between unpacking and configuring.
  manage unpack "$(ours 1)"
  inside dpkg-divert --package others --rename --add "$agent/turn_on_slave"
  stand_in "$root$agent/turn_on_slave" own turn_on_slave 1
  before=$(picture)
  run manage finish
  [[ $status != 0 && $output == *"dpkg-divert --package others --rename --remove $agent/turn_on_slave"* ]]
  run manage install "$(ours 2)"
  [ "$status" -ne 0 ]
  [ "$(picture)" = "$before" ]
  manage remove mmm-agent-helpers
  [ "$(picture)" = "$before" ]
  agent_is_unharmed
}

@test "an installation by install.sh into another folder is not mixed with the package" {
  stand_ins_of_make
  manage install "$(theirs 1)"
  install_sh[3]=/opt/mmm/agent
  "${install_sh[@]}"
  run manage install "$(ours 1)"
  [ "$status" -ne 0 ]
  [[ $output == *'has put /usr/sbin/mmm_preflight there'*'uninstall AGENT_DIR=FOLDER'* ]]
  cmp "$BATS_TEST_TMPDIR/mmm_preflight" "$root/usr/sbin/mmm_preflight"
  [ ! -e "$root$OWN" ]
  "$REPOSITORY/install.sh" uninstall "$root" /opt/mmm/agent
  manage install "$(ours 1)"
  say_all ours 1
}

@test "a purge after a change to install.sh leaves its journal, its logrotate file and its state" {
  [[ $way == deb ]] || skip 'rpm knows no purge'
  stand_ins_of_make
  for folder in "$agent" /opt/mmm/agent; do
    manage install "$(ours 1)"
    manage remove mmm-agent-helpers
    install_sh[3]=$folder
    "${install_sh[@]}"
    mkdir -p "$root/var/lib/mysql-mmm"
    files=("$root/var/log/mysql-mmm/mmm_helpers.log" "$root/var/lib/mysql-mmm/mysql-mmm-hold-x")
    touch "${files[@]}"
    manage purge mmm-agent-helpers
    for file in "${files[@]}" "$root/etc/logrotate.d/mysql-mmm-helpers"; do [ -e "$file" ]; done
    "$REPOSITORY/install.sh" uninstall "$root" "$folder"
  done
}

@test "a purge takes the state of the helpers, and no file of others beside it" {
  [[ $way == deb ]] || skip 'rpm knows no purge'
  mkdir -p "$root/var/lib/mysql-mmm"
  for other in mmm_mond.status ''; do
    manage install "$(ours 1)"
    touch "$root/var/lib/mysql-mmm"/{mysql-mmm-hold-x,$other}
    manage remove mmm-agent-helpers
    [ -e "$root/var/lib/mysql-mmm/mysql-mmm-hold-x" ]
    manage purge mmm-agent-helpers
    [ ! -e "$root/var/lib/mysql-mmm/mysql-mmm-hold-x" ]
    [[ $other == '' || -e $root/var/lib/mysql-mmm/$other ]]
    rm -f "$root/var/lib/mysql-mmm/mmm_mond.status"
  done
  [ ! -e "$root/var/lib/mysql-mmm" ]
}

@test "no folder for the journal can be made: the package says so and serves" {
  ln -s /data/log/mmm "$root/var/log/mysql-mmm"
  manage install "$(theirs 1)"
  run manage install "$(ours 1)"
  [[ $status == 0 && $output == *'there is no folder /var/log/mysql-mmm'* ]]
  say_all ours 1
}

@test "our logrotate file comes only where no other names the journal, and goes when one comes" {
  own=$root/etc/logrotate.d/mysql-mmm-helpers
  other=$root/etc/logrotate.d/mysql-mmm
  mkdir -p "$root/etc/logrotate.d"
  # The pattern, and whether it is for the journal.
  while read -r is_for pattern; do
    printf "# /var/log/mysql-mmm/*.log {\n/var/log/other.log\n%s {\n\tweekly\n\tpostrotate\n\t\ttrue /var/log/mysql-mmm/*.log\n\tendscript\n}\n" \
      "$pattern" >"$other"
    manage install "$(ours 1)"
    [[ $is_for == no || ! -e $own ]]
    if [[ $is_for == no ]]; then cmp "$own" "$REPOSITORY/etc/logrotate.d/mysql-mmm-helpers"; fi
    manage remove mmm-agent-helpers
    [ ! -e "$own" ]
    cp "$other" "$other.dpkg-old"
  done <<'PATTERNS'
yes /var/log/mysql-mmm/*.log
yes "/var/log/mysql-mmm/*.log" /var/log/x
yes /var/log/*/*.log
yes /var/log/mysql-mmm/mmm_helpers.log
no /var/log/*.log
no /var/log/mysql-mmm/mmm_agentd.log
no /var/log/mysql-mmm/*.log.1
no /var/*/*/x/*.log
PATTERNS
  rm "$other" "$other.dpkg-old"

  # Whoever deletes it does not find it again.
  manage install "$(ours 1)"
  rm "$own"
  manage install "$(ours 2)"
  [ ! -e "$own" ]
  manage remove mmm-agent-helpers

  # A package with such a file comes later.
  manage install "$(ours 1)"
  [ -e "$own" ]
  rotating_package
  [ -e "$other" ]
  [ ! -e "$own" ]

  # What the administrator has changed stays.
  echo mine >"$own"
  manage install "$(ours 2)"
  rotating_package
  [ "$(cat "$own")" = mine ]
  manage remove mmm-agent-helpers
  [ "$(cat "$own")" = mine ]
}

# A package with a logrotate file for every log of that folder is installed.
rotating_package() {
  local work=$BATS_TEST_TMPDIR/rotating
  mkdir -p "$work/tree/etc/logrotate.d" "$root/packages"
  printf '/var/log/mysql-mmm/*.log {\n\tmonthly\n}\n' >"$work/tree/etc/logrotate.d/mysql-mmm"
  if [[ $way == deb ]]; then
    mkdir -p "$work/tree/DEBIAN"
    printf '%s\n' 'Package: mysql-mmm' 'Version: 1' 'Architecture: all' 'Maintainer: A <a@b.example>' 'Description: x' \
      >"$work/tree/DEBIAN/control"
    dpkg-deb --root-owner-group -Zxz --build "$work/tree" "$root/packages/rotating.deb"
    inside dpkg --force-unsafe-io --install /packages/rotating.deb
  else
    printf '%s\n' 'Name: mysql-mmm' 'Version: 1' 'Release: 1' 'Summary: x' 'License: GPL' 'BuildArch: noarch' \
      'AutoReqProv: no' '%description' x '%install' "cp -a $work/tree/. %{buildroot}/" '%files' /etc/logrotate.d/mysql-mmm \
      >"$work/x.spec"
    rpmbuild -bb --quiet --define "_topdir $work/rpm" --define "_rpmdir $work/out" \
      --define '_binary_payload w9.gzdio' --define '__os_install_post %{nil}' "$work/x.spec" >/dev/null 2>&1
    cp "$work"/out/noarch/*.rpm "$root/packages/rotating.rpm"
    inside rpm --upgrade --replacepkgs --nodeps /packages/rotating.rpm
  fi
}

@test "the same programs give the same package, whatever the builder's shell, home and file system" {
  plain=$BATS_TEST_TMPDIR/plain
  our_package 1 "$plain/work" "$plain"
  # Another file system, with a folder that passes its group on.
  apart=$(mktemp -d --tmpdir="$([[ -d /dev/shm ]] && echo /dev/shm || echo "$BATS_TEST_TMPDIR")")
  chgrp games "$apart"
  chmod g+s "$apart"
  mkdir -p "$BATS_TEST_TMPDIR/home/.config/rpm" "$apart/packages"
  printf '%%vendor ACME\n%%distribution ACME Linux\n%%_binary_payload w3.gzdio\n' |
    tee "$BATS_TEST_TMPDIR/home/.config/rpm/macros" >"$BATS_TEST_TMPDIR/home/.rpmmacros"
  (
    export HOME=$BATS_TEST_TMPDIR/home XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/home/.config XZ_DEFAULTS=-0 XZ_OPT=-0 \
      TAR_OPTIONS=--numeric-owner GZIP=-1 DPKG_DEB_COMPRESSOR_LEVEL=1 DPKG_DEB_COMPRESSOR_TYPE=gzip \
      CARGO_PROFILE_DIST_PANIC=abort CARGO_ENCODED_RUSTFLAGS=-Cpanic=abort RUSTC_WRAPPER=false CARGO_BUILD_TARGET=x \
      CFLAGS_x86_64_unknown_linux_musl=-O0 VERSION=9 MAINTAINER='Me <me@x.example>' LC_ALL=C.UTF-8 TZ=Asia/Tokyo
    # shellcheck disable=SC2317 # the build programs must not call it
    sha256sum() { echo changed; }
    export -f sha256sum
    umask 077
    our_package 1 "$apart/work" "$apart/packages"
  )
  cmp "$plain/$(ours 1)" "$apart/packages/$(ours 1)"
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
