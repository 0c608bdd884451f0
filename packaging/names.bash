# shellcheck shell=bash disable=SC2034
# What is released, for the programs of this folder.

HELPERS=(
  check_ip clear_ip configure_ip mysql_allow_write mysql_deny_write mysql_may_write
  set_active_master sync_with_master turn_off_slave turn_on_slave
)
TOOLS=(mmm_difference mmm_guard mmm_journal mmm_preflight)
# Who answers for the packages.
MAINTAINER='mmm-agent-helpers maintainers <maintainers@mmm-agent-helpers.invalid>'

# The one place where the version stands is Cargo.toml.
version_of() { sed -nE '/^\[workspace\.package\]/,/^\[/s/^version = "([0-9.]+)"$/\1/p' "$1/Cargo.toml"; }
