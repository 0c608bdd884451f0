# shellcheck shell=bash
# Whole systems of Debian, made once by mmdebstrap and kept.

ROOTS=$HOME/.cache/mmm-agent-helpers/roots

# system SUITE FOLDER — FOLDER becomes the root of such a system.
system() {
  if [[ ! -e $ROOTS/$1.tar ]]; then
    mkdir -p "$ROOTS"
    mmdebstrap --quiet --variant=essential "$1" "$ROOTS/$1.making.tar" http://deb.debian.org/debian
    mv "$ROOTS/$1.making.tar" "$ROOTS/$1.tar"
  fi
  mkdir -p "$2"
  tar --extract --file "$ROOTS/$1.tar" --directory "$2" --exclude './dev/*'
  cp -a /dev/null "$2/dev/"
}
