#!/usr/bin/env bash
# Builds the program twice, in two folders of different names and depths and each with a
# build cache of its own, and compares: the bytes must not tell where it was built. Then
# the same with what is made from it, the bill of materials and, where nfpm is there,
# the packages. Runs from anywhere, changes nothing; needs a minute of two processors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

targets=(dist/starling dist/starling.cdx.json)
if command -v nfpm >/dev/null; then
	targets+=(packages)
else
	echo 'no nfpm here: the packages are not compared'
fi
# The copies have the commit along, so that its stamp is compared, too.
GOFLAGS=-buildvcs=false
for copy in one some/where/else/two; do
	mkdir -p "$work/$copy"
	tar -c --exclude=./dist --exclude=./starling . | tar -x --no-same-owner -C "$work/$copy"
	if git -C "$work/$copy" status >/dev/null 2>&1; then
		GOFLAGS=-buildvcs=true
	fi
	export GOFLAGS
	echo "building in $copy, $GOFLAGS"
	(cd "$work/$copy" && GOCACHE="$work/cache-${copy##*/}" make -s "${targets[@]}")
	rm -rf "$work/cache-${copy##*/}"
	(cd "$work/$copy/dist" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/${copy##*/}.sums"
done
diff "$work/one.sums" "$work/two.sums" || {
	echo 'not the same' >&2
	exit 1
}
go version -m "$work/one/dist/starling" | grep vcs || true
cat "$work/one.sums"
