# Everything that is done with this project. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

DESTDIR ?=
# Empty: /usr/lib/mysql-mmm/agent (Debian, upstream) or /usr/libexec/mysql-mmm/agent (EPEL, Fedora), as the host has it.
AGENT_DIR ?=
# The tools for people.
TOOLS_DIR ?= /usr/sbin
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
# Where the built helpers are, for tests and installation.
BUILT ?= $(CARGO_TARGET_DIR)/release
# Where the manual pages and the completions are.
MANUAL ?= $(CARGO_TARGET_DIR)/manual

.PHONY: help build deps test demo matrix chaos fuzz mutants soak bench install uninstall lint clean
.PHONY: dist dist-check test-packages release-check

help:
	@printf '%s\n' \
	  'make build      release build of the helpers and tools, with their manual pages' \
	  'make test       every test; TESTS="tests/helpers/check_ip.bats …" runs those bats files alone' \
	  'make demo       as root: a role move and a failover on three real hosts' \
	  'make matrix     as root: the tests on every server, in one table; SERVERS="mysql-9 …" runs those alone' \
	  'make chaos      as root: random failovers, and an oracle that knows what may be lost; SERVER="mysql-9,…" MODE=gtid' \
  '                SEED=N ROUNDS=N MINUTES=N WITHOUT=f0,s1 SHRINK=1 PLAN=FILE (docs/RELIABILITY.md)' \
  'make fuzz       what the helpers read, changed at random; SECONDS=60 each, TARGET=events (docs/RELIABILITY.md)' \
	  'make soak       as root: the same for HOURS=N on four servers in turn, and a table of all that RESULTS=FILE holds' \
	  'make mutants    as root: helpers without one of their rules, and how many rounds of chaos find that; MUTANT=tail,…' \
	  '                ROUNDS=N (docs/RELIABILITY.md)' \
  'make bench      as root: what one call of a helper costs, dynamic, static (STATIC=FOLDER) and of PEER=FOLDER, such as' \
  '                the originals; KIND=pause: how long clients go without a writer;' \
	  '                KIND=move, deny, late or difference: moving an address, closing, a late slave, mmm_difference' \
	  'make lint       rustfmt, clippy, rustdoc, shellcheck, what documents cite, the order of imports, and cargo-deny' \
	  '                where there is one' \
	  'make install    put the helpers into AGENT_DIR (default: where the host'\''s agent has them), originals are kept beside' \
	  'make uninstall  bring the originals back' \
	  'make deps       install the Debian packages that tests, demo and bench need' \
  'make dist       static programs for every Linux, as tar.xz, deb and rpm, in dist/; ARCHES="x86_64 aarch64"' \
  'make dist-check the last commit built twice, in two folders: the same to the bit?' \
  'make test-packages  as root: the packages of dist/ in Debian 11, 12 and 13, killed at every step' \
  'make release-check  what is missing for a release (RELEASING.md)'

build:
	cargo build --release --locked
	"$(CARGO_TARGET_DIR)/release/mmm_manual" docs/man "$(MANUAL)"

deps:
	@tests/deps

test: deps build
	@MMM_AGENT_DIR="$${MMM_AGENT_DIR:-$(BUILT)}" tests/run $(TESTS)

demo: deps build
	@BUILT="$(BUILT)" tests/demo

matrix: deps build
	@MMM_AGENT_DIR="$${MMM_AGENT_DIR:-$(BUILT)}" tests/matrix $(if $(RESUME),--resume) $(SERVERS)

chaos: deps build
	"$(CARGO_TARGET_DIR)/release/mmm_chaos" run --helpers "$${MMM_AGENT_DIR:-$(BUILT)}" $(if $(SERVER),--server $(SERVER)) \
	  $(if $(MODE),--mode $(MODE)) $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(MINUTES),--minutes $(MINUTES)) $(if $(WITHOUT),--without $(WITHOUT)) $(if $(SHRINK),--shrink) $(if $(PLAN),--plan $(PLAN))

fuzz:
	@tests/fuzz/run $(or $(SECONDS),60) $(TARGET)

SOAK_SERVERS = mariadb-10.11,mariadb-11.8,mysql-5.6,mysql-9
soak: deps build
	"$(CARGO_TARGET_DIR)/release/mmm_chaos" run --helpers "$${MMM_AGENT_DIR:-$(BUILT)}" --hours $(or $(HOURS),1) \
	  --server $(or $(SERVER),$(SOAK_SERVERS)) $(if $(MODE),--mode $(MODE)) \
	  --results $(or $(RESULTS),$(CARGO_TARGET_DIR)/soak.jsonl)

# These helpers lie apart, so that nobody installs them.
mutants: deps build
	cargo build --release --locked --target-dir "$(CARGO_TARGET_DIR)/mutants" --package mmm-agent-helpers --features mutants
	"$(CARGO_TARGET_DIR)/release/mmm_chaos" mutants --helpers "$(CARGO_TARGET_DIR)/mutants/release" \
	  $(if $(MUTANT),--mutant $(MUTANT)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED))

bench: deps build
	@MMM_AGENT_DIR="$${MMM_AGENT_DIR:-$(BUILT)}" $(if $(PEER),PEER="$(PEER)") $(if $(STATIC),STATIC="$(STATIC)") \
	  tests/bench$(if $(KIND),_$(KIND))

# Without a build of its own, so that root needs no toolchain.
install:
	@./install.sh install "$(DESTDIR)" "$(AGENT_DIR)" "$(TOOLS_DIR)" "$(BUILT)" "$(MANUAL)"

uninstall:
	@./install.sh uninstall "$(DESTDIR)" "$(AGENT_DIR)"

lint: deps
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	tests/lint-shell
	tests/lint-docs
	tests/lint-imports
	@if cargo deny --version >/dev/null 2>&1; then \
	  cargo deny --locked check bans licenses sources; \
	else \
	  echo 'cargo-deny is not installed; deny.toml was not checked'; \
	fi

dist:
	@packaging/dist

dist-check:
	@packaging/dist-check

test-packages:
	@tests/deps rpm lintian rpmlint mmdebstrap qemu-user-static
	@packaging/tests/run

release-check:
	@packaging/release-check

clean:
	cargo clean
