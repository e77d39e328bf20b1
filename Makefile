# Targets that need more than `go test ./...`; .ci/run makes interop and reproducible too.

# The programs of docs/interop.md, as Debian's packages. Two processors run more
# trials at a time than there are of them: most wait.
.PHONY: interop
interop:
	STARLING_INTEROP=1 go test -count=1 -timeout 6m -parallel 8 $(INTEROPFLAGS) ./interop

BINARY ?= dist/starling

# The static binary, the same for everybody who builds this commit.
.PHONY: build
build: $(BINARY)
.PHONY: $(BINARY)
$(BINARY):
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w -buildid=' -o $@ ./cmd/starling

# What is made from it tells the commit's time, not the builder's: the same commit with the
# same Go gives the same bytes, wherever it is built.
dist/starling.cdx.json dist/man packages: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
packages: export VERSION ?= $(shell git describe --tags --exact-match 2>/dev/null || git log -1 --date=format:%Y%m%d --format=0.0.0+git%cd.%h 2>/dev/null || echo 0.0.0)
packages: export ARCH = $(shell go env GOARCH)

# What is in it: CycloneDX.
dist/starling.cdx.json: dist/starling
	go run ./deploy/sbom $< >$@

.PHONY: dist/completion dist/man
dist/completion: dist/starling
	mkdir -p $@
	$< completion bash >$@/starling.bash
	$< completion zsh >$@/_starling
	$< completion fish >$@/starling.fish

dist/man: dist/starling
	$< docs man $@

# The deb and the rpm, by nfpm (go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0).
.PHONY: packages
packages: dist/starling.cdx.json dist/completion dist/man
	nfpm package -f deploy/packaging/nfpm.yaml -p deb -t dist/
	nfpm package -f deploy/packaging/nfpm.yaml -p rpm -t dist/

# Builds all that twice, in two folders, and compares.
.PHONY: reproducible
reproducible:
	deploy/packaging/reproduce.sh
