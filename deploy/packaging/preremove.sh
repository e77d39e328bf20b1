#!/bin/sh
# Stops the services and takes them out of the boot, but not where the package is only
# replaced: deb says `upgrade`, rpm the number of versions that are left.
set -e
case ${1:-} in
upgrade | 1) exit 0 ;;
esac
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
	# Instances are enabled under names that only these links tell.
	for link in /etc/systemd/system/*.wants/starling-*.service; do
		[ ! -L "$link" ] || systemctl --no-reload disable "${link##*/}" || true
	done
	systemctl stop starling-tracker.service 'starling-seed@*.service' 'starling-leech@*.service' || true
fi
