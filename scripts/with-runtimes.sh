#!/usr/bin/env bash
# Runs a command with two private runtimes beside each other, and ends both after it,
# whatever happens: that of the distribution, and containerd 2 from `make runtime`.
#
#   scripts/with-runtimes.sh COMMAND [ARG...]
#
# The command finds in its environment
#   VMCTL_E2E_ENDPOINTS    "containerd-1=unix:///...,containerd-2=unix:///..."
#   VMCTL_E2E_CONTAINERDS  "containerd-1=/usr/bin/containerd,containerd-2=/.../bin/runtime/containerd"
#   VMCTL_E2E_BIN          the directory with vmctl and vmgui
#   VMCTL_E2E_DEMO         the archive of the demo image, which both runtimes have
#   VMCTL_E2E_CHROMIUM     a browser
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
((EUID == 0)) || {
  echo "with-runtimes.sh: error: must run as root: pods, bridges and mounts are made" >&2
  exit 1
}

# A run of its own, so that two checkouts can be tested on one machine.
run=t$$
vmctl=$root/bin/vmctl
declare -A daemon=([containerd-1]=$(command -v containerd) [containerd-2]=$root/bin/runtime/containerd)
endpoints=() containerds=()

# shellcheck disable=SC2329 # called by the trap
stop_all() {
  local name code=$?
  trap - EXIT
  for name in "${!daemon[@]}"; do
    "$vmctl" --runtime-name "$run-$name" runtime stop || code=1
    rm -rf "/var/lib/vmctl/runtime/$run-$name" "/var/log/vmctl/containerd-$run-$name.log"
  done
  exit "$code"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for name in containerd-1 containerd-2; do
  [[ -x "${daemon[$name]}" ]] || {
    echo "with-runtimes.sh: error: no ${daemon[$name]:-containerd}: make setup runtime" >&2
    exit 1
  }
  endpoint=$("$vmctl" --runtime-name "$run-$name" runtime start --containerd "${daemon[$name]}")
  "$vmctl" --runtime-endpoint "$endpoint" image import "$root/bin/images/demo.tar" > /dev/null
  endpoints+=("$name=$endpoint")
  containerds+=("$name=${daemon[$name]}")
done

export VMCTL_E2E_ENDPOINTS VMCTL_E2E_CONTAINERDS
VMCTL_E2E_ENDPOINTS=$(IFS=,; echo "${endpoints[*]}")
VMCTL_E2E_CONTAINERDS=$(IFS=,; echo "${containerds[*]}")
export VMCTL_E2E_BIN=$root/bin VMCTL_E2E_DEMO=$root/bin/images/demo.tar
VMCTL_E2E_CHROMIUM=$("$root/scripts/browser.sh")
export VMCTL_E2E_CHROMIUM
"$@"
