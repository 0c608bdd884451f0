#!/usr/bin/env bash
# Puts the helpers where MMM's agent calls them, tools, manual pages and completions where people look for them, and
# takes all of it away again.
# Usage: install.sh install [DESTDIR [AGENT_DIR [TOOLS_DIR [BUILT [MANUAL]]]]]
#        install.sh uninstall [DESTDIR [AGENT_DIR]]
# What is left out or empty is for this host: the folder in which its agent keeps helpers (uninstalling: in which ours
# are), /usr/sbin, and what lies beside this program in a release. Where the package (deb or rpm) is installed, this
# program touches nothing.
# Original helpers go to AGENT_DIR.orig and come back from there unchanged; any other file that somebody else has put
# there stays where it is, and ours is not installed. A helper is replaced by renaming, so a running agent finds one or
# the other at any moment, never none. No copy that is the only one is ever deleted; uninstalling continues after what
# it cannot do.
set -euo pipefail
# The agent and its administrators may be any user; folders that nobody else may read are given a mode of their own.
umask 022

# Where packages of MMM keep the agent's helpers: Debian and upstream; EPEL and Fedora.
FOLDERS=(/usr/lib/mysql-mmm/agent /usr/libexec/mysql-mmm/agent)
HELPERS=(
  check_ip clear_ip configure_ip mysql_allow_write mysql_deny_write mysql_may_write
  set_active_master sync_with_master turn_off_slave turn_on_slave
)
TOOLS=(mmm_difference mmm_guard mmm_journal mmm_preflight)

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# call ACTION FOLDER — how the administrator calls this program, who has either the source or a release's archive.
call() {
  if [[ -e $here/Makefile ]]; then echo "make $1 AGENT_DIR=$2"; else echo "./install.sh $1 '$root' $2"; fi
}

exists() { [[ -e $1 || -L $1 ]]; }

sum_of() { sha256sum <"$1" | cut -d' ' -f1; }

# Two names of one file; links are not followed.
same_file() { [[ $(stat -c %d:%i "$1") == "$(stat -c %d:%i "$2")" ]]; }

# Two files that cannot be told apart, links included.
is_same() {
  if same_file "$1" "$2"; then return 0; fi
  if [[ -L $1 || -L $2 ]]; then
    [[ -L $1 && -L $2 && $(readlink "$1") == "$(readlink "$2")" ]]
  else
    [[ -f $1 && -f $2 && $(stat -c %a:%u:%g "$1") == "$(stat -c %a:%u:%g "$2")" ]] && cmp -s "$1" "$2"
  fi
}

# is_ours NAME [FILE] — a helper of this project: the list names it, or it is being installed, or it is a program that
# reads our settings, whoever put it there, or a package's link. Originals are scripts.
is_ours() {
  local name=$1 file=${2:-$agent/$1}
  if [[ -L $file && $(readlink "$file") == "/usr/libexec/mmm-agent-helpers/agent/$name" ]]; then return 0; fi
  [[ -f $file && ! -L $file ]] || return 1
  if [[ -f $placed ]] && grep -qxF "$(sum_of "$file")  $name" "$placed"; then return 0; fi
  if [[ -n $built ]] && cmp -s "$file" "$built/$name"; then return 0; fi
  head -c 4 "$file" | cmp -s - <(printf '\177ELF') && grep -qaF mmm_helpers.yaml "$file"
}

# find_kept NAME — sets `kept`, the copies of NAME in the order in which they were found (NAME, NAME.1, NAME.2 …), and
# `original`, the one that uninstalling brings back: the last that is not ours.
find_kept() {
  local name=$1 copy numbers=()
  kept=() original=
  for copy in "$saved/$name".[1-9]*; do
    if exists "$copy" && [[ ${copy##*.} =~ ^[0-9]+$ ]]; then numbers+=("${copy##*.}"); fi
  done
  if exists "$saved/$name"; then kept+=("$saved/$name"); fi
  if ((${#numbers[@]} > 1)); then mapfile -t numbers < <(printf '%s\n' "${numbers[@]}" | sort -n); fi
  if ((${#numbers[@]})); then kept+=("${numbers[@]/#/$saved/$name.}"); fi
  for copy in ${kept[@]+"${kept[@]}"}; do
    if ! is_ours "$name" "$copy"; then original=$copy; fi
  done
}

# Where originals and the list of what was installed are: beside the folder that a link means, because the next call may
# use the other name.
kept_beside() {
  if [[ -L $1 && ! -d $1.orig ]]; then echo "$(realpath -m -- "$1").orig"; else echo "$1.orig"; fi
}

is_listed() { [[ -e $(kept_beside "$root$1")/.placed ]]; }

has_helpers() {
  local name
  for name in "${HELPERS[@]}"; do
    if exists "$root$1/$name"; then return 0; fi
  done
  return 1
}

# Sets `agent_dir` where nobody has said it. An installation that is there is continued or taken away; an empty folder
# is no agent's.
choose_folder() {
  for agent_dir in "${FOLDERS[@]}"; do
    if is_listed "$agent_dir" && { [[ $action == uninstall ]] || has_helpers "$agent_dir"; }; then return; fi
  done
  for agent_dir in "${FOLDERS[@]}"; do
    if has_helpers "$agent_dir"; then return; fi
  done
  agent_dir=${FOLDERS[0]}
  if [[ ! -d $root$agent_dir && -d $root/usr/libexec/mysql-mmm ]]; then agent_dir=${FOLDERS[1]}; fi
}

# listed_elsewhere — the other folder that has an installation of its own.
listed_elsewhere() {
  local folder
  for folder in "${FOLDERS[@]}"; do
    if is_listed "$folder" && [[ ! $(kept_beside "$root$folder") -ef $saved ]]; then
      echo "$folder"
      return 0
    fi
  done
  return 1
}

# An uninstallation that finds nothing must not answer that all is as it was.
refuse_wrong_folder() {
  local folder
  [[ ! -d $saved ]] || return 0
  if folder=$(listed_elsewhere); then
    fail "nothing of this project was installed in $agent_dir, but in $folder; run: $(call uninstall "$folder")"
  fi
  if [[ -z $is_folder_given && -e $examples/mmm_helpers.yaml ]]; then
    fail "this project is installed, but not in $agent_dir; name the folder and run: $(call uninstall FOLDER)"
  fi
}

# leads_out FOLDER… — with DESTDIR, an absolute link would lead into the running system. Names the first that does.
leads_out() {
  local real
  [[ -n $root ]] || return 1
  while read -r real; do
    if [[ $real/ != "$real_root"/* ]]; then
      echo "$1 leads to $real, which is not below DESTDIR"
      return 0
    fi
    shift
  done < <(realpath -m -- "$@")
  return 1
}

# Older versions of sync ignore names, and write everything.
to_disk() { sync "$@" 2>/dev/null || fail 'the disk does not take what has to be kept'; }

# refuse_to_mix — a package moves the same files, and neither would know what the other has done.
refuse_to_mix() {
  local cure='rpm -e mmm-agent-helpers'
  [[ -e $root/usr/libexec/mmm-agent-helpers/takeover ]] || return 0
  if [[ -e $root/var/lib/dpkg/info/mmm-agent-helpers.list ]]; then cure='apt-get remove mmm-agent-helpers'; fi
  fail "the package mmm-agent-helpers is installed here and serves the agent; nothing was done. Remove it first: $cure"
}

install_helpers() {
  local name found=() new=()
  for name in "${HELPERS[@]}" "${TOOLS[@]}"; do
    [[ -x $built/$name ]] || fail "$built/$name is missing; $build_it"
    # What a test may tell to do without a rule is for that test alone.
    ! grep -qaF MMM_MUTANT "$built/$name" || fail "$built/$name was built with the feature 'mutants'; $build_it"
  done
  [[ $tools_dir == /* ]] || fail "TOOLS_DIR must be an absolute path: '$tools_dir'"
  [[ -d $manual ]] || fail "$manual is missing; $build_it"
  if [[ ! -d $agent && $agent_dir == "${FOLDERS[0]}" && -d $root${FOLDERS[1]} ]]; then
    fail "this host's agent keeps its helpers in /usr/libexec; run: $(call install "${FOLDERS[1]}")"
  fi
  stays_inside
  mkdir -p "$agent" "$saved"
  [[ -s $placed ]] || is_list_lost=1
  touch "$placed"
  # The last line may be incomplete after a power failure.
  if [[ -n $(tail -c 1 "$placed") ]]; then echo >>"$placed"; fi
  for name in "${HELPERS[@]}"; do
    if exists "$agent/$name" && ! is_ours "$name"; then
      save "$name"
      found+=("$name")
    fi
    prepare "$name"
    new+=("$agent/.$name.new")
  done
  # Power may fail at any moment: what is kept and listed has to be on the disk before a helper is replaced.
  to_disk "$placed" "$saved" "${new[@]}"
  for name in "${HELPERS[@]}"; do mv -fT "$agent/.$name.new" "$agent/$name"; done
  if ((${#found[@]})); then
    echo "Originals kept in $saved: ${found[*]}"
  fi
  echo "Helpers installed in $agent; the agent's bin_path must be ${agent_dir%/agent}/"
}

# If any folder lies outside DESTDIR, nothing is done.
stays_inside() {
  local folders reason
  mapfile -t folders < <(files | cut -f 3 | sed "s|/[^/]*\$||" | sort -u)
  folders=("${folders[@]/#/$root}" "$agent" "$saved" "$examples" "${rotation%/*}" "$root/var/log")
  if reason=$(leads_out "${folders[@]}"); then fail "$reason"; fi
}

# Keeps the original as it is, links included, beside those that were kept earlier.
save() {
  local name=$1 copy=$saved/$1 last part=$saved/.$1.part doubtful=
  find_kept "$name"
  if ((${#kept[@]})); then
    for copy in ${kept[@]+"${kept[@]}"}; do
      if is_same "$agent/$name" "$copy"; then return; fi
    done
    last=${kept[-1]#"$saved/$name"}
    last=${last#.}
    copy=$saved/$name.$((${last:-0} + 1))
    if [[ -n $original && -n $is_list_lost && -f $agent/$name && ! -L $agent/$name ]]; then
      # Most likely an older helper of ours, but this is no longer certain.
      echo "$placed was lost: $agent/$name is kept as $copy, and the earlier original is the one that comes back"
      doubtful=1
    else
      echo "A newer original of $name is kept as $copy, and comes back in place of the earlier"
    fi
  fi
  # A second name for the same file keeps its mode, times and owner; cp does where that cannot be.
  if ! ln -P "$agent/$name" "$copy" 2>/dev/null; then
    cp -a "$agent/$name" "$part"
    if [[ ! -L $part ]]; then to_disk "$part"; fi
    mv -fT "$part" "$copy"
  fi
  # What the list names never comes back.
  if [[ -n $doubtful ]]; then printf '%s  %s\n' "$(sum_of "$copy")" "$name" >>"$placed"; fi
}

prepare() {
  install -m 0755 "$built/$1" "$agent/.$1.new"
  # Listed before it is in place: an install that breaks off here must not take it for an original.
  printf '%s  %s\n' "$(sum_of "$built/$1")" "$1" >>"$placed"
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

# Whether a file is still as the list says; its name there is the whole path, without DESTDIR.
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

# try COMMAND… — of an uninstallation, which continues whatever fails.
try() { "$@" || failed+=("$*"); }

# Removes a folder that is empty; never a link to one.
remove_empty() { [[ -L $1 ]] || rmdir --ignore-fail-on-non-empty "$1" 2>/dev/null || true; }

uninstall_files() {
  local target inside=
  [[ -f $placed ]] || return 0
  while read -r target; do
    if [[ ${target%/*} != "$inside" ]] && leads_out "$root${target%/*}"; then
      failed+=("rm $root$target")
      continue
    fi
    inside=${target%/*}
    try rm -f "$root$target.new"
    if is_our_file "$target"; then
      try rm -f "$root$target"
      remove_empty "$root${target%/*}"
    elif exists "$root$target"; then
      echo "$target was changed after the installation and stays"
    fi
  done < <(grep -o '  /.*' "$placed" | cut -c 3- | sort -u)
}

install_samples() {
  mkdir -p "$examples"
  install -m 0644 "$here/etc/mysql-mmm/mmm_helpers.yaml" "$examples/mmm_helpers.yaml"
  install -d "$examples/hooks"
  install -m 0755 "$here"/etc/hooks/{ec2-address,floating-ip,fence-ipmi,fence-hcloud,fence-ssh,event-webhook,event-mail,event-logger} "$examples/hooks/"
  install -m 0644 "$here"/etc/hooks/*.yaml "$examples/hooks/"
  install -m 0644 "$here/etc/systemd/mysql-mmm-agent.service.d/hardening.conf" "$examples/hardening.conf"
  install -m 0644 "$here/etc/systemd/mmm-guard.service" "$examples/mmm-guard.service"
  install -d "$examples/monitoring"
  install -m 0644 "$here"/etc/monitoring/* "$examples/monitoring/"
  install -d "$examples/docs"
  install -m 0644 "$here"/docs/*.md "$examples/docs/"
  install -d "$examples/docs/images"
  install -m 0644 "$here"/docs/images/* "$examples/docs/images/"
  install -m 0644 "$here/LICENSE-MIT" "$here/LICENSE-APACHE" "$examples/"
  [[ -d $root/var/log/mysql-mmm ]] || install -d -m 0750 "$root/var/log/mysql-mmm"
  install_rotation
  echo "Settings are optional; a sample is $examples/mmm_helpers.yaml"
  echo 'Would a failover work now? Run: mmm_preflight'
}

# logrotate_patterns FILE — the names for which its rules are, one a line: what is neither comment, script nor inside {}.
logrotate_patterns() {
  awk '
    /^[ \t]*#/ { next }
    is_script { is_script = $1 != "endscript"; next }
    $1 ~ /^(prerotate|postrotate|firstaction|lastaction|preremove)$/ { is_script = 1; next }
    {
      gsub(/["\047]/, " ")
      gsub(/[{}]/, " & ")
      for (i = 1; i <= NF; i++) {
        if ($i == "{" || $i == "}") is_inside = $i == "{"
        else if (!is_inside) print $i
      }
    }
  ' "$1"
}

# other_rotation — the file with another rule for the journal, without DESTDIR. Two rules for one file are an error in
# each run of logrotate.
other_rotation() {
  local file pattern journal=/var/log/mysql-mmm/mmm_helpers.log
  for file in "$root/etc/logrotate.conf" "${rotation%/*}"/*; do
    # Those that logrotate leaves out.
    case $file in
      "$rotation" | *~ | *,v | *.bak | *.cfsaved | *.disabled | *.swp | *.dpkg-* | *.rpm* | *.ucf-*) continue ;;
    esac
    [[ -f $file && -r $file ]] || continue
    while read -r pattern; do
      # With as many slashes as the name has, no wildcard can mean one.
      # shellcheck disable=SC2053
      if [[ ${pattern//[^\/]/} == "${journal//[^\/]/}" && $journal == $pattern ]]; then
        echo "${file#"$root"}"
        return 0
      fi
    done < <(logrotate_patterns "$file")
  done
  return 1
}

install_rotation() {
  local ours=$here/etc/logrotate.d/mysql-mmm-helpers other
  mkdir -p "${rotation%/*}"
  if other=$(other_rotation); then
    if ! exists "$rotation" || cmp -s "$ours" "$rotation"; then
      rm -f "$rotation"
      echo "$other has a rule for the journal; ours is left out: logrotate allows one"
    fi
  elif ! exists "$rotation"; then
    # The administrator's own version stays.
    install -m 0644 "$ours" "$rotation"
  fi
}

# bring_back NAME — what a package has kept beside it. That stays: dpkg may still divert to it.
bring_back() {
  rm -f "$agent/.$1.new" &&
    { ln -P "$agent/$1.distrib" "$agent/.$1.new" 2>/dev/null || cp -a "$agent/$1.distrib" "$agent/.$1.new"; } &&
    mv -fT "$agent/.$1.new" "$agent/$1"
}

uninstall_helpers() {
  local name copy back=() gone=() more=() left=()
  if leads_out "$agent"; then
    failed+=("bring back what $agent held")
    return
  fi
  # A package that was removed meanwhile took its folder along.
  if [[ -d $saved ]]; then try mkdir -p "$agent"; fi
  for name in "${HELPERS[@]}"; do
    try rm -f "$agent/.$name.new" "$saved/.$name.part"
    find_kept "$name"
    if exists "$agent/$name" && ! is_ours "$name"; then
      if [[ -n $original ]] && ! is_same "$agent/$name" "$original"; then
        echo "$agent/$name was replaced after the installation and stays; the original is still in $saved"
      elif [[ -n $original ]]; then
        # Nothing of ours, or an installation that broke off before it replaced this one.
        try rm -f "$original"
      fi
    elif [[ -n $original ]]; then
      if mv -fT "$original" "$agent/$name"; then back+=("$name"); else failed+=("mv $original $agent/$name"); fi
    elif exists "$agent/$name" && exists "$agent/$name.distrib"; then
      # The package, which kept it, went without bringing it back.
      if bring_back "$name"; then back+=("$name"); else failed+=("cp $agent/$name.distrib $agent/$name"); fi
      left+=("$name.distrib")
    elif exists "$agent/$name"; then
      if rm -f "$agent/$name"; then gone+=("$name"); else failed+=("rm $agent/$name"); fi
    fi
    for copy in ${kept[@]+"${kept[@]}"}; do
      if exists "$copy"; then more+=("${copy##*/}"); fi
    done
  done
  if ((${#back[@]})); then echo "Originals are back in $agent: ${back[*]}"; fi
  if ((${#gone[@]})); then echo "Removed from $agent, where no original was: ${gone[*]}"; fi
  if ((${#back[@]} + ${#gone[@]} == 0)); then echo "Nothing to bring back in $agent"; fi
  if ((${#left[@]})); then echo "The package mmm-agent-helpers had kept them; its copies stay in $agent: ${left[*]}"; fi
  if ((${#more[@]})); then echo "Copies that were not brought back stay in $saved: ${more[*]}"; fi
}

uninstall_samples() {
  local sample
  if leads_out "$examples" "${rotation%/*}"; then
    failed+=("rm what is in $examples, and $rotation")
    return
  fi
  try rm -f "$examples"/{mmm_helpers.yaml,hardening.conf,mmm-guard.service,LICENSE-MIT,LICENSE-APACHE}
  for sample in "$here"/etc/hooks/*; do try rm -f "$examples/hooks/${sample##*/}"; done
  for sample in "$here"/etc/monitoring/*; do try rm -f "$examples/monitoring/${sample##*/}"; done
  for sample in "$here"/docs/*.md; do try rm -f "$examples/docs/${sample##*/}"; done
  for sample in "$here"/docs/images/*; do try rm -f "$examples/docs/images/${sample##*/}"; done
  rmdir "$examples/hooks" "$examples/monitoring" "$examples/docs/images" "$examples/docs" "$examples" 2>/dev/null || true
  if cmp -s "$here/etc/logrotate.d/mysql-mmm-helpers" "$rotation"; then try rm -f "$rotation"; fi
}

# The list is removed last, so that another uninstallation can finish what this one could not.
uninstall_list() {
  local folder
  if ((${#failed[@]})); then
    printf '  %s\n' "${failed[@]}" >&2
    fail "${#failed[@]} of the above could not be done, everything else was; fix that, then run again: $(call uninstall "$agent_dir")"
  fi
  if [[ -d $saved ]] && [[ -z $(find "$saved" -mindepth 1 ! -name .placed -print -quit) ]]; then
    rm -f "$placed"
    rmdir "$saved"
  fi
  # Only where the installation made it, and the journal stays.
  remove_empty "$agent"
  if folder=$(listed_elsewhere); then
    echo "$folder has helpers of ours, too; run: $(call uninstall "$folder")"
  fi
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(($# >= 1)) || fail "usage: install.sh install|uninstall [DESTDIR [AGENT_DIR [TOOLS_DIR [BUILT [MANUAL]]]]]"
action=$1 root=${2:-} agent_dir=${3:-} tools_dir=${4:-/usr/sbin} built=${5:-} manual=${6:-}
root=${root%/}
if [[ -z $built && -d $here/bin ]]; then built=$here/bin; fi
if [[ -z $manual && -d $here/manual ]]; then manual=$here/manual; fi
build_it='unpack the archive again'
if [[ -e $here/Makefile ]]; then build_it="run 'make build' first, then 'make install'"; fi
is_folder_given=$agent_dir
if [[ -z $agent_dir ]]; then choose_folder; fi
agent_dir=${agent_dir%/}
[[ $agent_dir == /* ]] || fail "AGENT_DIR must be an absolute path: '$agent_dir'"
agent=$root$agent_dir
saved=$(kept_beside "$agent")
placed=$saved/.placed
examples=$root/usr/share/doc/mmm-agent-helpers
rotation=$root/etc/logrotate.d/mysql-mmm-helpers
is_list_lost='' failed=()
real_root=$(realpath -m -- "${root:-/}")

refuse_to_mix
case $action in
  install) install_helpers; install_files; install_samples ;;
  uninstall) refuse_wrong_folder; uninstall_helpers; uninstall_files; uninstall_samples; uninstall_list ;;
  *) fail "unknown action '$action'" ;;
esac
