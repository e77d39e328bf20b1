# Targets that need more than `go test ./...`; .ci/run makes the interop target too.

# The programs of docs/interop.md, as Debian's packages. Two processors run more
# trials at a time than there are of them: most wait.
.PHONY: interop
interop:
	STARLING_INTEROP=1 go test -count=1 -timeout 6m -parallel 8 $(INTEROPFLAGS) ./interop
