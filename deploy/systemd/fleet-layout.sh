#!/usr/bin/env bash
# The root of a host of fleet.sh: the package lies there, and on head-1 the content.
set -euo pipefail
: "${hostname:?}" "${deb:?}" "${size:?}" "${lower:?}"
if [ "$lower" = / ]; then
	rm -rf etc/systemd/system/*.wants etc/rc?.d
	rm -f var/lib/man-db/auto-update # a machine with many manuals indexes them for long
fi
ln -sf /dev/null etc/systemd/system/systemd-networkd-wait-online.service
echo "$hostname" >etc/hostname
printf '127.0.0.1 localhost\n10.77.0.11 head-1\n10.77.0.12 node-1\n10.77.0.13 node-2\n' >etc/hosts
cp "$deb" root/
if [ "$hostname" = head-1 ]; then
	mkdir root/model
	head -c $((size / 2)) /dev/urandom >root/model/weights-1
	head -c $((size - size / 2)) /dev/urandom >root/model/weights-2
	echo '{}' >root/model/config.json
fi
cat >etc/systemd/system/up.service <<-'END'
	[Unit]
	After=multi-user.target
	[Service]
	Type=oneshot
	ExecStart=/bin/touch /out/up
	[Install]
	WantedBy=multi-user.target
END
mkdir -p etc/systemd/system/multi-user.target.wants
ln -s ../up.service etc/systemd/system/multi-user.target.wants/
