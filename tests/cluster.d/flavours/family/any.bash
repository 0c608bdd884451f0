# shellcheck shell=bash disable=SC2034
# The defaults of a flavour. Tests use MariaDB's words; a flavour of another server translates them.

# Says for `only_on`, and in helpers' errors.
FAMILY=MariaDB
# More options of CHANGE MASTER for a new channel, each with a comma behind it.
SOURCE_OPTIONS=
# More lines for the server's configuration file.
OWN_SETTINGS=
# How the server is started for its first time, when accounts are made.
TEMPLATE_OPTIONS=()
# What this server cannot do, of: `channels`, several sources at once; `semi_sync`; `filters` that are changed while
# it runs; `bare`, GTIDs without log_slave_updates or without a log; `narrow`, privileges finer than SUPER;
# `super_read_only`; `lasting_xa`, prepared transactions that outlive their session; `early_stop`, stopping replication
# before what is being applied is applied; `pass_over`, IGNORE_SERVER_IDS; `kept_sets`, knowing what it has executed
# from more than its log.
LACKS=
# Where helpers name more than the one privilege that is missing, since the server does not say which.
declare -gA NAMED=()
# The status of a host's own channel, whatever others it has.
OWN_STATUS='SHOW SLAVE STATUS'
# Whether replicas that keep file and position have GTIDs all the same.
FILE_HAS_GTIDS=1

flavour_version() { "${SERVER[@]}" --version; }

# Changes `words`, statements in MariaDB's words, to this server's.
flavour_words() { :; }

# flavour_fields — replication's status, read in vertical form, with its columns as MariaDB calls them.
flavour_fields() { cat; }

# flavour_password ACCOUNT PASSWORD — the statement that changes it; a quote in PASSWORD is doubled already.
flavour_password() { printf "ALTER USER %s IDENTIFIED BY '%s'\n" "$1" "$2"; }
