GO ?= go
TOOL = $(GO) tool -modfile=.ci/tools/go.mod
FUZZTIME ?= 30s
BENCHTIME ?= 10x

.PHONY: build test sweep race lint fuzz litmus bench bench-peers packaging deps page

build: ## the program, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/davd

page: ## the scripts of the file browser, from dav/page/src to dav/page/dist; needs Node 20
	# npm ci refuses the lock file where the registry lacks an optional package of Vite for Windows.
	cd dav/page && npm install --no-save && npm run build

test: deps ## all tests, sweeps as a sample: unit tests, the command, litmus, cadaver, a davfs2 mount, kills
	# litmus/ mostly waits for slow storage, so it runs beside the others, and is shown after them.
	log=$$(mktemp); status=0; \
	$(GO) test -timeout 15m -count=1 -p 1 -v ./litmus/... >$$log 2>&1 & litmus=$$!; \
	$(GO) test -timeout 15m $$($(GO) list ./... | grep -v /litmus) || status=1; \
	wait $$litmus || status=1; \
	cat $$log; rm $$log; exit $$status

litmus: deps ## all tests of litmus/, and the whole matrix of clients and proxies, which goes to docs/clients.md
	.ci/lab
	$(GO) test -timeout 15m -count=1 -v ./litmus/ -lab -lab.page=$(CURDIR)/docs/clients.md

sweep: deps ## all tests in full, with a fault or kill at every step; for root, on a read-only disk
	DAVD_SWEEP=1 .ci/readonly $(GO) test -timeout 60m -count=1 ./...

race: deps ## all tests with the race detector
	$(GO) test -race ./...

lint: ## formatting, linters, import direction, other systems, known vulnerabilities
	@echo 'golangci-lint (the first run compiles it, which takes minutes)'
	@$(TOOL) golangci-lint run ./...
	@$(TOOL) golangci-lint fmt --diff
	@echo 'go vet for darwin and windows (the first run compiles the modules for them)'
	@GOOS=darwin $(GO) vet ./...
	@GOOS=windows $(GO) vet ./...
	@echo 'govulncheck (it waits for the network)'
	@.ci/govulncheck

fuzz: ## every fuzz target, for FUZZTIME each
	.ci/fuzz $(FUZZTIME)

bench: ## the Go benchmarks of dav/ and storage/
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) ./dav/ ./storage/...

bench-peers: ## davd, Apache, nginx, lighttpd and x/net compared; BENCHFLAGS=-quick takes three minutes
	$(GO) run ./bench $(BENCHFLAGS)

packaging: ## the packages and the image, built, installed and started; for root, with a mirror of Debian
	.ci/deps packaging
	packaging/checks/static
	packaging/checks/image
	packaging/checks/deb
	packaging/checks/home

deps: ## the system packages that the tests need
	.ci/deps
