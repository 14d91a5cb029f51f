#!/bin/sh
# 7linux: linux. Written by: vmctl export crictl
#
#     ./machine.sh start|stop|status|logs|forward
#
# The paths in the two configs are absolute: this directory stays where it is. Never use crictl rmp
# -f on the pod.
#
# What is different from vmctl:
# - lifecycle.ready: nobody waits for the guest, as ready = "viewer" asks
# - ports.53: not forwarded, as no host port is chosen; port 53 answers at the pod's address
# - ports: nobody looks whether a host port is free
# - runtime: none was asked: the cgroup parent is left out, which a runtime with systemd's driver
#   may want
# - devices: USB devices are left out: the node of one is another each time; add it to devices in
#   container-config.json
set -eu
umask 077

name='7linux'
uid='1279e157-a2cc-51c0-b84e-e6c1ebdbd6bf'
image='docker.io/qemux/qemu:7.48'
handler=''
grace='315'
storage='7linux/storage'
made=''
installed=''
marker=''
disks='data.img data.qcow2'
log='7linux/logs/vm.log'
lock='7linux/lock'
viewer='127.0.0.1:8006'
endpoint=''
secrets=''
check_mounts() {
  own '7linux/storage'
}

