# `make demo` and `make test` set everything up themselves. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup build audit demo demo-full test model fuzz sanitize lint fmt bench bench-aggregation bench-privacy mutants soak clean

BIN := .build/release

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install missing system packages (uses sudo when not root)
	@tools/setup

build: setup ## all programs, optimised
	swift build -c release

audit: ## the auditor alone, no network code, no C but libsodium and GMP
	@tools/setup
	swift build -c release --product secagg-audit

demo: build ## five sites and a server train together: the quick form, under 6 minutes
	$(BIN)/secagg demo --quick --out demo-output

demo-full: build ## the same, all of it: under 25 minutes
	$(BIN)/secagg demo --out demo-output-full

test: setup ## every test, with the counts at the end
	@tools/test

model: ## the protocol's model and its mutants, by SPIN
	@tools/setup spin
	@tools/model

fuzz: ## every fuzz target for a minute, on its kept corpus
	@tools/fuzz

sanitize: ## tests under AddressSanitizer and ThreadSanitizer
	@tools/sanitize

lint: ## formatting and style, as CI checks them
	@tools/lint

fmt: ## format all sources in place
	@git ls-files 'Package.swift' 'Sources/*.swift' 'Tests/*.swift' | grep -v /Generated/ | xargs swift format -i -p

bench: build ## training speed, against PyTorch where tools/bench/pytorch has it
	$(BIN)/secagg bench training

bench-aggregation: build ## masks, shares and unmasking, against Flower's SecAgg+ and OpenSSL (half an hour; quick: tools/bench/aggregation/run --quick)
	@tools/bench/aggregation/run

bench-privacy: build ## accountants and exact noise, against dp-accounting and OpenDP (a minute)
	@tools/bench/privacy/run

mutants: ## breaks the privacy code in one place at a time; the tests must notice each (an hour)
	@tools/mutants

soak: build ## 10,000 simulated federations with faults and malicious parties (under an hour)
	$(BIN)/secagg simulate --campaign 10000 --threads 2

clean: ## remove what was built
	rm -rf .build
