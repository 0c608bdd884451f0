#!/usr/bin/env bash
# Puts the helpers where MMM's agent calls them, tools, manual pages and completions where people look for them, and
# takes all of it away again.
# Usage: install.sh install DESTDIR AGENT_DIR TOOLS_DIR BUILT MANUAL
#        install.sh uninstall DESTDIR AGENT_DIR
# Original helpers go to AGENT_DIR.orig and come back from there unchanged; any other file that somebody else has put
# there stays where it is, and ours is not installed. A helper is replaced by renaming, so a running agent finds one or
# the other at any moment, never none.
set -euo pipefail

HELPERS=(
  check_ip clear_ip configure_ip mysql_allow_write mysql_deny_write mysql_may_write
  set_active_master sync_with_master turn_off_slave turn_on_slave
)
TOOLS=(mmm_journal mmm_preflight)

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

exists() { [[ -e $1 || -L $1 ]]; }

sum_of() { sha256sum <"$1" | cut -d' ' -f1; }

# Two names of one file; links are not followed.
same_file() { [[ $(stat -c %d:%i "$1") == "$(stat -c %d:%i "$2")" ]]; }

# A helper that was put there by this program: what the list says of it still holds.
is_ours() {
  local name=$1
  [[ -f $agent/$name && ! -L $agent/$name && -f $placed ]] || return 1
  grep -qxF "$(sum_of "$agent/$name")  $name" "$placed"
}

install_helpers() {
  local name found=()
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do
    [[ -x $built/$name ]] || fail "$built/$name is missing; run 'make build' first"
  done
  [[ $tools_dir == /* ]] || fail "TOOLS_DIR must be an absolute path: '$tools_dir'"
  [[ -d $manual ]] || fail "$manual is missing; run 'make build' first"
  if [[ ! -d $agent && $agent == "$root/usr/lib/mysql-mmm/agent" && -d $root/usr/libexec/mysql-mmm/agent ]]; then
    fail "this host's agent keeps its helpers in /usr/libexec; run: make install AGENT_DIR=/usr/libexec/mysql-mmm/agent"
  fi
  mkdir -p "$agent" "$saved"
  touch "$placed"
  for name in "${HELPERS[@]}"; do
    if exists "$agent/$name" && ! is_ours "$name"; then
      save "$name"
      found+=("$name")
    fi
    place "$name"
  done
  if ((${#found[@]})); then
    echo "Originals kept in $saved: ${found[*]}"
  fi
  echo "Helpers installed in $agent; the agent's bin_path must be ${agent_dir%/agent}/"
}

# Keeps the original as it is, links included. One that was saved earlier and has been replaced since, as
# by an upgrade of the package, gives way to the newer one.
save() {
  local name=$1
  if exists "$saved/$name"; then
    if same_file "$agent/$name" "$saved/$name"; then return; fi
    echo "A newer original of $name replaces the one that was kept"
    rm -f "$saved/$name"
  fi
  # A second name for the same file keeps its mode, times and owner; cp does where that cannot be.
  ln -P "$agent/$name" "$saved/$name" 2>/dev/null || cp -a "$agent/$name" "$saved/$name"
}

place() {
  local name=$1 new=$agent/.$1.new
  install -m 0755 "$built/$name" "$new"
  # Listed before it is in place: an install that breaks off here must not take it for an original.
  printf '%s  %s\n' "$(sum_of "$new")" "$name" >>"$placed"
  mv -fT "$new" "$agent/$name"
}

# Where each file but the helpers goes: MODE SOURCE TARGET, without DESTDIR, separated by tabs.
files() {
  local name page zsh=/usr/share/zsh/vendor-completions
  # Debian has the former; elsewhere zsh looks into the latter.
  if [[ ! -d $root$zsh && -d $root/usr/share/zsh/site-functions ]]; then zsh=/usr/share/zsh/site-functions; fi
  for name in "${TOOLS[@]}"; do
    printf '%s\t%s\t%s\n' 0755 "$built/$name" "$tools_dir/$name" \
      0644 "$manual/bash/$name" "/usr/share/bash-completion/completions/$name" \
      0644 "$manual/zsh/_$name" "$zsh/_$name" \
      0644 "$manual/fish/$name.fish" "/usr/share/fish/vendor_completions.d/$name.fish"
  done
  for page in "$manual"/man[158]/*; do
    printf '%s\t%s\t%s\n' 0644 "$page" "/usr/share/man/${page#"$manual/"}"
  done
}

# Whether the list still holds of a file; its name there is the whole path, without DESTDIR.
is_our_file() { [[ -f $root$1 && ! -L $root$1 && -f $placed ]] && grep -qxF "$(sum_of "$root$1")  $1" "$placed"; }

install_files() {
  local mode source target
  while IFS=$'\t' read -r mode source target; do
    if exists "$root$target" && ! is_our_file "$target"; then
      echo "$target is somebody else's and stays; ours is $source"
      continue
    fi
    mkdir -p "$root${target%/*}"
    install -m "$mode" "$source" "$root$target.new"
    printf '%s  %s\n' "$(sum_of "$root$target.new")" "$target" >>"$placed"
    mv -fT "$root$target.new" "$root$target"
  done < <(files)
  echo "Tools installed in $tools_dir: ${TOOLS[*]}; see man mmm_preflight, man set_active_master"
}

uninstall_files() {
  local target
  [[ -f $placed ]] || return 0
  while read -r target; do
    rm -f "$root$target.new"
    if is_our_file "$target"; then
      rm -f "$root$target"
      rmdir --ignore-fail-on-non-empty "$root${target%/*}"
    elif exists "$root$target"; then
      echo "$target was changed after the installation and stays"
    fi
  done < <(grep -o '  /.*' "$placed" | cut -c 3- | sort -u)
}

install_samples() {
  local examples=$root/usr/share/doc/mmm-agent-helpers
  mkdir -p "$examples"
  install -m 0644 "$here/etc/mysql-mmm/mmm_helpers.yaml" "$examples/mmm_helpers.yaml"
  install -d "$examples/hooks"
  install -m 0755 "$here/etc/hooks/ec2-address" "$here/etc/hooks/floating-ip" "$examples/hooks/"
  install -m 0644 "$here"/etc/hooks/*.yaml "$examples/hooks/"
  install -d "$examples/docs"
  install -m 0644 "$here"/docs/*.md "$examples/docs/"
  install -m 0644 "$here/LICENSE-MIT" "$here/LICENSE-APACHE" "$examples/"
  [[ -d $root/var/log/mysql-mmm ]] || install -d -m 0750 "$root/var/log/mysql-mmm"
  mkdir -p "${rotation%/*}"
  # The administrator's own version stays.
  exists "$rotation" || install -m 0644 "$here/etc/logrotate.d/mysql-mmm-helpers" "$rotation"
  echo "Settings are optional; an example lies in $examples/mmm_helpers.yaml"
}

uninstall_helpers() {
  local name back=() gone=()
  for name in "${HELPERS[@]}"; do
    rm -f "$agent/.$name.new"
    if exists "$agent/$name" && ! is_ours "$name"; then
      if exists "$saved/$name" && ! same_file "$agent/$name" "$saved/$name"; then
        echo "$agent/$name was replaced after the installation and stays; the original is still in $saved"
        continue
      fi
      # Nothing of ours, or an installation that broke off before it replaced this one.
      rm -f "$saved/$name"
    elif exists "$saved/$name"; then
      mv -fT "$saved/$name" "$agent/$name"
      back+=("$name")
    elif exists "$agent/$name"; then
      rm -f "$agent/$name"
      gone+=("$name")
    fi
  done
  if ((${#back[@]})); then echo "Originals are back in $agent: ${back[*]}"; fi
  if ((${#gone[@]})); then echo "Removed from $agent, where no original was: ${gone[*]}"; fi
  if ((${#back[@]} + ${#gone[@]} == 0)); then echo "Nothing to bring back in $agent"; fi
  if [[ -d $saved ]] && [[ -z $(find "$saved" -mindepth 1 ! -name .placed -print -quit) ]]; then
    rm -f "$placed"
    rmdir "$saved"
  fi
  # Only where the installation made it, and the journal stays.
  rmdir --ignore-fail-on-non-empty "$agent" 2>/dev/null || true
}

uninstall_samples() {
  local examples=$root/usr/share/doc/mmm-agent-helpers sample
  rm -f "$examples/mmm_helpers.yaml" "$examples/LICENSE-MIT" "$examples/LICENSE-APACHE"
  for sample in "$here"/etc/hooks/*; do rm -f "$examples/hooks/${sample##*/}"; done
  for sample in "$here"/docs/*.md; do rm -f "$examples/docs/${sample##*/}"; done
  rmdir "$examples/hooks" "$examples/docs" "$examples" 2>/dev/null || true
  if cmp -s "$here/etc/logrotate.d/mysql-mmm-helpers" "$rotation"; then rm -f "$rotation"; fi
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# >= 3)) || fail "usage: install.sh install|uninstall DESTDIR AGENT_DIR [TOOLS_DIR BUILT MANUAL]"
action=$1 root=${2%/} agent_dir=${3%/} tools_dir=${4:-} built=${5:-} manual=${6:-}
[[ $agent_dir == /* ]] || fail "AGENT_DIR must be an absolute path: '$agent_dir'"
agent=$root$agent_dir
saved=$agent.orig
placed=$saved/.placed
rotation=$root/etc/logrotate.d/mysql-mmm-helpers

case $action in
  install) install_helpers; install_files; install_samples ;;
  uninstall) uninstall_files; uninstall_helpers; uninstall_samples ;;
  *) fail "unknown action '$action'" ;;
esac
