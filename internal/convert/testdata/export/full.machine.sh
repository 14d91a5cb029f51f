#!/bin/sh
# work-win: Windows for work. Written by: vmctl export crictl
#
#     ./machine.sh start|stop|status|logs|forward
#
# start wants in its environment: KEY (command pass), PASSWORD (file /home/anna/.secrets/win).
#
# The paths in the two configs are absolute: this directory stays where it is. Never use crictl rmp
# -f on the pod.
#
# The image deletes the disk at its next start if the guest was never shut down cleanly after the
# installation: after a kill, a removal by force, or a power cut. So stop it once when it is
# installed. Afterwards the file windows.boot is beside the disk.
#
# What is different from vmctl:
# - lifecycle.ready: nobody waits for the guest, as ready = "log" asks
# - lifecycle.idle: nobody shuts it down when it was not used for 30m0s
# - ports: exactly these, where the recipe allows the next free one: viewer 8006
# - ports.vnc: not forwarded, as no host port is chosen; port 5900 answers at the pod's address
# - ports.a-name-that-is-too-long: not forwarded, as no host port is chosen; port 8080 answers at
#   the pod's address
# - ports: nobody looks whether a host port is free
# - runtime: none was asked: the cgroup parent is left out, which a runtime with systemd's driver
#   may want
# - lifecycle.autostart: nobody starts it with the host; have a service of yours run machine.sh
# - lifecycle.restart: nobody starts it again, as restart = "on-failure" asks
set -eu
umask 077

name='work-win'
uid='753af3e0-f3f8-53f6-9a12-e0852208abda'
image='docker.io/dockurr/windows:6.05'
handler='kata'
grace='180'
storage='work-win/storage'
made=''
installed=''
marker='windows.boot'
disks='data.img data.qcow2'
log='work-win/logs/vm.log'
lock='work-win/lock'
viewer='127.0.0.1:8006'
endpoint=''
secrets='KEY PASSWORD'
check_mounts() {
  own 'work-win/storage'
  need '/home/anna/isos/win: 11.iso'
  need '/home/anna/shared'
  own 'work-win/disks/games'
  need '/dev/bus/usb'
}

