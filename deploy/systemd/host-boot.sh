#!/usr/bin/env bash
# The second half of host.sh, in its namespaces: lays out the root and becomes systemd, as
# PID 1. The variables are host.sh's.
set -euo pipefail
: "${here:?}" "${work:?}" "${lower:?}" "${unit:?}" "${layout:?}"
mount --make-rprivate /
# /proc is that of the namespace outside, which knows the PID that we have there.
read -r pid _ </proc/self/stat
echo "$pid" >"$work/pid.new"
mv "$work/pid.new" "$work/pid"
mount -t tmpfs tmpfs "$work/upper"
mkdir "$work/upper/up" "$work/upper/work"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/upper/up,workdir=$work/upper/work" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for d in run tmp; do mount -t tmpfs tmpfs $d; done
mount -t tmpfs -o mode=755,dev tmpfs dev
for n in null zero full random urandom tty; do touch dev/$n; mount --bind /dev/$n dev/$n; done
mkdir -p dev/pts dev/shm dev/mqueue dev/hugepages out
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount --bind "$work/out" out
ip link set lo up
# A first boot would enable whatever the root has.
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
bash "$layout"
mkdir before
pivot_root . before
cd /
umount -l /before
rmdir /before
exec env -i container=starling PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit="$unit" --show-status=no
