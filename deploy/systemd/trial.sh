#!/usr/bin/env bash
# Boots a systemd of its own, in namespaces and on a copy-on-write view of this machine,
# installs the units there and puts them through what a host does to them: start, a
# transfer, reload, watchdog, stop. Needs root; nothing of it is left afterwards.
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
cd "$(dirname "${BASH_SOURCE[0]}")"
[ "$(id -u)" = 0 ] || { echo 'not root' >&2; exit 77; }
systemd=/lib/systemd/systemd
[ -x "$systemd" ] || { echo 'no systemd is installed' >&2; exit 77; }

work=$(mktemp -d)
# shellcheck disable=SC2317 # the trap calls it
clean() {
	local g
	rm -rf "$work"
	for g in "${groups[@]}"; do
		# What was killed just now may take a moment to be gone.
		for _ in {1..50}; do
			find "$g" -depth -type d -exec rmdir {} + 2>/dev/null && break
			sleep 0.1
		done
	done
}
# Control groups of our own, below which that systemd believes it is alone.
groups=()
for g in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
	[ -e "$g/cgroup.procs" ] && groups+=("$g/${work##*/}")
done
trap clean EXIT
[ ${#groups[@]} -gt 0 ] || { echo 'no control groups' >&2; exit 77; }
mkdir -p "$work/out" "$work/upper" "$work/root"
export work binary systemd

for g in "${groups[@]}"; do
	mkdir -p "$g"
done
(
	for g in "${groups[@]}"; do
		echo $BASHPID >"$g/cgroup.procs"
	done
	# unshare waits through any other signal; its end is that of all in there.
	exec timeout --signal=KILL 180 unshare --cgroup --pid --mount --uts --ipc --net --fork --kill-child bash trial-boot.sh
) >"$work/out/boot" 2>&1 || true
if [ ! -e "$work/out/log" ]; then
	tail -n 5 "$work/out/boot" >&2
	echo 'systemd did not boot here' >&2
	exit 77
fi
cat "$work/out/log"
exit "$(cat "$work/out/status" 2>/dev/null || echo 1)"
