#!/bin/sh
# lan: macos. Written by: vmctl export crictl
#
#     ./machine.sh start|stop|status|logs|forward
#
# The paths in the two configs are absolute: this directory stays where it is. Never use crictl rmp
# -f on the pod.
#
# What is different from vmctl:
# - runtime: none was asked: the cgroup parent is left out, which a runtime with systemd's driver
#   may want
# - network: the runtime's CNI network must be macvlan
set -eu
umask 077

name='lan'
uid='a350b55f-b531-51a9-8f85-6f4333b929b7'
image='docker.io/dockurr/macos:3.12'
handler='lan'
grace='120'
storage='lan/storage'
made=''
installed=''
marker=''
disks='data.img data.qcow2'
log='lan/logs/vm.log'
lock='lan/lock'
viewer=''
endpoint=''
secrets=''
check_mounts() {
  own 'lan/storage'
}

