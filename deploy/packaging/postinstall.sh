#!/bin/sh
# Makes the services' user. Nothing is started or enabled: which of the services a host
# is to have only its owner knows.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers ${DPKG_ROOT:+--root="$DPKG_ROOT"} starling.conf
elif [ -z "$DPKG_ROOT" ] && ! id starling >/dev/null 2>&1; then
	useradd --system --user-group --home-dir /var/lib/starling --no-create-home --shell /usr/sbin/nologin starling
fi
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# After an upgrade: what runs goes on as the new version. It is not waited for. A
	# leech whose tracker is away just now, or who has much to hash, is no reason to
	# leave the package half installed.
	systemctl try-restart --no-block starling-tracker.service 'starling-seed@*.service' 'starling-leech@*.service' || true
fi
