#!/usr/bin/env bash
# Installs the packages of a folder into roots of their own, runs what is in them, removes
# them and looks at what is left. Needs root, dpkg and rpm; changes nothing outside.
#
#	deploy/packaging/check.sh dist
set -euo pipefail
dist=${1:?the folder of the packages}
deb=("$dist"/starling_*.deb)
rpm=("$dist"/starling-*.rpm)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
[ "${#deb[@]} ${#rpm[@]}" = '1 1' ] || fail "want one of each in $dist: ${deb[*]} ${rpm[*]}"

# files ROOT: what a package must bring, in the root it was installed to.
files() {
	local f
	for f in /usr/bin/starling /etc/starling/{tracker,seed,leech}.yaml /etc/starling/fleet.env \
		/usr/lib/systemd/system/starling-{tracker,seed@,leech@}.service /usr/lib/sysusers.d/starling.conf \
		/usr/share/man/man1/starling.1 /usr/share/bash-completion/completions/starling \
		/usr/share/doc/starling/{README.md,docs/deploy.md,starling.cdx.json}; do
		[ -e "$1$f" ] || [ -e "$1$f.gz" ] || fail "no $f"
	done
	[ "$(stat -c '%U:%G %a' "$1/usr/bin/starling")" = 'root:root 755' ] || fail 'the binary is not root:root 755'
	"$1/usr/bin/starling" version
	for f in tracker seed leech; do
		"$1/usr/bin/starling" config validate -c "$1/etc/starling/$f.yaml" >/dev/null
	done
}

# gone ROOT: nothing is left but what may be.
gone() {
	local left
	left=$(find "$1" -not -type d \( -path '*starling*' -not -path '*/var/lib/dpkg/*' -not -path '*/var/lib/rpm/*' -not -path '*/log' \))
	[ -z "$left" ] || fail "left behind: $left"
}

echo "== deb: $(basename "${deb[0]}")"
root=$work/deb
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} "$root/etc"
touch "$root/var/lib/dpkg/status"
# The scripts run outside of the root and are told of it (DPKG_ROOT).
in_deb() { dpkg --root="$root" --force-script-chrootless --log="$root/log" "$@" >/dev/null; }
in_deb --install "${deb[0]}"
files "$root"
grep -q '^starling:' "$root/etc/passwd" || fail 'no user starling'
(cd "$root" && md5sum --quiet -c var/lib/dpkg/info/starling.md5sums)
# What the owner has changed is kept by an upgrade, and by a removal.
echo '# mine' >>"$root/etc/starling/tracker.yaml"
in_deb --force-confold --install "${deb[0]}"
in_deb --remove starling
[ ! -e "$root/usr/bin/starling" ] || fail 'removed, and there'
grep -q '^# mine' "$root/etc/starling/tracker.yaml" || fail 'the configuration was not kept'
in_deb --purge starling
gone "$root"

echo "== rpm: $(basename "${rpm[0]}")"
root=$work/rpm
mkdir -p "$root"
# The scripts of an rpm run in its root, where no shell is: they are the deb's.
in_rpm() { rpm --root "$root" --dbpath /var/lib/rpm --nodeps --noscripts "$@"; }
in_rpm -i "${rpm[0]}"
files "$root"
in_rpm -V starling
echo '# mine' >>"$root/etc/starling/tracker.yaml"
in_rpm -e starling 2>/dev/null
grep -q '^# mine' "$root/etc/starling/tracker.yaml.rpmsave" || fail 'the configuration was not kept'
rm "$root/etc/starling/tracker.yaml.rpmsave"
gone "$root"
echo 'the packages are as they should be'
