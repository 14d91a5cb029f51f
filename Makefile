# vmctl: `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build runtime tools images demo demo-down test test-unit test-e2e lint fmt fuzz bench faults chaos conformance screenshot install uninstall clean

# A Go of the machine that is not on PATH is found too, also under sudo.
export PATH := $(PATH):/usr/local/go/bin:/usr/lib/go/bin
# Root may build the clone of another user, which git, and so go build, refuse.
export GIT_CONFIG_COUNT := 1
export GIT_CONFIG_KEY_0 := safe.directory
export GIT_CONFIG_VALUE_0 := $(CURDIR)
GO      ?= go
SUDO    := $(if $(filter 0,$(shell id -u)),,sudo)
VERSION := $(shell git -c 'safe.directory=$(CURDIR)' describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X vmctl/internal/version.version=$(VERSION))
# Without these, containerd needs the libraries of file systems that we do not use.
RUNTIME_TAGS := no_btrfs no_zfs no_devmapper
PREFIX  ?= /usr/local
# Root builds and tests with the caller's Go and caches.
AS_ROOT = $(SUDO) env PATH="$$PATH" GOFLAGS="$$($(GO) env GOFLAGS)" GOCACHE="$$($(GO) env GOCACHE)" GOMODCACHE="$$($(GO) env GOMODCACHE)"
E2E     = $(AS_ROOT) scripts/with-runtimes.sh
# A runtime started for another user is opened to their group.
GROUP   := $(if $(SUDO),--group $(shell id -gn))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

setup: ## install what is missing on Debian or Ubuntu
	@scripts/setup.sh

build: ## build vmctl, vmgui and the pause program into bin/
	@scripts/setup.sh build go gui
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/vmctl ./cmd/vmctl
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/vmctl-pause ./images/pause
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/vmgui ./cmd/vmgui

runtime: ## build containerd 2 into bin/runtime/, for machines without a new one
	@scripts/setup.sh build go runtime
	cd tools && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -tags '$(RUNTIME_TAGS)' -o ../bin/runtime/ \
	  github.com/containerd/containerd/v2/cmd/containerd github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2 \
	  github.com/containerd/containerd/v2/cmd/ctr

tools: ## build the tools of the tests into bin/tools/
	@scripts/setup.sh build go
	cd tools && $(GO) build -o ../bin/tools/ honnef.co/go/tools/cmd/staticcheck sigs.k8s.io/cri-tools/cmd/crictl golang.org/x/perf/cmd/benchstat

bin/tools/clientgo: bench/go.sum bench/clientgo/main.go
	cd bench && $(GO) build -o ../$@ ./clientgo

images: build ## build the pause and the demo image into bin/images/
	@scripts/setup.sh images
	@mkdir -p bin/images
	$(GO) run ./images/archive -tag localhost/vmctl-pause:1 -binary bin/vmctl-pause=/pause -entrypoint /pause -o bin/images/pause.tar
	$(AS_ROOT) images/demo/build.sh bin/images/demo.tar

demo: images ## install, build, start the private runtime and run the demo machine
	@scripts/setup.sh runtime
	$(SUDO) bin/vmctl runtime start $(GROUP) > bin/endpoint
	bin/vmctl --runtime-endpoint "$$(cat bin/endpoint)" image import bin/images/demo.tar
	bin/vmctl --runtime-endpoint "$$(cat bin/endpoint)" up demo
	@echo; echo "The screen of the guest:"; bin/vmctl --runtime-endpoint "$$(cat bin/endpoint)" view --url demo

demo-down: ## undo what `make demo` started: the machine, its disk and image, and the runtime
	@if [ -S "$$(sed 's,^unix://,,' bin/endpoint 2>/dev/null)" ]; then export VMCTL_RUNTIME_ENDPOINT="$$(cat bin/endpoint)"; set -x; \
	  bin/vmctl delete demo --force --storage --yes; \
	  bin/vmctl image rm localhost/vmctl-demo:1 || true; fi
	$(SUDO) bin/vmctl runtime stop
	rm -f bin/endpoint

test: setup build images runtime lint test-unit test-e2e ## run everything that CI runs

test-unit: ## run the tests that need no runtime and no root
	$(GO) test ./...
	$(GO) test -race -skip '^TestFaults' ./internal/cri/... ./internal/machine ./internal/portfwd ./internal/viewer ./internal/storage
	$(GO) test -race -skip '^(TestScripts|TestKill)' ./internal/cli
	CGO_ENABLED=0 $(GO) vet ./internal/gui/...

test-e2e: tools ## run the tests on real runtimes, with a real guest (as root)
	$(E2E) $(GO) test -tags e2e -count=1 -p 1 -timeout 15m -run 'E2E' ./...

lint: tools ## check formatting, vet, shell scripts, and staticcheck
	@out=$$(gofmt -l bench cmd images internal recipes *.go); [ -z "$$out" ] || { echo "gofmt would change: $$out"; exit 1; }
	$(GO) vet -tags e2e ./...
	cd bench && $(GO) vet ./...
	shellcheck scripts/*.sh .ci/run $$(git ls-files 'images/**.sh')
	bin/tools/staticcheck ./...
	bin/tools/staticcheck -tags e2e ./...

fmt: ## format the Go files
	gofmt -w bench cmd images internal recipes *.go

# FUZZ="FuzzParse FuzzSize" fuzzes only these.
FUZZ ?= $(shell grep -rhoE '^func Fuzz[A-Za-z]+' --include='*_test.go' internal | awk '{print $$2}')

fuzz: ## fuzz each parser for a minute
	@for target in $(FUZZ); do \
	  dir=$$(grep -rlE "^func $$target\(" --include='*_test.go' internal | xargs dirname); \
	  echo "== $$target in $$dir"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime 60s -fuzzminimizetime 5x "./$$dir"; done

bench: setup build images runtime bin/tools/clientgo ## measure: up, ls and recipes, each way to a port against client-go, snapshots against cp
	$(GO) test -run '^$$' -bench . ./internal/recipe
	$(E2E) $(GO) test -tags e2e -run '^$$' -bench . -benchtime 10x -p 1 ./internal/machine
	$(E2E) $(GO) test -tags e2e -run '^$$' -bench . -benchtime 3x -p 1 ./internal/storage

# All of the suite that a way to a port must pass, with its large transfers at full size.
conformance: setup build images runtime bin/tools/clientgo ## print what each way to a port passes, and what client-go's port forwarding fails
	@$(E2E) env VMCTL_CONFORM_LARGE=1073741824 $(GO) test -tags e2e -count=1 -v -timeout 30m -run '^(TestE2EForwardConformance|TestConformClientGo)$$' ./internal/machine \
	  | awk '/^ +--- (PASS|FAIL)/ {n = split($$3, p, "/"); if (n >= 3) printf "%-4s %-12s %-20s %s\n", $$2 == "PASS:" ? "ok" : "FAIL", p[2], p[1] ~ /ClientGo/ ? "client-go" : p[3], p[n]}' | sort -u

# VMCTL_FAULTS=all tries every fault at every stage.
faults: setup build images runtime ## print what was tried with kill -9 and other faults, and what was lost
	@$(GO) test -count=1 -v -run '^(TestKill|TestFaultsFake)' ./internal/machine ./internal/cli | grep -vE '^(===|PASS)'
	@$(E2E) env VMCTL_FAULTS="$(VMCTL_FAULTS)" $(GO) test -tags e2e -count=1 -v -timeout 60m -run '^TestFaultsReal' ./internal/cli | awk '/^ *fault  /, /^ *all  /; /^(FAIL|ok|---)/'

chaos: setup build images runtime ## break things while transfers run, and print what came back after how long
	@$(E2E) $(GO) test -tags e2e -count=1 -v -timeout 10m -run '^TestChaos' ./internal/cli | grep --line-buffered -vE '^===|_test.go:[0-9]+: vmctl |^PASS'

screenshot: setup build images runtime ## take the pictures of the README anew
	$(E2E) env VMCTL_SCREENSHOT="$$PWD/docs" $(GO) test -tags e2e -count=1 -run 'E2ELife/containerd-1' ./internal/cli
	$(E2E) env VMCTL_SCREENSHOT="$$PWD/docs/vmgui.png" $(GO) test -tags e2e -count=1 -run E2EWindow ./internal/gui

install: build images ## install into PREFIX (/usr/local)
	install -D -m 755 bin/vmctl "$(DESTDIR)$(PREFIX)/bin/vmctl"
	install -D -m 755 bin/vmgui "$(DESTDIR)$(PREFIX)/bin/vmgui"
	install -D -m 644 bin/images/pause.tar "$(DESTDIR)$(PREFIX)/share/vmctl/images/pause.tar"
	install -D -m 644 bin/images/demo.tar "$(DESTDIR)$(PREFIX)/share/vmctl/images/demo.tar"
	bin/vmctl completion bash | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vmctl"
	bin/vmctl completion zsh | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vmctl"
	bin/vmctl completion fish | install -D -m 644 /dev/stdin "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/vmctl.fish"

uninstall: ## remove what install put there
	rm -f "$(DESTDIR)$(PREFIX)"/bin/{vmctl,vmgui} "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vmctl" \
	  "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_vmctl" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/vmctl.fish"
	rm -rf "$(DESTDIR)$(PREFIX)/share/vmctl"

clean: ## remove bin/
	$(SUDO) rm -rf bin
