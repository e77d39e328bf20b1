#!/usr/bin/env bash
# The second half of trial.sh, in its namespaces: lays out the root and becomes systemd, as
# PID 1. $work, $binary and $systemd are trial.sh's; the folder is that of the units.
set -euo pipefail
: "${work:?}" "${binary:?}" "${systemd:?}"
mount --make-rprivate /
mount -t tmpfs tmpfs "$work/upper"
mkdir "$work/upper/up" "$work/upper/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper/up,workdir=$work/upper/work" "$work/root"
units=$PWD
cd "$work/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup
if [ -d /sys/fs/cgroup/systemd ]; then
	mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
	mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
	mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
else
	umount sys/fs/cgroup
	mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
for d in run tmp; do mount -t tmpfs tmpfs $d; done
mount -t tmpfs -o mode=755,dev tmpfs dev
for n in null zero full random urandom tty; do touch dev/$n; mount --bind /dev/$n dev/$n; done
mkdir dev/pts dev/shm dev/mqueue dev/hugepages out
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount --bind "$work/out" out
ip link set lo up
# Only ours is to run.
rm -rf etc/systemd/system/*.wants lib/systemd/system/*.wants
ln -sf /dev/null etc/systemd/system/systemd-networkd-wait-online.service
echo uninitialized >etc/machine-id
cp "$binary" usr/bin/starling
mkdir -p etc/starling
cp "$units"/*.yaml "$units"/*.env etc/starling/
cp "$units"/*.service etc/systemd/system/
cp "$units/starling.sysusers" usr/lib/sysusers.d/starling.conf
cp "$units/trial-inside.sh" trial-inside.sh
cat >etc/systemd/system/trial.service <<-'END'
	[Unit]
	DefaultDependencies=no
	[Service]
	Type=simple
	ExecStart=/bin/bash -c "/bin/bash /trial-inside.sh >/out/log 2>&1; echo $? >/out/status; systemctl --no-block exit 0"
END
printf "[Unit]\nDescription=Trial\nRequires=trial.service\n" >etc/systemd/system/trial.target
mkdir before
pivot_root . before
cd /
umount -l /before
exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin "$systemd" --system --unit=trial.target --show-status=no
