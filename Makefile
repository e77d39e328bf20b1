# Targets that need more than `go test ./...`; .ci/run makes interop and reproducible too.

# The programs of docs/interop.md, as Debian's packages. Two processors run more
# trials at a time than there are of them: most wait.
.PHONY: interop
interop:
	STARLING_INTEROP=1 go test -count=1 -timeout 6m -parallel 8 $(INTEROPFLAGS) ./interop

BINARY ?= dist/starling

# The static binary, the same for everybody who builds this commit. GOARCH=arm64 makes
# that of another machine, and packages for it; what is made by running starling is then
# made by one for this machine.
HOST = GOOS= GOARCH=
.PHONY: build
build: $(BINARY)
.PHONY: $(BINARY) dist/host/starling
$(BINARY) dist/host/starling:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w -buildid=' -o $@ ./cmd/starling
dist/host/starling: export GOOS =
dist/host/starling: export GOARCH =

# What is made from it tells the commit's time, not the builder's: the same commit with the
# same Go gives the same bytes, wherever it is built.
dist/starling.cdx.json dist/man packages: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
# Without a tag the version is the commit's second: what is newer counts as newer.
packages: export VERSION ?= $(shell git describe --tags --exact-match 2>/dev/null || TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=0.0.0+git%cd.%h 2>/dev/null || echo 0.0.0)
packages: export ARCH = $(shell go env GOARCH)

# What is in it: CycloneDX.
dist/starling.cdx.json: dist/starling
	$(HOST) go run ./deploy/sbom $< >$@

.PHONY: dist/completion dist/man
dist/completion: dist/host/starling
	mkdir -p $@
	$< completion bash >$@/starling.bash
	$< completion zsh >$@/_starling
	$< completion fish >$@/starling.fish

dist/man: dist/host/starling
	$< docs man $@

# The deb and the rpm, by nfpm: the one that is installed, or else this version. Those of
# another commit go: `dpkg -i dist/starling_*.deb` is to mean one.
NFPM ?= $(or $(shell command -v nfpm),$(HOST) go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0)
.PHONY: packages
packages: dist/starling.cdx.json dist/completion dist/man
	rm -f dist/starling_*.deb dist/starling-*.rpm
	$(NFPM) package -f deploy/packaging/nfpm.yaml -p deb -t dist/
	$(NFPM) package -f deploy/packaging/nfpm.yaml -p rpm -t dist/

# Builds all that twice, in two folders, and compares.
.PHONY: reproducible
reproducible:
	deploy/packaging/reproduce.sh
