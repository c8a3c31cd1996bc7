# Upkeep. `make` alone prints what can be made.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH   ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
V        := github.com/prometheus/common/version
LDFLAGS  := -s -w -X $(V).Version=$(VERSION) -X $(V).Revision=$(REVISION) -X $(V).Branch=$(BRANCH)
GOBUILD  := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
PROGRAMS := exporter receiver rules dashboards
TOOLS    := -modfile=tools/go.mod
# What the tests and the demo start. Each program, then the package that has it.
SERVERS  := prometheus:prometheus promtool:prometheus prometheus-alertmanager:prometheus-alertmanager \
            amtool:prometheus-alertmanager redis-server:redis-server postgres:postgresql
# Flags for the test run, e.g. TESTFLAGS='-run Loop -v'.
TESTFLAGS ?=

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: ## build all programs into bin/
	@mkdir -p bin
	@for p in $(PROGRAMS); do $(GOBUILD) -o bin/upkeep-$$p ./$$p; done
	@$(GOBUILD) -o bin/upkeep-sample ./demo/sample

.PHONY: demo
demo: ## show the whole loop on this machine, live (ARGS=--once ends by itself, YES=1 asks nothing)
	@go run ./demo $(if $(YES),--yes) $(ARGS)

.PHONY: test
test: deps ## test everything against real servers
	go vet ./...
	go test -race $(TESTFLAGS) ./...

.PHONY: test-docker
test-docker: ## test docker.restart against a real Docker Engine (as root, with docker.io)
	go test -race -count=1 -tags dockerd -run RealEngine $(TESTFLAGS) -v ./receiver/action

.PHONY: check
check: ## vet, staticcheck, govulncheck, formatting and generated files
	go vet ./...
	@test -z "$$(gofmt -l . )" || { echo "these files are not formatted, run gofmt -w:"; gofmt -l .; exit 1; }
	go tool $(TOOLS) staticcheck ./...
	@if [ -n "$(OFFLINE)" ]; then echo "govulncheck was NOT run: OFFLINE is set"; else \
	  go tool $(TOOLS) govulncheck ./... || { echo "govulncheck found something, or could not reach its database (then: make check OFFLINE=1)" >&2; exit 1; }; fi
	go run ./dashboards check

.PHONY: bench
bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: generate
generate: ## write every generated file again
	go run ./dashboards generate

.PHONY: deps
deps: ## install the servers that tests need (Debian, Ubuntu; as root)
	@missing=; \
	for s in $(SERVERS); do \
	  program=$${s%%:*}; \
	  command -v $$program >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$$program" >/dev/null || compgen -G "/usr/sbin/$$program" >/dev/null || missing="$$missing $${s##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  missing=$$(printf '%s\n' $$missing | sort -u | tr '\n' ' '); \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $$missing"; \
	    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "the tests need servers that are not installed; run as root: apt-get install $$missing" >&2; exit 1; \
	  fi; \
	fi

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
