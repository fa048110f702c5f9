# `make` alone lists what there is.

CONFIG ?= config/dropkeep.toml
DROPKEEP = cargo run --quiet --bin dropkeep -- --config $(CONFIG)
CASES ?= 110000
HISTORIES ?= 10000
KILLS ?= 200
PEERS ?= target/peers
SOAK ?= 1h
FUZZ_SECONDS ?= 60
BIN ?= target/release/dropkeep
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
FUZZ_TARGETS = $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
need_profile = $(if $(PROFILE),,$(error Which one? PROFILE=name))

.DEFAULT_GOAL := help
.PHONY: help demo test test-peers test-recipes lint run check protocol serve monitoring monitoring-check dashboards \
	dashboards-check bench fuzz crash soak deny build install uninstall man check-unit deb clean


help: ## This list
	@echo "dropkeep archives multidrop mailboxes."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-16s %s\n' "$$name" "$$what"; done
	@echo
	@echo "Variables: CONFIG=$(CONFIG), PROFILE=a profile in it, RUN=a run's number,"
	@echo "           PREFIX=$(PREFIX), DESTDIR=a folder in place of /"

demo: ## Archive a made-up mailbox from a mail server of its own, and the mail that comes (ONCE=1: and end before that)
	@tests/install-tools.sh
	@cargo build --quiet --bin dropkeep --example demo
	@ONCE=$(ONCE) LISTEN=$(LISTEN) cargo run --quiet --example demo

test: ## All tests, a real Dovecot and Prometheus included (CORPUS=folder: real mail too)
	@tests/install-tools.sh monitoring popa3d
	cargo test

test-peers: ## The journey against real Cyrus IMAP and Courier, each in a small Debian of its own (root; PEERS=where)
	@tests/install-tools.sh
	@tests/peers/install.sh $(PEERS) || { code=$$?; [ $$code = 77 ] && exit 0; exit $$code; }; \
	PEERS=$(abspath $(PEERS)) cargo test --test peers -- --ignored

test-recipes: ## The recipes of docs/servers.md with real Postfix, Exim, Sendmail and OpenSMTPD (root, Debian)
	@cargo build --quiet
	@tests/recipes/run.sh || { code=$$?; [ $$code = 77 ] && exit 0; exit $$code; }

lint: ## Formatting and clippy, warnings refused; turns of phrase that we do not use
	cargo fmt --all --check
	cargo clippy --all-targets --quiet -- -D warnings
	tests/english.sh

run: ## Archive PROFILE now
	$(need_profile)@$(DROPKEEP) archive $(PROFILE)

check: ## Try the connection of PROFILE; nothing is stored
	$(need_profile)@$(DROPKEEP) test $(PROFILE)

protocol: ## The runs so far, newest first; RUN=number shows one in full
	@$(DROPKEEP) protocols $(RUN)

serve: ## Run the appliance: schedules, metrics, health
	@$(DROPKEEP) serve

monitoring: ## Prometheus with the alerts, in front of a running appliance (TARGET=its address, LISTEN=Prometheus's own, MONITORING_DATA=folder)
	@tests/install-tools.sh monitoring
	@TARGET=$(TARGET) LISTEN=$(LISTEN) MONITORING_DATA=$(MONITORING_DATA) dashboards/monitoring.sh

monitoring-check: ## The demo and `make monitoring` together: how soon every panel of the dashboards shows something
	@tests/install-tools.sh monitoring
	@cargo build --quiet --bin dropkeep --example demo
	@cargo test --quiet --test monitoring -- --ignored --nocapture

dashboards: ## Make dashboards/grafana/*.json anew
	@cargo run --quiet --example dashboards

dashboards-check: ## Check them against the types that Grafana publishes (npm, into target/; DASHBOARDS_CHECK=required or skip)
	@tests/install-tools.sh monitoring
	@dashboards/check/run.sh || { code=$$?; [ $$code = 77 ] && exit 0; exit $$code; }

bench: ## Time, memory and disk beside other ways (BENCH=speed, memory, store, million, identify, link, metrics or hostile: one part)
	@tests/install-tools.sh bench
	$(if $(filter store million identify link metrics hostile,$(BENCH)),,cargo bench --bench journey)
	$(if $(filter speed memory identify link metrics hostile,$(BENCH)),,cargo bench --bench store)
	$(if $(filter speed memory store million link metrics hostile,$(BENCH)),,cargo bench --bench identify)
	$(if $(filter speed memory store million identify metrics hostile,$(BENCH)),,cargo bench --bench link)
	$(if $(filter speed memory store million identify link hostile,$(BENCH)),,cargo bench --bench metrics)
	$(if $(filter hostile,$(BENCH)),cargo bench --bench hostile)

fuzz: ## Property tests at length (CASES=number, HISTORIES=number for each protocol), and each fuzz target for FUZZ_SECONDS; FUZZ=target: one alone
ifndef FUZZ
	ROUND_TRIPS=$(CASES) PROPTEST_CASES=$(CASES) cargo test --lib -- --nocapture round_trip base64_lines
	PROPTEST_CASES=$(CASES) cargo test --test any_mail
	HISTORIES=$(HISTORIES) cargo test --test names history
endif
	@command -v cargo-fuzz >/dev/null || { echo "Installing cargo-fuzz, which takes minutes."; cargo install --locked cargo-fuzz; }
	@for target in $(or $(FUZZ),$(FUZZ_TARGETS)); do fuzz/run.sh $$target $(FUZZ_SECONDS) || exit 1; done

crash: ## Every step broken off and resumed, and runs killed at random two hundred times (KILLS=number)
	@tests/install-tools.sh
	KILLS=$(KILLS) cargo test --test crash -- --nocapture

soak: ## Everything at once for an hour: five profiles, and whatever can happen to servers, mail and the appliance (SOAK=duration)
	@tests/install-tools.sh
	SOAK=$(SOAK) cargo test --test soak -- --ignored --nocapture

deny: ## Licences, banned crates and sources of all dependencies
	@command -v cargo-deny >/dev/null || { echo "Installing cargo-deny, which takes minutes."; cargo install --locked cargo-deny; }
	cargo deny check licenses bans sources

build: ## The program as it is shipped: target/release/dropkeep
	cargo build --release --locked --bin dropkeep

install: ## Program, systemd unit, configuration, man pages, completions, dashboards; as root the account too (PREFIX, DESTDIR)
	@[ $(BIN) != target/release/dropkeep ] || ! command -v cargo >/dev/null || $(MAKE) --no-print-directory build
	@BIN=$(BIN) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SYSCONFDIR=$(SYSCONFDIR) packaging/install.sh install

uninstall: ## Remove what was installed; the configuration and the archive stay
	@PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SYSCONFDIR=$(SYSCONFDIR) packaging/install.sh uninstall

man: ## The man pages, into target/man
	@mkdir -p target/man
	@cargo run --quiet --bin dropkeep -- manual target/man

check-unit: ## What systemd says of the unit, where it is there (BIN=program)
	@BIN=$(BIN) packaging/check-unit.sh

deb: ## A Debian package, into target/debian
	@command -v cargo-deb >/dev/null || { echo "Installing cargo-deb, which takes minutes."; cargo install --locked cargo-deb; }
	@$(MAKE) --no-print-directory build
	packaging/debian/stage.sh
	cargo deb --no-build --locked --strip $(if $(DEB_MAINTAINER),--maintainer "$(DEB_MAINTAINER)")

clean: ## Remove what was built
	cargo clean
