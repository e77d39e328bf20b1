#!/usr/bin/env bash
# The root of trial.sh's host, laid out by hand and not by a package.
set -euo pipefail
: "${here:?}" "${binary:?}"
# Only ours is to run.
rm -rf etc/systemd/system/*.wants lib/systemd/system/*.wants
ln -sf /dev/null etc/systemd/system/systemd-networkd-wait-online.service
cp "$binary" usr/bin/starling
mkdir -p etc/starling
cp "$here"/*.yaml "$here"/*.env etc/starling/
cp "$here"/*.service etc/systemd/system/
cp "$here/starling.sysusers" usr/lib/sysusers.d/starling.conf
cp "$here/trial-inside.sh" trial-inside.sh
cat >etc/systemd/system/trial.service <<-'END'
	[Unit]
	DefaultDependencies=no
	[Service]
	Type=simple
	ExecStart=/bin/bash -c "/bin/bash /trial-inside.sh >/out/log 2>&1; echo $? >/out/status; systemctl --no-block exit 0"
END
printf "[Unit]\nDescription=Trial\nRequires=trial.service\n" >etc/systemd/system/trial.target
