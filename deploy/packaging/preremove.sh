#!/bin/sh
# Stops the services, but not where the package is only replaced: deb says `upgrade`, rpm
# the number of versions that are left.
set -e
case ${1:-} in
upgrade | 1) exit 0 ;;
esac
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
	systemctl --no-reload disable --now starling-tracker.service || true
	systemctl stop 'starling-seed@*.service' 'starling-leech@*.service' || true
fi
