# shellcheck shell=bash disable=SC2034
# Servers of other distributions, each unpacked into a folder by tests/fetch-server. Their programs are run by
# that folder's own loader with its own libraries: nothing is installed, mounted or entered for them.

SERVERS_DIR=${SERVERS_DIR:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mmm-agent-helpers/servers}

# unpacked FLAVOUR — sets TREE, the folder, and RUN, the words that run a program of it.
unpacked() {
  local loader folder
  TREE=$SERVERS_DIR/$1
  RUN=()
  for loader in "$TREE"/lib/*/ld-linux-*.so.* "$TREE"/usr/lib/*/ld-linux-*.so.*; do
    [[ -x $loader ]] || continue
    folder=$(basename "$(dirname "$loader")")
    RUN=("$loader" --inhibit-cache --library-path "$TREE/lib/$folder:$TREE/usr/lib/$folder")
    return
  done
}

# unpacked_mariadb FLAVOUR FOLDER — as unpacked, and how its programs are run; FOLDER of TREE holds its texts.
unpacked_mariadb() {
  unpacked "$1"
  SHARE=$TREE/$2
  SERVER=("${RUN[@]}" "$TREE/usr/sbin/mariadbd")
  CLIENT=("${RUN[@]}" "$TREE/usr/bin/mariadb" --no-defaults --character-sets-dir="$SHARE/charsets")
  LOG_READER=("${RUN[@]}" "$TREE/usr/bin/mariadb-binlog" --no-defaults --character-sets-dir="$SHARE/charsets")
  OWN_SETTINGS="basedir = $TREE/usr
lc_messages_dir = $SHARE
character_sets_dir = $SHARE/charsets
plugin_dir = $TREE/usr/lib/mysql/plugin"
}

# bootstrap_mariadb DATA TMP — what mariadb-install-db does, which needs everything in its own folder.
bootstrap_mariadb() {
  local sql=$SHARE name=mysql
  [[ -e $sql/mariadb_system_tables.sql ]] && name=mariadb
  mkdir -p "$1/mysql" || return 1
  {
    # One statement a line: that is how --bootstrap reads.
    printf '%s\n' 'use mysql;' 'SET @auth_root_socket=NULL;' 'SET @skip_auth_anonymous=1;'
    cat "$sql/${name}_system_tables.sql" "$sql/${name}_performance_tables.sql" "$sql/${name}_system_tables_data.sql"
  } | "${SERVER[@]}" --no-defaults --bootstrap --user=root --basedir="$TREE/usr" --lc-messages-dir="$sql" \
    --plugin-dir="$TREE/usr/lib/mysql/plugin" --datadir="$1" --tmpdir="$2" --skip-log-bin \
    --innodb-data-file-path=ibdata1:4M:autoextend --innodb-log-file-size=4M "${@:3}"
}
