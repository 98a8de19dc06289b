# Needs cargo, make and python3; everything else is installed into the checkout.

.DEFAULT_GOAL := help
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
.PHONY: help build tools demo test test-core test-full bench-core bench-lambda bench-decisions bench-verdicts bench-policies bench-fleet bench-storm bench-faults fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# All targets, so that cargo resolves the same features as for the tests and the SDKs are compiled once, not twice.
build: ## build the function, the tool and the development programs (debug)
	cargo build --workspace --all-targets

tools: ## install the pinned emulators and Python tools into .venv
	@tests/requirements/install.sh

demo: build tools ## six endpoints from alarm to policy and message, on emulators; two minutes after the build
	@PYTHONPATH=tests .venv/tools/bin/python -m local_aws.demo

test: ## run every check and test
	@python3 tests/run.py

test-core: ## run the tests of the pure core, in seconds
	cargo test --no-default-features --lib

# Ten minutes on two free cores once it is built (five more the first time).
bench-decisions: bench-verdicts bench-policies ## measure verdicts, capacities and policies on simulated endpoints of which everything is known

# ARGUMENTS go to both, as far as both have them: `--set development`, `--first 40`, `--threads 1`, `--smoke`, `--check`.
# `make bench-verdicts ARGUMENTS=--help` says what else there is; JSON=folder keeps the results.
bench-verdicts: ## measure the verdicts alone, on thousands of simulated incidents whose cause is known
	$(if $(JSON),@mkdir -p $(JSON))
	cargo bench --no-default-features --bench decisions -- $(ARGUMENTS) $(if $(JSON),--json $(JSON)/verdicts.json)

# TRACES=folder judges policies on real traffic too.
bench-policies: ## measure capacities and policies alone
	$(if $(JSON),@mkdir -p $(JSON))
	cargo bench --no-default-features --bench policies -- $(ARGUMENTS) $(if $(TRACES),--traces $(TRACES)) $(if $(JSON),--json $(JSON)/policies.json)

# Twelve minutes, most of them at the pace at which AWS is asked. ENDPOINTS=500 is enough for a look.
bench-fleet: build tools ## measure the doctor over 5,000 endpoints on emulators: calls, time, memory
	@PYTHONPATH=tests .venv/tools/bin/python -m local_aws.fleet $(if $(ENDPOINTS),--endpoints $(ENDPOINTS))

# Half an hour on two cores. MESSAGES=200 is enough for a look.
bench-storm: build tools ## measure a storm of 1,000 alarms through a queue on emulators: nothing lost, nothing written twice
	@PYTHONPATH=tests .venv/tools/bin/python -m local_aws.storm $(if $(MESSAGES),--messages $(MESSAGES))

# Half an hour on two cores. ARGUMENTS="--scene 'first policy' --fault timeout" is enough for a look; `ARGUMENTS=--help` says what else.
bench-faults: build tools ## disturb every AWS call of the real function in every way, and judge what comes of it
	@PYTHONPATH=tests .venv/tools/bin/python -m local_aws.fault_matrix $(ARGUMENTS) $(if $(JSON),--json $(JSON))

# ARGUMENTS="--smoke" takes debug binaries and a minute; "--sweep" adds the memory sizes; JSON=file keeps the results.
bench-lambda: build tools ## measure the function beside a Rust function that does nothing and one in Python that reads the same
	@tests/requirements/install.sh peer
	$(if $(findstring --smoke,$(ARGUMENTS)),,cargo build --release --bin bootstrap && cargo build --release --package hello)
	@PYTHONPATH=tests .venv/ministack/bin/python -m local_aws.footprint $(ARGUMENTS) $(if $(JSON),--json $(JSON))

bench-core: ## measure the pure core: each stage, and growth with history, variants and candidates
	cargo bench --no-default-features --bench core -- $(ARGUMENTS)

# TARGET=report RUNS=1000000 for one of them, for longer. What is found is left in fuzz/target.
fuzz: ## feed events, observations and reports that nobody would send to the core, by libFuzzer
	cd fuzz && cargo build --release --locked --target $(HOST)
	@for target in $(or $(TARGET),trigger observation report); do \
		mkdir -p fuzz/target/found/$$target; \
		(cd fuzz && target/$(HOST)/release/$$target -runs=$(or $(RUNS),20000) -seed=1 -max_len=32768 -timeout=10 -rss_limit_mb=1024 \
			-verbosity=0 -print_funcs=0 -print_final_stats=1 -artifact_prefix=target/ target/found/$$target corpus/$$target) || exit 1; \
	done

test-full: ## everything in `test`, cargo-deny, and the release package for x86_64; needs cargo-deny, 8 GB, 15 more minutes
	@python3 tests/run.py --full

clean: ## remove everything that was built or installed here
	cargo clean
	rm -rf .venv .aws-sam .pytest_cache
	find tests infra \( -name __pycache__ -o -name .pytest_cache \) -prune -exec rm -rf {} +
