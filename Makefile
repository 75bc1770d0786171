# Everything around the code. `make test` is the one command that says whether a change is good.
#
# Tools that serve as oracles in tests go to the ignored folder .tools; a tool that cannot be prepared makes the tests
# say by name what they skip, or fail where HLGEN_REQUIRE_TOOLS is set (as in .ci/run).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export HLGEN_TOOLS := $(CURDIR)/.tools
CARGO ?= cargo
# Nothing here may change the lock file.
LOCKED ?= --locked

.PHONY: help test tools fmt lint doc unit bless bench bench-whole bench-plugin schemas docs dist gitea deny clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: tools fmt lint doc unit ## Everything: tools, format, lints, documentation, all tests

tools: ## Put Helm, kubectl, shellcheck, Python with PyYAML, lighttpd and pre-commit into .tools
	@.ci/tools

fmt:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy $(LOCKED) --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) --no-deps

# Unit tests, the programs below tests/ and doc tests, last so that their summary ends the output.
unit:
	$(CARGO) test $(LOCKED) --no-fail-fast

bless: ## Rewrite the expectations of tests/cases and docs (read every line of the difference)
	HLGEN_BLESS=1 $(CARGO) test $(LOCKED) --test cases --test docs --test catalog
	git status --short tests/cases docs README.md

bench: ## Measure parse, merge, templates and emit (criterion)
	$(CARGO) bench $(LOCKED) --bench core

bench-whole: ## Measure the whole process against copying and reading its output
	$(CARGO) bench $(LOCKED) --bench whole

bench-plugin: ## Measure the plugin on this repository
	$(CARGO) bench $(LOCKED) --bench plugin

schemas: ## Write schemas/ from the types
	$(CARGO) build $(LOCKED)
	for kind in project app environment profile; do \
	  target/debug/hlgen schema $$kind > schemas/$$kind.schema.json.new; \
	  mv schemas/$$kind.schema.json.new schemas/$$kind.schema.json; \
	done

docs: ## Open the documentation of the crate
	$(CARGO) doc $(LOCKED) --no-deps --open

# Without TARGET the musl target of this machine; what is missing for it is said.
TARGET ?=
dist: ## Build a static binary with OpenSSL in it into dist/
	@.ci/dist $(TARGET)

# Not part of `test`: some minutes and a gigabyte. With it the API's tests run on a real Gitea besides the stand-in.
GITEA ?= v1.26.0
gitea: ## Build a Gitea for the tests into .tools (needs Go and a C compiler)
	folder="$$(go mod download -json code.gitea.io/gitea@$(GITEA) | awk -F '"' '$$2 == "Dir" { print $$4 }')"; \
	rm -rf .tools/gitea-files && mkdir -p .tools/gitea-files && \
	cp -r "$$folder/templates" "$$folder/options" "$$folder/public" .tools/gitea-files/ && chmod -R u+w .tools/gitea-files && \
	cd "$$folder" && go build -mod=readonly -tags 'sqlite sqlite_unlock_notify' -o '$(CURDIR)/.tools/gitea' .

# Not part of `test`: compiling cargo-deny takes longer than everything else together.
deny: ## Check licences, advisories and sources of dependencies (needs cargo-deny)
	@command -v cargo-deny > /dev/null || { \
	  echo 'cargo-deny not found; `cargo install --locked cargo-deny` compiles it (some ten minutes)' >&2; exit 2; }
	cargo deny $(LOCKED) check

clean: ## Remove what was built and the tools
	$(CARGO) clean
	rm -rf .tools dist
