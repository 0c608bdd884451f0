#!/usr/bin/env bats
# make install and make uninstall, with stand-ins for the built helpers and for the originals.

REPOSITORY=$BATS_TEST_DIRNAME/..
AGENT=usr/lib/mysql-mmm/agent
NAMES=(check_ip clear_ip configure_ip mysql_allow_write mysql_deny_write mysql_may_write set_active_master
  sync_with_master turn_off_slave turn_on_slave)
TOOLS=(mmm_difference mmm_guard mmm_journal mmm_preflight)

setup() {
  root=$BATS_TEST_TMPDIR/root
  built=$BATS_TEST_TMPDIR/built
  manual=$BATS_TEST_TMPDIR/manual
  mkdir -p "$root" "$built" "$manual"/{man1,man5,man8,bash,zsh,fish}
  # Power does not fail here, and a disk that others use is slow.
  mkdir "$BATS_TEST_TMPDIR/bin"
  ln -s "$(type -P true)" "$BATS_TEST_TMPDIR/bin/sync"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  build_version one
}

build_version() {
  local name file
  for name in "${NAMES[@]}" "${TOOLS[@]}"; do
    # How this project's programs are recognised anywhere: a program that reads our settings.
    printf '\177ELF\0mmm_helpers.yaml\0\nhelper %s %s\n' "$name" "$1" >"$built/$name"
    chmod 755 "$built/$name"
  done
  for name in man8/check_ip.8 man5/mmm_helpers.yaml.5; do echo "page $name $1" >"$manual/$name"; done
  for name in "${TOOLS[@]}"; do
    for file in "man1/$name.1" "bash/$name" "zsh/_$name" "fish/$name.fish"; do echo "$file $1" >"$manual/$file"; done
  done
}

mmm() { make -s -C "$REPOSITORY" "$1" DESTDIR="$root" BUILT="$built" MANUAL="$manual" "${@:2}"; }

# compiled_with OPTION… — what the compiler says of the source that all helpers share. Nothing is built: the packages
# that this source uses are not there.
compiled_with() {
  run rustc --edition 2024 --emit=metadata -o "$BATS_TEST_TMPDIR/core" "$@" "$REPOSITORY/crates/core/src/lib.rs"
  [[ $output == *"can't find crate"* || $output == *'error[E0432]'* ]]
}

# Originals as a package leaves them, each different; one is a link, one is not executable.
originals() {
  local name
  mkdir -p "$root/$AGENT"
  for name in "${NAMES[@]}"; do
    printf '#!/usr/bin/env perl\n# original %s\0\n' "$name" >"$root/$AGENT/$name"
    chmod 755 "$root/$AGENT/$name"
    touch -d '2010-05-04 03:02:01.123456789' "$root/$AGENT/$name"
  done
  chmod 4711 "$root/$AGENT/mysql_deny_write"
  chmod 600 "$root/$AGENT/turn_on_slave"
  ln -sf ../elsewhere/clear_ip "$root/$AGENT/clear_ip"
  echo 'of a fork' >"$root/$AGENT/kill_process"
}

agent_of_epel() { AGENT=usr/libexec/mysql-mmm/agent; }

# Everything that is known about the files of a folder: name, type, mode, owner, time, target, content.
picture() {
  (cd "$root/$AGENT" && find . -mindepth 1 -printf '%p %y %m %U %G %T@ %l\n' | sort && find . -type f | sort | xargs -r sha256sum)
}

@test "the ten helpers are there after install and gone after uninstall where nothing was before" {
  run mmm install
  [ "$status" -eq 0 ]
  for name in "${NAMES[@]}"; do
    cmp "$built/$name" "$root/$AGENT/$name"
    [ "$(stat -c %a "$root/$AGENT/$name")" = 755 ]
  done
  [[ $output == *"bin_path must be /usr/lib/mysql-mmm/"* ]]

  mmm uninstall
  [ ! -e "$root/$AGENT" ]
  [ ! -e "$root/$AGENT.orig" ]
}

@test "originals come back with content, mode, owner, times and links" {
  originals
  before=$(picture)

  run mmm install
  [ "$status" -eq 0 ]
  [[ $output == *"Originals kept in $root/$AGENT.orig"* ]]
  cmp "$built/clear_ip" "$root/$AGENT/clear_ip"
  [ ! -L "$root/$AGENT/clear_ip" ]

  run mmm uninstall
  [[ $output == *"Originals are back"*check_ip* ]]
  [ "$(picture)" = "$before" ]
  [ ! -e "$root/$AGENT.orig" ]
}

@test "a second install and an upgrade keep the originals, not our own helpers" {
  originals
  before=$(picture)
  mmm install
  run mmm install
  [[ $output != *"Originals kept"* ]]
  build_version two
  run mmm install
  [[ $output != *"Originals kept"* ]]
  [ "$(tail -n 1 "$root/$AGENT/check_ip")" = "helper check_ip two" ]

  mmm uninstall
  [ "$(picture)" = "$before" ]
  run mmm uninstall
  [ "$status" -eq 0 ]
  [[ $output == *"Nothing to bring back"* ]]
  [ "$(picture)" = "$before" ]
}

@test "an install that was killed half-way is finished by the next, and undone by uninstall" {
  originals
  before=$(picture)
  for victim in check_ip clear_ip mysql_may_write; do
    # A helper that is missing a moment before its turn, as a kill would have it.
    mmm install >/dev/null
    mmm uninstall >/dev/null
    mkdir -p "$root/$AGENT.orig"
    ln -P "$root/$AGENT/$victim" "$root/$AGENT.orig/$victim"
    echo partial >"$root/$AGENT/.$victim.new"
    mmm uninstall
    [ "$(picture)" = "$before" ]
  done
  mkdir -p "$root/$AGENT.orig"
  ln -P "$root/$AGENT/check_ip" "$root/$AGENT.orig/check_ip"
  mmm install
  mmm uninstall
  [ "$(picture)" = "$before" ]
}

@test "an original that a package upgrade put over ours is the one that comes back" {
  originals
  mmm install
  echo 'newer original' >"$root/$AGENT/check_ip"
  run mmm install
  [[ $output == *"newer original of check_ip"* ]]
  cmp "$built/check_ip" "$root/$AGENT/check_ip"

  mmm uninstall
  [ "$(cat "$root/$AGENT/check_ip")" = 'newer original' ]
}

@test "no copy of an original is ever deleted: each is numbered, and the last that was found comes back" {
  originals
  local version
  for version in two three; do
    mmm install
    echo "original $version" >"$root/$AGENT/check_ip"
  done
  run mmm install
  [[ $output == *"newer original of check_ip"* ]]
  run mmm uninstall
  [ "$(cat "$root/$AGENT/check_ip")" = 'original three' ]
  [[ $output == *"stay in $root/$AGENT.orig: check_ip check_ip.1"* ]]
  [[ $(tr -d "\0" <"$root/$AGENT.orig/check_ip") == *"original check_ip"* ]]
  [ "$(cat "$root/$AGENT.orig/check_ip.1")" = 'original two' ]

  # And so once more.
  mmm install
  mmm uninstall
  [ "$(cat "$root/$AGENT/check_ip" "$root/$AGENT.orig/check_ip.1")" = $'original three\noriginal two' ]
}

@test "a helper of ours that was copied there by hand is not taken for an original" {
  originals
  before=$(picture)
  mmm install
  build_version two
  cp "$built/check_ip" "$root/$AGENT/check_ip"
  build_version three
  run mmm install
  [[ $output != *original* ]]
  cp "$built/mysql_deny_write" "$root/$AGENT/clear_ip"
  mmm uninstall
  [ "$(picture)" = "$before" ]
}

@test "originals come back although the list of what was installed was lost" {
  originals
  before=$(picture)
  mmm install
  rm "$root/$AGENT.orig/.placed"
  run mmm uninstall
  [ "$(picture)" = "$before" ]

  # It is also unknown what this is, but an original was kept already.
  mmm install
  rm "$root/$AGENT.orig/.placed"
  echo 'a program without a mark' >"$root/$AGENT/check_ip"
  build_version two
  mmm install
  mmm uninstall
  [ "$(picture)" = "$before" ]
  [ "$(cat "$root/$AGENT.orig/check_ip.1")" = 'a program without a mark' ]
}

# killed_at NUMBER ACTION — make install or uninstall, killed when it is about to run the program of that number of those
# that change something. False when it ran fewer.
killed_at() {
  local name bin=$BATS_TEST_TMPDIR/killing
  if [[ ! -d $bin ]]; then
    mkdir "$bin"
    for name in ln cp mv rm rmdir install mkdir touch sync; do
      printf '#!/bin/bash\necho %s >>"$STEPS"\n(($(wc -l <"$STEPS") < VICTIM)) || kill -KILL "$PPID"\nexec %s "$@"\n' \
        "$name" "$(type -P "$name")" >"$bin/$name"
    done
    chmod +x "$bin"/*
  fi
  STEPS=$BATS_TEST_TMPDIR/steps
  : >"$STEPS"
  PATH=$bin:$PATH STEPS=$STEPS VICTIM=$1 mmm "$2" >/dev/null 2>&1 || true
  (($(wc -l <"$STEPS") >= $1))
}

# comes_back STEP PICTURE — after that step, and an install behind every other one, uninstall leaves all as in PICTURE.
comes_back() {
  if (($1 % 2)); then mmm install >/dev/null || return 1; fi
  mmm uninstall >/dev/null && [[ $(picture) == "$2" && ! -e $root/$AGENT.orig ]]
}

@test "an install or uninstall that is killed at any step loses no original" {
  originals
  local before step
  before=$(picture)
  # When the first original, and it alone, is kept; when all are, none is replaced, one, two.
  for step in 4 5 24 25 26; do
    killed_at "$step" install
    comes_back "$step" "$before"
  done
  for step in 3 4 5; do
    mmm install >/dev/null
    killed_at "$step" uninstall
    comes_back "$step" "$before"
  done
}

@test "originals and the list of what is installed are on the disk before a helper is replaced" {
  originals
  killed_at 9999 install || true
  [ "$(grep -n -x sync "$STEPS" | cut -d: -f1)" -eq 23 ]
  [ "$(sed -n 1,22p "$STEPS" | grep -c -x ln)" -eq 10 ]
  [ "$(sed -n 1,23p "$STEPS" | grep -c -x mv)" -eq 0 ]
  [ "$(sed -n 24,33p "$STEPS" | grep -c -x mv)" -eq 10 ]
}

@test "originals come back where /usr/sbin, /lib or the agent's own folder are links" {
  originals
  before=$(picture)
  mkdir -p "$root/usr/bin" "$root/usr/libexec/mysql-mmm"
  ln -s bin "$root/usr/sbin"
  ln -s usr/lib "$root/lib"
  mmm install
  [ -e "$root/usr/bin/mmm_journal" ]
  run mmm uninstall
  [[ $status == 0 && $output == *"Originals are back"* ]]
  [ "$(picture)" = "$before" ]
  [ -L "$root/usr/sbin" ]
  [ "$(ls "$root/usr/bin")" = '' ]

  mmm install AGENT_DIR=/lib/mysql-mmm/agent
  cmp "$built/check_ip" "$root/$AGENT/check_ip"
  mmm uninstall
  [ "$(picture)" = "$before" ]

  # By its two names in turn.
  mv "$root/$AGENT" "$root/usr/libexec/mysql-mmm/agent"
  ln -s ../../libexec/mysql-mmm/agent "$root/$AGENT"
  mmm install
  mmm uninstall AGENT_DIR=/usr/libexec/mysql-mmm/agent
  [ "$(picture)" = "$before" ]
  mmm install AGENT_DIR=/usr/libexec/mysql-mmm/agent
  mmm uninstall
  [ "$(picture)" = "$before" ]
  [ "$(find "$root" -name '*.orig')" = '' ]
}

@test "originals come back where a second name for a file cannot be made, also after a kill while they are copied" {
  originals
  local before step
  before=$(picture)
  printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/ln"
  chmod +x "$BATS_TEST_TMPDIR/bin/ln"
  # Before and after the first original is copied, and between the copy's two names.
  for step in 4 5 6 7; do
    killed_at "$step" install
    echo partial >"$root/$AGENT.orig/.clear_ip.part"
    mmm uninstall
    [ "$(picture)" = "$before" ]
    [ ! -e "$root/$AGENT.orig" ]
  done
  mmm install
  mmm uninstall
  [ "$(picture)" = "$before" ]
}

@test "a link that leads out of DESTDIR is not followed, and nothing is touched" {
  originals
  before=$(picture)
  mkdir "$BATS_TEST_TMPDIR/host" "$BATS_TEST_TMPDIR/host/agent"
  ln -s "$BATS_TEST_TMPDIR/host" "$root/usr/sbin"
  run mmm install
  [[ $status != 0 && $output == *"$root/usr/sbin leads to $BATS_TEST_TMPDIR/host, which is not below DESTDIR"* ]]
  [ "$(picture)" = "$before" ]
  ln -s "$BATS_TEST_TMPDIR/host/agent" "$root/away"
  run mmm uninstall AGENT_DIR=/away
  [[ $status != 0 && $output == *"not below DESTDIR"* ]]
  [ "$(find "$BATS_TEST_TMPDIR/host" -type f)" = '' ]
}

@test "uninstall goes on past what it cannot do, says so, and is finished by the next one" {
  originals
  before=$(picture)
  mmm install
  # Folders where files should be, which rm does not remove.
  mkdir "$root/usr/sbin/mmm_journal.new" "$root/$AGENT/.check_ip.new" "$root/usr/share/doc/mmm-agent-helpers/docs/README.md"
  printf '#!/bin/sh\ncase $* in *mysql_may_write*) echo "mv: no" >&2; exit 1 ;; esac\nexec %s "$@"\n' "$(type -P mv)" \
    >"$BATS_TEST_TMPDIR/bin/mv"
  chmod +x "$BATS_TEST_TMPDIR/bin/mv"

  run mmm uninstall

  [ "$status" -ne 0 ]
  [[ $output == *"Originals are back"*"turn_on_slave"*"mv "*mysql_may_write*"could not be done"* ]]
  [ ! -e "$root/usr/sbin/mmm_journal" ]
  [ ! -e "$root/usr/share/man/man8/check_ip.8" ]
  rm "$BATS_TEST_TMPDIR/bin/mv"
  rmdir "$root/$AGENT/.check_ip.new" "$root/usr/sbin/mmm_journal.new"
  mmm uninstall
  [ "$(picture)" = "$before" ]
  [ ! -e "$root/$AGENT.orig" ]
}

@test "a foreign helper that came after the install survives uninstall" {
  originals
  mmm install
  echo 'foreign' >"$root/$AGENT/check_ip"
  run mmm uninstall
  [ "$(cat "$root/$AGENT/check_ip")" = foreign ]
  [[ $output == *"check_ip was replaced after the installation and stays"* ]]
  [[ $(tr -d "\0" <"$root/$AGENT.orig/check_ip") == *"original check_ip"* ]]
}

@test "uninstall removes no helper of which only a package's copy is left: that is back" {
  mkdir -p "$root/$AGENT"
  # As it is if a package went without giving back: by its script's failure, or by force.
  cp "$built/check_ip" "$root/$AGENT/check_ip"
  ln -s /usr/libexec/mmm-agent-helpers/agent/clear_ip "$root/$AGENT/clear_ip"
  for name in check_ip clear_ip; do
    echo "original $name" >"$root/$AGENT/$name.distrib"
    chmod 755 "$root/$AGENT/$name.distrib"
  done
  run mmm uninstall
  [ "$status" -eq 0 ]
  [[ $output == *"Originals are back in $root/$AGENT: check_ip clear_ip"* ]]
  [[ $output == *"its copies stay in $root/$AGENT: check_ip.distrib clear_ip.distrib"* ]]
  for name in check_ip clear_ip; do
    [ "$(cat "$root/$AGENT/$name")" = "original $name" ]
    [ -x "$root/$AGENT/$name" ]
    cmp "$root/$AGENT/$name" "$root/$AGENT/$name.distrib"
  done

  # A link into a package that is gone is no original.
  rm "$root/$AGENT/clear_ip"
  ln -s /usr/libexec/mmm-agent-helpers/agent/clear_ip "$root/$AGENT/clear_ip"
  mmm install
  mmm uninstall
  [ "$(cat "$root/$AGENT/clear_ip")" = 'original clear_ip' ]
}

# As a release's archive has it: no Makefile, and what was built beside install.sh.
archive() {
  rm -rf "$BATS_TEST_TMPDIR/archive"
  mkdir "$BATS_TEST_TMPDIR/archive"
  cp -r "$REPOSITORY"/{install.sh,etc,docs,LICENSE-MIT,LICENSE-APACHE} "$BATS_TEST_TMPDIR/archive/"
  cp -r "$built" "$BATS_TEST_TMPDIR/archive/bin"
  cp -r "$manual" "$BATS_TEST_TMPDIR/archive/manual"
}

mmm_of_archive() { "$BATS_TEST_TMPDIR/archive/install.sh" "$1" "$root" "${@:2}"; }

@test "a folder that the host's agent does not have is refused, and the agent's is named" {
  local other=/usr/libexec/mysql-mmm/agent
  mkdir -p "$root$other"
  run mmm install AGENT_DIR=/$AGENT
  [ "$status" -ne 0 ]
  [[ $output == *"run: make install AGENT_DIR=$other"* ]]
  archive
  run mmm_of_archive install /$AGENT
  [ "$status" -ne 0 ]
  [[ $output == *"run: ./install.sh install '$root' $other"* ]]
  [ "$(find "$root" -type f)" = '' ]

  mmm install AGENT_DIR=/opt/mmm/agent
  cmp "$built/check_ip" "$root/opt/mmm/agent/check_ip"
}

@test "the agent's folder of EPEL and Fedora is found, and its originals come back, by make and by the archive" {
  agent_of_epel
  originals
  before=$(picture)
  archive
  for program in mmm mmm_of_archive; do
    for empty in no yes; do
      # A folder without helpers is no agent's.
      if [[ $empty == yes ]]; then mkdir -p "$root/usr/lib/mysql-mmm/agent"; fi
      run "$program" install
      [[ $status == 0 && $output == *"bin_path must be /usr/libexec/mysql-mmm/"* ]]
      cmp "$built/check_ip" "$root/$AGENT/check_ip"
      # As it comes with an agent of another package.
      mkdir -p "$root/usr/lib/mysql-mmm/agent"
      echo other >"$root/usr/lib/mysql-mmm/agent/check_ip"
      run "$program" install
      [[ $status == 0 && $output == *"bin_path must be /usr/libexec/mysql-mmm/"* ]]

      run "$program" uninstall

      [[ $status == 0 && $output == *"Originals are back in $root/$AGENT"* ]]
      [ "$(picture)" = "$before" ]
      [ "$(cat "$root/usr/lib/mysql-mmm/agent/check_ip")" = other ]
      rm -r "$root/usr/lib"
    done
  done
}

@test "uninstall answers no success for a folder that has nothing of ours while another has, and touches nothing" {
  agent_of_epel
  originals
  before=$(picture)
  mmm install AGENT_DIR=/$AGENT
  archive
  run mmm uninstall AGENT_DIR=/usr/lib/mysql-mmm/agent
  [[ $status != 0 && $output == *"run: make uninstall AGENT_DIR=/$AGENT"* ]]
  run mmm_of_archive uninstall /usr/lib/mysql-mmm/agent
  [[ $status != 0 && $output == *"run: ./install.sh uninstall '$root' /$AGENT"* ]]
  cmp "$built/check_ip" "$root/$AGENT/check_ip"
  [ -e "$root/usr/share/doc/mmm-agent-helpers/mmm_helpers.yaml" ]
  mmm uninstall AGENT_DIR=/$AGENT
  [ "$(picture)" = "$before" ]

  # A folder that this program cannot know.
  mmm install AGENT_DIR=/opt/mmm/agent
  run mmm uninstall
  [[ $status != 0 && $output == *"run: make uninstall AGENT_DIR=FOLDER"* ]]
  cmp "$built/check_ip" "$root/opt/mmm/agent/check_ip"
  [ -e "$root/usr/share/doc/mmm-agent-helpers/mmm_helpers.yaml" ]
  mmm uninstall AGENT_DIR=/opt/mmm/agent
  [ ! -e "$root/opt/mmm/agent" ]
  [ "$(picture)" = "$before" ]
}

@test "uninstall says that another folder has helpers of ours, too" {
  mmm install
  mkdir -p "$root/usr/libexec/mysql-mmm/agent"
  mmm install AGENT_DIR=/usr/libexec/mysql-mmm/agent
  run mmm uninstall
  [[ $status == 0 && $output == *"/usr/libexec/mysql-mmm/agent has helpers of ours, too; run: make uninstall AGENT_DIR=/usr/libexec/mysql-mmm/agent"* ]]
  [ ! -e "$root/$AGENT" ]
  run mmm uninstall
  [[ $status == 0 && $output != *'too; run'* ]]
  [ "$(find "$root" -type f)" = '' ]
}

@test "in an archive, no cure is a make" {
  archive
  rm "$BATS_TEST_TMPDIR/archive/bin/check_ip"
  run mmm_of_archive install
  [[ $status != 0 && $output == *'bin/check_ip is missing; unpack the archive again'* ]]
  archive
  printf 'MMM_MUTANT\0' >>"$BATS_TEST_TMPDIR/archive/bin/check_ip"
  run mmm_of_archive install
  [[ $status != 0 && $output == *"the feature 'mutants'; unpack the archive again"* ]]
  archive
  mmm_of_archive install
  mkdir "$root/usr/sbin/mmm_journal.new"
  run mmm_of_archive uninstall
  [[ $status != 0 && $output == *"then run again: ./install.sh uninstall '$root' /$AGENT"* ]]
  [[ $output != *make* ]]
}

@test "everybody may read what was installed under a umask that keeps others out" {
  (umask 077 && mmm install)
  [ "$(find "$root" -mindepth 1 -type d ! -perm -005)" = "$root/var/log/mysql-mmm" ]
  [ "$(find "$root" -type f ! -perm -004)" = '' ]
}

@test "no second rule for logrotate is installed where one for the journal is there" {
  local rotation=$root/etc/logrotate.d/mysql-mmm-helpers agents=$root/etc/logrotate.d/mysql-mmm
  mkdir -p "$root/etc/logrotate.d"
  for rule in '/var/log/mysql-mmm/*.log {' '"/var/log/mysql-mmm/mmm_helpers.log"{' $'/x /var/log/*/mmm_*.log\n{'; do
    printf '%s\n  weekly\n}\n' "$rule" >"$agents"
    run mmm install
    [[ $status == 0 && $output == *"/etc/logrotate.d/mysql-mmm has a rule for the journal; ours is left out"* ]]
    [ ! -e "$rotation" ]
  done
  mmm uninstall
  [ -e "$agents" ]

  # These do not mean the journal, or logrotate does not read them.
  printf '%s\n' '# /var/log/mysql-mmm/*.log {' 'include /etc/logrotate.d' '/var/log/*.log /var/log/mysql-mmm/mmm_agentd.log' \
    '{' '  weekly' '  postrotate' '    gzip /var/log/mysql-mmm/*.log' '  endscript' '}' >"$agents"
  echo '/var/log/mysql-mmm/*.log {}' >"$agents.rpmsave"
  run mmm install
  [[ $status == 0 && $output != *'left out'* ]]
  [ -s "$rotation" ]

  # A rule that came later.
  echo '/var/log/mysql-mmm/*.log {}' >"$agents"
  run mmm install
  [[ $output == *'ours is left out'* ]]
  [ ! -e "$rotation" ]
}

@test "settings and the administrator's logrotate file are never overwritten" {
  mkdir -p "$root/etc/mysql-mmm" "$root/etc/logrotate.d"
  echo mine >"$root/etc/mysql-mmm/mmm_helpers.yaml"
  echo mine >"$root/etc/logrotate.d/mysql-mmm-helpers"
  mmm install
  [ "$(cat "$root/etc/mysql-mmm/mmm_helpers.yaml")" = mine ]
  [ "$(cat "$root/etc/logrotate.d/mysql-mmm-helpers")" = mine ]
  [ -d "$root/var/log/mysql-mmm" ]
  [ -s "$root/usr/share/doc/mmm-agent-helpers/mmm_helpers.yaml" ]
  [ -x "$root/usr/share/doc/mmm-agent-helpers/hooks/ec2-address" ]
  [ -s "$root/usr/share/doc/mmm-agent-helpers/monitoring/mmm-metrics.timer" ]
  [ -s "$root/usr/share/doc/mmm-agent-helpers/mmm-guard.service" ]

  mmm uninstall
  [ "$(cat "$root/etc/logrotate.d/mysql-mmm-helpers")" = mine ]
  [ ! -e "$root/usr/share/doc/mmm-agent-helpers" ]
}

@test "without a build nothing is touched" {
  originals
  before=$(picture)
  rm "$built/turn_on_slave"
  run mmm install
  [ "$status" -ne 0 ]
  [[ $output == *"run 'make build' first"* ]]
  [ "$(picture)" = "$before" ]
  [ ! -e "$root/$AGENT.orig" ]
}

# Where everything but the helpers goes, and what it was made from.
others() {
  local name
  printf '%s\n' usr/share/man/man8/check_ip.8 "$manual/man8/check_ip.8" \
    usr/share/man/man5/mmm_helpers.yaml.5 "$manual/man5/mmm_helpers.yaml.5"
  for name in "${TOOLS[@]}"; do
    printf '%s\n' "usr/sbin/$name" "$built/$name" "usr/share/man/man1/$name.1" "$manual/man1/$name.1" \
      "usr/share/bash-completion/completions/$name" "$manual/bash/$name" \
      "usr/share/zsh/vendor-completions/_$name" "$manual/zsh/_$name" \
      "usr/share/fish/vendor_completions.d/$name.fish" "$manual/fish/$name.fish"
  done
}

each_other() {
  local target source
  while read -r target && read -r source; do "$@" "$root/$target" "$source" || return; done < <(others)
}
is_gone() { [[ ! -e $1 ]]; }

@test "tools, manual pages and completions are there after install, newer after an upgrade, gone after uninstall" {
  mmm install
  each_other cmp
  [ "$(stat -c %a "$root/usr/sbin/mmm_journal" "$root/usr/share/man/man1/mmm_journal.1")" = $'755\n644' ]
  [ -s "$root/usr/share/doc/mmm-agent-helpers/docs/JOURNAL.md" ]

  build_version two
  run mmm install
  [[ $output != *"somebody else's"* ]]
  each_other cmp

  mmm uninstall
  each_other is_gone
  [ "$(find "$root" -type f)" = "" ]
}

@test "another TOOLS_DIR is used, and found again by uninstall" {
  mmm install TOOLS_DIR=/opt/mmm/bin
  cmp "$built/mmm_journal" "$root/opt/mmm/bin/mmm_journal"
  [ ! -e "$root/usr/sbin" ]
  mmm uninstall
  [ ! -e "$root/opt/mmm/bin" ]
}

@test "a tool or a page that is somebody else's is neither replaced nor removed" {
  local page=usr/share/man/man8/check_ip.8
  mkdir -p "$root/usr/sbin" "$root/${page%/*}"
  echo foreign >"$root/usr/sbin/mmm_journal"
  ln -s mmm_agentd.8 "$root/$page"
  run mmm install
  [[ $status == 0 && $output == *"/usr/sbin/mmm_journal is somebody else's and stays"* ]]
  [ "$(cat "$root/usr/sbin/mmm_journal")" = foreign ]

  # One of ours that was changed since.
  echo mine >"$root/usr/share/man/man5/mmm_helpers.yaml.5"
  run mmm uninstall
  [[ $output == *"/usr/share/man/man5/mmm_helpers.yaml.5 was changed after the installation and stays"* ]]
  [ "$(cat "$root/usr/sbin/mmm_journal" "$root/usr/share/man/man5/mmm_helpers.yaml.5")" = $'foreign\nmine' ]
  [ "$(readlink "$root/$page")" = mmm_agentd.8 ]
  [ ! -e "$root/usr/share/man/man1/mmm_journal.1" ]
}

@test "where zsh keeps its completions elsewhere, ours go there" {
  mkdir -p "$root/usr/share/zsh/site-functions"
  mmm install
  [ -s "$root/usr/share/zsh/site-functions/_mmm_journal" ]
  mmm uninstall
  [ ! -e "$root/usr/share/zsh/site-functions/_mmm_journal" ]
}

@test "without the manual nothing is touched" {
  originals
  before=$(picture)
  rm -r "$manual"
  run mmm install
  [[ $status != 0 && $output == *"run 'make build' first"* ]]
  [ "$(picture)" = "$before" ]
}

@test "helpers that can be told to do without a rule are not installed, and no build has them unless it is told so" {
  printf 'MMM_MUTANT\0' >>"$built/mysql_allow_write"
  run mmm install
  [ "$status" -ne 0 ]
  [[ $output == *"mysql_allow_write was built with the feature 'mutants'; run 'make build'"* ]]
  [ ! -e "$root/$AGENT" ]
  helpers=${MMM_AGENT_DIR:-${CARGO_TARGET_DIR:-$REPOSITORY/target}/release}
  # Without a rule's name, no program knows the rule.
  for name in "${NAMES[@]}"; do
    [ -x "$helpers/$name" ]
    for word in MMM_MUTANT hold-release takeover-repair same-groups; do
      if grep -qaF "$word" "$helpers/$name"; then
        echo "$helpers/$name has $word"
        false
      fi
    done
  done
}

@test "no helper can be built that a panic ends by SIGABRT, which the agent takes for success" {
  compiled_with -C panic=abort
  [[ $output == *'must be built with panic = "unwind"'* ]]
  compiled_with -C panic=unwind
  [[ $output != *'must be built with'* ]]
}
