# shellcheck shell=bash
# Certificates, and servers that have them.
#   load ../lib/cluster
#   load ../lib/certificates

# In BATS_FILE_TMPDIR: NAME.pem is a certificate, NAME-key.pem its key.
tls_file() { printf '%s/%s.pem\n' "$BATS_FILE_TMPDIR" "$1"; }

# new_key NAME OPTIONS… — a key, and what `openssl req` makes of it.
new_key() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch -subj "/CN=$1" \
    -keyout "$(tls_file "$1-key")" "${@:2}" 2>/dev/null
}

# authority NAME
authority() {
  new_key "$1" -x509 -days 2 -addext basicConstraints=critical,CA:TRUE -out "$(tls_file "$1")"
}

# certificate NAME AUTHORITY ALTERNATIVE-NAME [LAST-DAY] — signed by it; the day as YYYYMMDD.
certificate() {
  local folder=$BATS_FILE_TMPDIR
  new_key "$1" -out "$folder/$1.csr"
  : >"$folder/index"
  cat >"$folder/signing" <<END
[ca]
default_ca = signing
[signing]
new_certs_dir = $folder
database = $folder/index
rand_serial = yes
default_md = sha256
default_days = 2
policy = subject
[subject]
commonName = supplied
END
  openssl ca -batch -notext -config "$folder/signing" -cert "$(tls_file "$2")" -keyfile "$(tls_file "$2-key")" \
    -in "$folder/$1.csr" -out "$(tls_file "$1")" -startdate 20200101000000Z ${4:+-enddate "${4}000000Z"} \
    -extfile <(printf 'basicConstraints = CA:FALSE\nsubjectAltName = %s\n' "$3") 2>/dev/null
}

# serve HOST CERTIFICATE AUTHORITY [LINE…] — HOST's server starts again with that certificate, believing clients
# that the authority has signed; more lines for its configuration.
serve() {
  local host=$1
  sed -i '/^ssl_\|^tls_/d' "$(host_dir "$host")/my.cnf"
  {
    printf 'ssl_cert = %s\nssl_key = %s\nssl_ca = %s\n' "$(tls_file "$2")" "$(tls_file "$2-key")" "$(tls_file "$3")"
    printf '%s\n' "${@:4}"
  } >>"$(host_dir "$host")/my.cnf"
  stop_server "$host"
  start_server "$host"
  reconnects_to "$host"
}

# agent_account HOST CLAUSE [CLIENT] — how the agent's account logs in on HOST, there alone.
agent_account() {
  sql "$1" 'SET sql_log_bin = 0' "ALTER USER '$AGENT_USER'@'${3:-$NETWORK.%}' $2"
}

# ask HOST SETTINGS — mysql_may_write with them, which does no more than log in and read one variable.
ask() {
  settings "$1" "$2"
  run_helper "$1" mysql_may_write
}

# gets_in HOST SETTINGS — and the connection is made.
gets_in() {
  ask "$@"
  answers "$((1 - $(sql "$1" 'SELECT @@read_only')))" 'OK: *'
}

# is_refused HOST SETTINGS PATTERN — with one line that says which server and why.
is_refused() {
  ask "$1" "$2"
  answers 255 "ERROR: Can't connect to MySQL (host = $(host_ip "$1"):3306, user = $AGENT_USER)! $3" && in_time && keeps_secrets
}
