#!/usr/bin/env bash
# Boots a systemd of its own as PID 1 of a host, in namespaces and on a copy-on-write view
# of a root, and returns when that host is off. Nothing of it is left afterwards.
#
#	host.sh FOLDER ROOT UNIT LAYOUT
#
# In FOLDER, which must be empty, `out` is what the host has as /out, `boot` what was said
# before it had one, and `pid` its systemd. LAYOUT is a script that is run in the root's
# folder before it is booted. It has $here, the folder of the units.
#
# Status 77: this machine does not let a systemd boot.
set -euo pipefail
if [ $# -ne 4 ]; then
	echo 'usage: host.sh FOLDER ROOT UNIT LAYOUT' >&2
	exit 2
fi
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
work=$(realpath "$1") lower=$(realpath "$2") unit=$3 layout=$(realpath "$4")
[ "$(id -u)" = 0 ] || { echo 'not root' >&2; exit 77; }
[ -x "$lower/lib/systemd/systemd" ] || { echo 'no systemd is installed' >&2; exit 77; }

# A control group of its own, below which that systemd believes it is alone. Version 2
# only, also where the machine has both: the groups of version 1 it would make elsewhere.
group=$work/cgroup/starling-$$
# shellcheck disable=SC2317 # the trap calls it
clean() {
	# What was killed just now may take a moment to be gone.
	for _ in {1..50}; do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
		sleep 0.1
	done
	umount "$work/cgroup"
}
mkdir "$work/cgroup"
mount -t cgroup2 cgroup2 "$work/cgroup" || { echo 'no control groups of version 2' >&2; exit 77; }
trap clean EXIT
mkdir -p "$work/out" "$work/upper" "$work/root" "$group"
export here work lower unit layout
(
	echo $BASHPID >"$group/cgroup.procs"
	# unshare waits through any other signal; its end is that of all in there.
	exec timeout --signal=KILL 300 unshare --cgroup --pid --mount --uts --ipc --net --fork --kill-child bash "$here/host-boot.sh"
) >"$work/boot" 2>&1 || true
