#!/usr/bin/env bash
# Boots a systemd of its own on a copy-on-write view of this machine, installs the units
# there and puts them through what a host does to them: start, a transfer, reload,
# watchdog, stop. Needs root; nothing of it is left afterwards.
#
#	deploy/systemd/trial.sh dist/starling
#
# Status 77: this machine does not let a systemd boot.
set -euo pipefail
if [ $# -ne 1 ]; then
	echo 'usage: trial.sh BINARY' >&2
	exit 2
fi
binary=$(realpath "$1")
export binary
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
./host.sh "$work" / trial.target trial-layout.sh
if [ ! -e "$work/out/log" ]; then
	tail -n 5 "$work/boot" >&2
	echo 'systemd did not boot here' >&2
	exit 77
fi
cat "$work/out/log"
exit "$(cat "$work/out/status" 2>/dev/null || echo 1)"
