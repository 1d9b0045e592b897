#!/bin/sh
# systemd as process 1 of a machine that is this one and touches nothing of it: run in fresh mount, process,
# cgroup, network, host name and IPC namespaces, it builds a root of its own (this file system below, memory
# above), leaves the old one altogether, and becomes systemd. Nothing of the host is left to write to: /tmp, /run,
# /dev, /var are memory, /proc/sys is read-only, what would set the machine up is masked.
# usage: boot.sh ROOT (an empty folder), with the files to lay over the system in $OVER
set -eu
root=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
mkdir "$root/upper" "$root/work" "$root/new"
cp -a "$OVER/." "$root/upper/"
mkdir -p "$root/upper/etc/systemd/system" "$root/upper/var"
rm -f "$root/upper/etc/machine-id"
echo uninitialized > "$root/upper/etc/machine-id"
units="$root/upper/etc/systemd/system"
for unit in systemd-tmpfiles-setup systemd-tmpfiles-setup-dev systemd-tmpfiles-clean systemd-sysctl \
  systemd-modules-load systemd-udevd systemd-udev-trigger systemd-udev-settle systemd-random-seed \
  systemd-remount-fs systemd-binfmt systemd-hwdb-update systemd-firstboot systemd-sysusers systemd-timesyncd \
  systemd-pstore systemd-logind systemd-update-utmp systemd-boot-update console-setup keyboard-setup; do
  ln -sf /dev/null "$units/$unit.service"
done
for unit in dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
  proc-sys-fs-binfmt_misc.automount systemd-udevd-kernel.socket systemd-udevd-control.socket; do
  ln -sf /dev/null "$units/$unit"
done
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/new"
cd "$root/new"
mount -t proc proc proc
mount -o bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
[ ! -e proc/sysrq-trigger ] || mount -o bind /dev/null proc/sysrq-trigger
mount -t sysfs sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
for at in run tmp var/lib/weft; do
  mkdir -p "$at"
  mount -t tmpfs tmpfs "$at"
done
mount -t tmpfs -o mode=755 tmpfs dev
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r name major minor <<END
$device
END
  mknod -m 666 "dev/$name" c "$major" "$minor"
done
ln -s /proc/self/fd dev/fd
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir -p run/old
pivot_root . run/old
umount -l /run/old
ip link set lo up
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=weft /lib/systemd/systemd --system --unit=weft-test.target
