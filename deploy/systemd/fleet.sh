#!/usr/bin/env bash
# Does what docs/deploy.md says of systemd, as a new user would: on three hosts that have
# nothing of starling, with the package, the commands of the page as they stand there,
# timed from the first of them until every host has the content. Each host is a systemd
# of its own in namespaces; a bridge joins them. Needs root; nothing of it is left
# afterwards.
#
#	deploy/systemd/fleet.sh dist/starling_*.deb [ROOT]
#
# ROOT is a Debian for the hosts to see a copy-on-write view of, as debootstrap makes one:
#
#	debootstrap --include=systemd-sysv,dbus,iproute2 bookworm ROOT
#
# Without one they see this machine's, without its services. Status 77: this machine
# lets no systemd boot or has no bridges.
set -euo pipefail
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -f "$1" ]; then
	echo 'usage: fleet.sh DEB [ROOT]' >&2
	exit 2
fi
[ "$(id -u)" = 0 ] || { echo 'not root' >&2; exit 77; }
# The network of the hosts is one of ours, and gone with us.
if [ -z "${starling_fleet:-}" ]; then
	unshare --net true || { echo 'no network namespaces' >&2; exit 77; }
	exec env starling_fleet=1 unshare --net "$(realpath "${BASH_SOURCE[0]}")" "$@"
fi
deb=$(realpath "$1") root=$(realpath "${2:-/}")
cd "$(dirname "${BASH_SOURCE[0]}")"
page=$(realpath ../../docs/deploy.md)
hosts=(head-1 node-1 node-2)
size=${STARLING_FLEET_BYTES:-268435456}

work=$(mktemp -d)
# shellcheck disable=SC2317 # the trap calls it
clean() {
	local h
	for h in "${hosts[@]}"; do
		[ ! -e "$work/$h/pid" ] || kill -KILL "$(cat "$work/$h/pid")" 2>/dev/null || true
	done
	wait
	rm -rf --one-file-system "$work"
}
trap clean EXIT
export deb size

fail() { echo "$*" >&2; exit 1; }

# block N: the commands of the page's Nth indented block about systemd.
block() {
	awk -v want="$1" '
		/^## / { ours = /systemd/ }
		ours && /^    / { if (!inside) n++; inside = 1; if (n == want) print substr($0, 5); next }
		{ inside = 0 }' "$page"
}

# as HOST COMMANDS: by its root, each of which must succeed.
as() {
	local h=$1
	shift
	nsenter --target "$(cat "$work/$h/pid")" --mount --uts --ipc --net --pid --cgroup -- \
		env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb bash -euc "cd /root; $*"
}

# on HOST COMMANDS: the same, shown as they would be typed.
on() {
	local c
	while IFS= read -r c; do printf '%s# %s\n' "$1" "$c"; done <<<"$2"
	as "$@" || { as "$1" 'journalctl --no-pager -n 20 -u "starling-*"'; fail "$1: failed"; }
}

echo "== ${#hosts[@]} hosts"
ip link set lo up
ip link add fleet0 type bridge || { echo 'no bridges' >&2; exit 77; }
ip link set fleet0 up
for h in "${hosts[@]}"; do
	mkdir "$work/$h"
	hostname=$h ./host.sh "$work/$h" "$root" multi-user.target fleet-layout.sh &
done
n=10
for h in "${hosts[@]}"; do
	for _ in {1..100}; do [ -e "$work/$h/pid" ] && break; sleep 0.1; done
	[ -e "$work/$h/pid" ] || { cat "$work/$h/boot" >&2 || true; echo "$h did not boot" >&2; exit 77; }
	n=$((n + 1))
	ip link add "$h" type veth peer name eth0 netns "$(cat "$work/$h/pid")"
	ip link set "$h" up master fleet0
	nsenter --target "$(cat "$work/$h/pid")" --net sh -c "ip address add 10.77.0.$n/24 dev eth0 && ip link set eth0 up"
done
for h in "${hosts[@]}"; do
	for _ in {1..300}; do [ -e "$work/$h/out/up" ] && break; sleep 0.1; done
	[ -e "$work/$h/out/up" ] || { tail -n 5 "$work/$h/boot" >&2; echo "$h did not boot" >&2; exit 77; }
done

began=$(date +%s%N)
since() {
	local ms=$((($(date +%s%N) - began) / 1000000))
	printf -- '-- %s after %d.%d s\n' "$*" $((ms / 1000)) $((ms / 100 % 10))
}
for h in "${hosts[@]}"; do on "$h" "$(block 2)"; done
since installed
on head-1 "$(block 3)"
since 'the seed seeds'
for h in "${hosts[@]:1}"; do on "$h" "$(block 4)"; done
since 'the others fetch'
on node-1 "$(block 5)"
since 'every host has it'

want=$(as head-1 'cd model && sha256sum *')
for h in "${hosts[@]:1}"; do
	got=$(as "$h" 'cd /var/lib/starling/data/model && sha256sum *')
	[ "$got" = "$want" ] || fail "$h has something else: $got, want $want"
done

echo '== replaced while the tracker is away, removed'
as head-1 'systemctl stop starling-tracker'
as node-1 "$(block 2)"
as head-1 'systemctl start starling-tracker'
as node-1 'until systemctl --quiet is-active starling-leech@model; do sleep 0.2; done; dpkg -P starling'
for left in 'systemctl list-units --all --no-legend "starling*"' 'ls -d /etc/starling /etc/systemd/system/*.wants/starling* 2>/dev/null || true' 'find /proc/[0-9]*/exe -lname "/usr/bin/starling*" 2>/dev/null || true'; do
	got=$(as node-1 "$left")
	[ -z "$got" ] || fail "left behind: $got"
done
as node-1 'cd /var/lib/starling/data/model && ls' # what was fetched stays
