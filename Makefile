# `make` alone lists the targets.

CONFIG ?= config/dropkeep.toml
# Built with cargo's progress in view, since that takes minutes the first time; only then run.
BUILD = echo "Building dropkeep: minutes the first time, seconds after that." >&2; cargo build --bin dropkeep
DROPKEEP = $(BUILD) && cargo run --quiet --bin dropkeep -- --config $(CONFIG)
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

.DEFAULT_GOAL := help
.PHONY: help demo test test-peers test-search-peers test-console pictures test-api test-recipes lint run check protocol serve monitoring monitoring-check dashboards \
	dashboards-check bench fuzz crash soak deny build install uninstall man check-unit deb clean


help: ## Show this list
	@echo "dropkeep archives multidrop mailboxes."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-16s %s\n' "$$name" "$$what"; done
	@echo
	@echo "Variables: CONFIG=$(CONFIG), PROFILE=name of a profile in it (not needed if it has only one),"
	@echo "           RUN=number of a run, PREFIX=$(PREFIX), DESTDIR=a folder in place of /"

demo: ## Start a mail server with a made-up mailbox, and archive it and the mail that arrives (ONCE=1: end after the first run)
	@tests/install-tools.sh
	@$(BUILD) --example demo
	@ONCE=$(ONCE) LISTEN=$(LISTEN) cargo run --quiet --example demo

test: ## Run all tests, with a real Dovecot and Prometheus (CORPUS=folder: with real mail too; JOBS=test programs at a time; TMPDIR=folder for their files)
	@tests/install-tools.sh monitoring popa3d console
	@tests/console/install-axe.sh
	@tests/run.sh

test-peers: ## Test against real Cyrus IMAP and Courier, each in a small Debian of its own (needs root; PEERS=folder for them)
	@tests/install-tools.sh
	@tests/peers/install.sh $(PEERS) || { code=$$?; [ $$code = 77 ] && exit 0; exit $$code; }; \
	PEERS=$(abspath $(PEERS)) cargo test --test peers -- --ignored

test-search-peers: ## Ask mu and notmuch what dropkeep is asked, on the same mail, and explain each difference (CORPUS=folder: with real mail)
	@tests/install-tools.sh search
	cargo test --test search peers:: -- --ignored --nocapture

test-console: ## Test the console with all of the hostile mail and each page in each size and theme; pictures are in target/console-pictures
	@tests/install-tools.sh console
	@tests/console/install-axe.sh
	CONSOLE=whole cargo test --test console

pictures: ## Make the pictures of README anew, in docs/images, from made-up mail
	@tests/install-tools.sh console
	PICTURES=docs/images cargo test --test console pictures::

test-api: ## Check the API against its OpenAPI document with schemathesis, which is installed into target/schemathesis (OPTIONS=further options of it)
	@test -x target/schemathesis/bin/schemathesis || { python3 -m venv target/schemathesis && \
	target/schemathesis/bin/pip install --quiet schemathesis; }
	SCHEMATHESIS=$(abspath target/schemathesis/bin/schemathesis) SCHEMATHESIS_OPTIONS="$(OPTIONS)" \
	cargo test --test web documented::the_api -- --ignored --nocapture

test-recipes: ## Test the recipes of docs/servers.md with real Postfix, Exim, Sendmail and OpenSMTPD (needs root and Debian)
	@$(BUILD)
	@tests/recipes/run.sh || { code=$$?; [ $$code = 77 ] && exit 0; exit $$code; }

lint: ## Check the formatting, run clippy (warnings are errors), look for turns of phrase that we do not use, and for rooms that use others above them
	cargo fmt --all --check
	cargo clippy --all-targets -- -D warnings
	tests/english.sh
	tests/rooms.py

run: ## Run PROFILE now: archive its mail
	@$(DROPKEEP) archive $(PROFILE)

check: ## Test PROFILE: connect, log in, look; stores nothing
	@$(DROPKEEP) test $(PROFILE)

protocol: ## List the runs, newest first; RUN=number shows one in full
	@$(DROPKEEP) protocols $(RUN)

serve: ## Run the appliance: schedules, metrics, health
	@$(DROPKEEP) serve

monitoring: ## Start Prometheus with the alerts for a running appliance (TARGET=its address, LISTEN=address of Prometheus, MONITORING_DATA=folder)
	@tests/install-tools.sh monitoring
	@TARGET=$(TARGET) LISTEN=$(LISTEN) MONITORING_DATA=$(MONITORING_DATA) dashboards/monitoring.sh

monitoring-check: ## Check that every panel of the dashboards shows something, with the demo and `make monitoring`
	@tests/install-tools.sh monitoring
	@$(BUILD) --example demo
	@cargo test --test appliance monitoring::demo:: -- --nocapture

dashboards: ## Generate dashboards/grafana/*.json
	@cargo run --example dashboards

dashboards-check: ## Check the dashboards against the types that Grafana publishes (with npm, into target/; DASHBOARDS_CHECK=required or skip)
	@tests/install-tools.sh monitoring
	@dashboards/check/run.sh || { code=$$?; [ $$code = 77 ] && exit 0; exit $$code; }

bench: ## Measure time, memory and disk, and compare with other programs (BENCH=speed, memory, store, million, lists, growth, many, identify, link, metrics, search, web or hostile: only that part)
	@tests/install-tools.sh bench search $(if $(filter growth,$(BENCH)),console)
	$(if $(filter store million lists growth many identify link metrics search web hostile,$(BENCH)),,cargo bench --bench journey)
	$(if $(filter speed memory identify link metrics search web hostile,$(BENCH)),,cargo bench --bench store)
	$(if $(filter speed memory store million lists growth many link metrics search web hostile,$(BENCH)),,cargo bench --bench identify)
	$(if $(filter speed memory store million lists growth many identify metrics search web hostile,$(BENCH)),,cargo bench --bench link)
	$(if $(filter speed memory store million lists growth many identify link search web hostile,$(BENCH)),,cargo bench --bench metrics)
	$(if $(filter speed memory store million lists growth many identify link metrics web hostile,$(BENCH)),,cargo bench --bench search)
	$(if $(filter speed memory store million lists growth many identify link metrics search hostile,$(BENCH)),,cargo bench --bench web)
	$(if $(filter hostile,$(BENCH)),cargo bench --bench hostile)

fuzz: ## Run long property tests (CASES=number, HISTORIES=number), then each fuzz target for FUZZ_SECONDS (FUZZ=target: only that one)
ifndef FUZZ
	ROUND_TRIPS=$(CASES) PROPTEST_CASES=$(CASES) cargo test --lib -- --nocapture round_trip base64_lines
	PROPTEST_CASES=$(CASES) cargo test --test mail any_mail::
	HISTORIES=$(HISTORIES) cargo test --test servers no_history
endif
	@command -v cargo-fuzz >/dev/null || { echo "Installing cargo-fuzz, which takes minutes."; cargo install --locked cargo-fuzz; }
	@for target in $(or $(FUZZ),$(FUZZ_TARGETS)); do fuzz/run.sh $$target $(FUZZ_SECONDS) || exit 1; done

crash: ## Break off every step and resume it, and kill runs at random two hundred times (KILLS=number)
	@tests/install-tools.sh
	KILLS=$(KILLS) cargo test --test archive crash:: -- --nocapture

soak: ## Archive five profiles for an hour while servers, mail and the appliance fail in many ways (SOAK=duration)
	@tests/install-tools.sh
	SOAK=$(SOAK) cargo test --test soak -- --ignored --nocapture

deny: ## Check the licences and sources of all dependencies
	@command -v cargo-deny >/dev/null || { echo "Installing cargo-deny, which takes minutes."; cargo install --locked cargo-deny; }
	cargo deny check licenses bans sources

build: ## Build the program for use: target/release/dropkeep
	cargo build --release --locked --bin dropkeep

install: ## Install program, systemd units, configuration, man pages, completions, dashboards; as root also the account (PREFIX, DESTDIR)
	@[ $(BIN) != target/release/dropkeep ] || ! command -v cargo >/dev/null || $(MAKE) --no-print-directory build
	@BIN=$(BIN) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SYSCONFDIR=$(SYSCONFDIR) packaging/install.sh install

uninstall: ## Remove what `make install` installed; the configuration, the archive and the account stay
	@PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SYSCONFDIR=$(SYSCONFDIR) packaging/install.sh uninstall

man: ## Write the man pages into target/man
	@mkdir -p target/man
	@$(BUILD) && cargo run --quiet --bin dropkeep -- manual target/man

check-unit: ## Check the systemd units with systemd-analyze (BIN=program)
	@BIN=$(BIN) packaging/check-unit.sh

deb: ## Build a Debian package into target/debian
	@command -v cargo-deb >/dev/null || { echo "Installing cargo-deb, which takes minutes."; cargo install --locked cargo-deb; }
	@$(MAKE) --no-print-directory build
	packaging/debian/stage.sh
	cargo deb --no-build --locked --strip $(if $(DEB_MAINTAINER),--maintainer "$(DEB_MAINTAINER)")

clean: ## Remove everything that was built
	cargo clean
