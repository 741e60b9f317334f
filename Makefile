# `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)
BINARY := bin/slowburn
# Functions are not inlined in modules that no span's path leads through: that saves 2 MB. The image and the release have the same list.
SMALL := -gcflags=gonum.org/...=-l -gcflags=k8s.io/...=-l -gcflags=github.com/goccy/...=-l -gcflags=github.com/elastic/lunes/...=-l -gcflags=github.com/aws/...=-l -gcflags=github.com/Azure/...=-l -gcflags=github.com/AzureAD/...=-l -gcflags=go.opentelemetry.io/otel/exporters/...=-l -gcflags=go.opentelemetry.io/contrib/otelconf/...=-l -gcflags=github.com/expr-lang/...=-l -gcflags=github.com/gogo/protobuf/...=-l -gcflags=github.com/google/go-tpm/...=-l -gcflags=github.com/fxamacker/cbor/...=-l -gcflags=go.yaml.in/...=-l -gcflags=gopkg.in/...=-l -gcflags=github.com/json-iterator/go/...=-l -gcflags=github.com/go-jose/...=-l -gcflags=github.com/antchfx/...=-l -gcflags=github.com/alecthomas/...=-l -gcflags=github.com/spf13/...=-l -gcflags=sigs.k8s.io/...=-l -gcflags=github.com/felixge/...=-l -gcflags=github.com/prometheus/common/...=-l -gcflags=github.com/prometheus/client_golang/...=-l
# Static, and the same bytes for the same commit, wherever it is built.
STATIC = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false $(SMALL) -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)"
# What is no part of the product has modules of its own.
MODULES := . bench demo test/e2e
UI_SOURCES := web/api/openapi.yaml $(shell find web/ui/src web/ui/public web/ui/index.html web/ui/*.json web/ui/*.ts -type f ! -name "*.gen.ts" 2>/dev/null)

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: run
run: build ## Build and start the gateway: OTLP on :4317 and :4318, dashboard on http://127.0.0.1:8080
	$(BINARY)

.PHONY: demo
demo: build ## The gateway and a simulated shop whose faults you switch on from the terminal
	$(GO) build -C demo -o $(CURDIR)/bin/demo .
	bin/demo --gateway $(BINARY)

.PHONY: build
build: ui ## Build bin/slowburn, static, with the dashboard inside
	$(STATIC) -o $(BINARY) ./cmd/slowburn

.PHONY: ui
ui: web/ui/dist/index.html ## Build the dashboard

web/ui/dist/index.html: web/ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd web/ui && npm run --silent build
	@touch $@

web/ui/node_modules/.package-lock.json: web/ui/package.json web/ui/package-lock.json
	cd web/ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: test
test: ui ## Set up and run the Go and dashboard tests (RACE=1 with the race detector)
	$(GO) test -timeout 30m $(if $(RACE),-race) ./...
	$(if $(RACE),$(GO) test -run 'NeverMoreThanNLogN|SpansOfALargeTrace' ./processor/... ./web/internal/... | grep -v 'no test')
	cd demo && $(GO) test $(if $(RACE),-race) ./...
	cd tools && $(GO) test ./...
	cd web/ui && npm test --silent

.PHONY: e2e
e2e: build test/e2e/browser/node_modules/.package-lock.json test/e2e/strict/.venv/installed test/e2e/contract/.venv/installed sdks ## Run the built gateway with real clients, real backends and a real browser; hold its sampler against contrib's
	cd test/e2e && $(GO) test -tags e2e -count=1 -timeout 30m -parallel 6 -v .
	cd bench && $(GO) test -count=1 ./...

.PHONY: sdks
sdks: test/e2e/sdk/python/.venv/installed test/e2e/sdk/javascript/node_modules/.package-lock.json test/e2e/sdk/java/lib/App.class

test/e2e/browser/node_modules/.package-lock.json: test/e2e/browser/package-lock.json
	cd test/e2e/browser && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test/e2e/strict/.venv/installed: test/e2e/strict/requirements.txt
	python3 -m venv test/e2e/strict/.venv
	test/e2e/strict/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test/e2e/contract/.venv/installed: test/e2e/contract/requirements.txt
	python3 -m venv test/e2e/contract/.venv
	test/e2e/contract/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test/e2e/sdk/python/.venv/installed: test/e2e/sdk/python/requirements.txt
	python3 -m venv test/e2e/sdk/python/.venv
	test/e2e/sdk/python/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test/e2e/sdk/javascript/node_modules/.package-lock.json: test/e2e/sdk/javascript/package-lock.json
	cd test/e2e/sdk/javascript && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test/e2e/sdk/java/lib/App.class: test/e2e/sdk/java/pom.xml test/e2e/sdk/java/App.java
	cd test/e2e/sdk/java && mvn -B -q dependency:copy-dependencies && javac -d lib App.java

.PHONY: fuzz
fuzz: ui ## Run every fuzzer for FUZZTIME=10s, as many at once as there are processors (TOTAL=1h for an hour in all)
	$(GO) build -C tools -o $(CURDIR)/bin/fuzz ./fuzz
	bin/fuzz -time $(or $(FUZZTIME),10s) -total $(or $(TOTAL),0)

.PHONY: soak
soak: build test/e2e/contract/.venv/installed ## The crash tests for longer: KILLS=300 kills under load, 50 while it counts, and 50 more every 3 s; 20 crashes before and after each step that persists something; the image is stopped 20 times; the API's contract; and SIM_SEEDS=10000 simulated lives, and each fault put back
	$(GO) test -count=1 -timeout 2h -run '^TestSeeds$$' ./test/sim -seeds=$(or $(SIM_SEEDS),10000)
	$(MAKE) sim-faults
	nice $(MAKE) deploy-cross CROSS="$(OTHERS)"
	$(MAKE) deploy-image-stages
	DEPLOY_RESTARTS=20 $(MAKE) deploy-image-check
	cd test/e2e && E2E_DAMAGE=all $(GO) test -tags e2e -count=1 -timeout 1h -v -run DamageTable .
	cd test/e2e && E2E_SOAK=1 $(GO) test -tags e2e -count=1 -timeout 1h -v -run 'FullBudget|BackendDown|TestLoad$$|Overload|HostileResources|BeforeEachFlush' .
	cd test/e2e && E2E_KILLS=$(or $(KILLS),300) E2E_COUNT_KILLS=50 $(GO) test -tags e2e -count=1 -timeout 2h -v -run KillNine .
	cd test/e2e && E2E_FAILPOINTS=$(or $(FAILPOINTS),20) $(GO) test -tags e2e -count=1 -timeout 2h -v -run '^TestFailpoints$$' .
	cd test/e2e && E2E_CONTRACT_EXAMPLES=1000 $(GO) test -tags e2e -count=1 -timeout 1h -v -run '^TestContract$$' .
	$(MAKE) fuzz TOTAL=1h

.PHONY: sim-faults
sim-faults: ui ## Put each fault of test/sim/faults back, and tell which simulated life of SIM_SEEDS=10000 finds it first (FAULT=name for one)
	$(GO) test -count=1 -timeout 10h -v -run '^TestFaults$$' ./test/sim -faults=$(or $(SIM_SEEDS),10000) $(if $(FAULT),-fault=$(FAULT))

.PHONY: mutate
mutate: ui ## Make MUTANTS=200 random mistakes (SEED=7 for the same ones again), and count those that the tests notice
	cd tools && $(GO) run ./mutate -mutants $(or $(MUTANTS),200) -seed $(or $(SEED),0)

.PHONY: bench
bench: ui ## Measure slowburn and its peers side by side (BENCH="--suite max" for another suite)
	cd bench && $(GO) run . $(BENCH)

.PHONY: lint
lint: ui ## Check formatting and run the linters
	@test -z "$$(git ls-files '*.go' | xargs gofmt -l | tee /dev/stderr)"
	for module in $(MODULES); do (cd $$module && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --build-tags e2e ./...) || exit 1; done
	cd web/ui && npm run --silent lint

.PHONY: generate
generate: reference ## Generate the components' telemetry from their metadata.yaml, and the reference of the configuration
	for dir in $$(git ls-files '*/metadata.yaml' | xargs -n1 dirname); do \
		(cd $$dir && $(GO) tool -modfile=$(CURDIR)/tools/go.mod mdatagen metadata.yaml) || exit 1; \
		tested=$$dir/internal/metadatatest; \
		git grep -qF "/$$tested\"" -- '*_test.go' ":!$$tested" || rm -rf $$tested; done # what no test imports

.PHONY: reference
reference: # docs/reference/config.md and its schema, from the configuration structures
	$(GO) test -count=1 -run '^TestReference$$' ./cmd/slowburn -args -rewrite

.PHONY: check
check: ## Everything that must hold before a change lands, with the seconds that each stage took
	@for stage in lint "test RACE=1" "fuzz FUZZTIME=5s" deploy-check e2e; do \
		start=$$(date +%s); $(MAKE) $$stage || exit 1; echo "make $$stage: $$(( $$(date +%s) - start )) s"; done

-include deploy/deploy.mk deploy/chart.mk

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin web/ui/node_modules
	find web/ui/dist -mindepth 1 ! -name .keep -delete
