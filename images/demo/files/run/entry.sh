#!/usr/bin/env bash
# The container's program, started by tini: it gets a guest ready, runs it in
# QEMU and ends it in good order. See the README for what each step needs.
set -euo pipefail
cd /

# shellcheck source=settings.sh
. /run/settings.sh
# shellcheck source=log.sh
. /run/log.sh
# shellcheck source=host.sh
. /run/host.sh
# shellcheck source=web.sh
. /run/web.sh
# shellcheck source=processor.sh
. /run/processor.sh
# shellcheck source=identity.sh
. /run/identity.sh
# shellcheck source=install.sh
. /run/install.sh
# shellcheck source=disk.sh
. /run/disk.sh
# shellcheck source=user.sh
. /run/user.sh
# shellcheck source=nat.sh
. /run/nat.sh
# shellcheck source=lan.sh
. /run/lan.sh
# shellcheck source=network.sh
. /run/network.sh
# shellcheck source=machine.sh
. /run/machine.sh
# shellcheck source=power.sh
. /run/power.sh

info "Starting Demo for Docker v$(< "$DEMO/version")..."
check_host
start_web
show_host
set_cores
set_memory
set_accelerator
prepare_guest
prepare_disk
prepare_further_disks
start_network
start_machine
catch_signals
wait_screen
wait_boot
wait_machine
