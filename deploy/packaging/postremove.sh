#!/bin/sh
# What was fetched and the user who owns it stay, also after a purge: the one may be
# terabytes, the other's number may own files elsewhere.
set -e
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
