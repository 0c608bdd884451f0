# shellcheck shell=bash disable=SC2154
# How each program of this folder begins that makes a part of a release: its bytes depend on this tree and on the
# programs that BUILT-WITH names, not on the builder's shell. The caller sets `here`, this tree, and has `refuse`.

# start_anew WORDS… — the program starts again, with its own words, and of the environment with nothing but where things
# lie, how registries are reached, and what the programs here document. The values are on no command line.
start_anew() {
  local pair name dropped=()
  # From the environment itself: a shell's list has no names like CFLAGS_x86_64-unknown-linux-musl, and its variables
  # hide others of the same name.
  while IFS= read -r -d '' pair; do
    name=${pair%%=*}
    case $name in
      # The shell's own.
      PWD | OLDPWD | SHLVL | _) ;;
      PATH | HOME | TMPDIR | TERM) ;;
      ARCHES | OUT | COMPILERS | SOURCE_DATE_EPOCH | RUST | PROGRAMS | CARGO_TARGET_DIR | CARGO_BUILD_JOBS) ;;
      CARGO_HOME | RUSTUP_HOME | RUSTUP_TOOLCHAIN | RUSTUP_AUTO_INSTALL | PYENV_ROOT | PYENV_VERSION) ;;
      http_proxy | https_proxy | all_proxy | no_proxy | HTTP_PROXY | HTTPS_PROXY | ALL_PROXY | NO_PROXY) ;;
      SSL_CERT_FILE | SSL_CERT_DIR | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE) ;;
      # By these, git takes the repository of whoever has called sudo, and of a CI.
      SUDO_UID | GIT_CONFIG_COUNT | GIT_CONFIG_KEY_* | GIT_CONFIG_VALUE_*) ;;
      CARGO_HTTP_* | CARGO_NET_* | CARGO_REGISTRY_* | CARGO_REGISTRIES_* | CARGO_SOURCE_*) ;;
      PIP_INDEX_URL | PIP_EXTRA_INDEX_URL | PIP_FIND_LINKS | PIP_NO_INDEX | PIP_TRUSTED_HOST | PIP_CERT) ;;
      PIP_CLIENT_CERT | PIP_PROXY | PIP_CONFIG_FILE | PIP_DEFAULT_TIMEOUT | PIP_TIMEOUT | PIP_RETRIES | PIP_CACHE_DIR) ;;
      *) dropped+=("--unset=$name") ;;
    esac
  done < <(env -0)
  if ((${#dropped[@]})); then exec env "${dropped[@]}" "$BASH" "$0" "$@"; fi
  umask 022
  export LC_ALL=C TZ=UTC
}

# check_out FOLDER — it is removed with all that is in it, so it has to be what an earlier call has made.
check_out() {
  local folder=$1 home
  home=$(realpath -m "$HOME")
  if [[ $here/ == "${folder%/}"/* || $home/ == "${folder%/}"/* ]]; then
    refuse "$folder would be removed, with all that is in it: name another folder for what is built"
  fi
  [[ ! -e $folder || -f $folder/BUILT-WITH || (-d $folder && -z $(ls -A "$folder")) ]] ||
    refuse "$folder is not empty, and has no BUILT-WITH, so 'make dist' has not made it: name another folder"
}

# check_cargo_config — a setting of the builder's cargo that would change the programs. Where registries are is nobody's
# matter.
check_cargo_config() {
  local folder=$here file key
  local files=("${CARGO_HOME:-$HOME/.cargo}"/{config,config.toml})
  while :; do
    files+=("${folder%/}/.cargo/config" "${folder%/}/.cargo/config.toml")
    [[ $folder != / ]] || break
    folder=$(dirname "$folder")
  done
  for file in "${files[@]}"; do
    [[ -f $file ]] || continue
    key=$(awk '
      function plain(text) { gsub(/[ \t"\047]/, "", text); return text }
      function changes(key) {
        return key ~ /^(profile|target|host|env|unstable|patch|paths|include|alias[.]auditable)([.]|$)/ ||
          key ~ /^build[.](rustflags|rustdocflags|target|rustc|rustc-wrapper|rustc-workspace-wrapper)$/
      }
      /^[ \t]*#/ { next }
      /^[ \t]*\[/ {
        section = $0; sub(/^[ \t]*\[+/, "", section); sub(/\].*/, "", section); section = plain(section)
        if (changes(section)) { print "[" section "]"; exit }
        next
      }
      /=/ {
        key = $0; sub(/=.*/, "", key); key = (section == "" ? "" : section ".") plain(key)
        # A table in one line.
        if (changes(key) || key == "build") { print key; exit }
      }' "$file")
    [[ -z $key ]] || refuse "$file has $key, which would change the programs: move it away, or set CARGO_HOME to a" \
      "  folder without it; what says where registries are may stay"
  done
}
