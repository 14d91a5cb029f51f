
# From here on the script is the same for every machine.

dir=$(cd "$(dirname "$0")" && pwd)
pod_config=$dir/pod-config.json
container_config=$dir/container-config.json

usage() {
  cat << EOF
usage: $0 [start|stop|status|logs|forward]

  start     pull the image if it is absent, start, and wait for the screen (the default)
  stop      shut the guest down, wait, and remove the pod; the disk stays
  status    what runs; exit code 3 if nothing does
  logs      what the guest wrote; further arguments go to crictl logs, as -f
  forward   the screen on 127.0.0.1:8006 for as long as this runs (crictl port-forward)

The runtime is CONTAINER_RUNTIME_ENDPOINT, or else ${endpoint:-what /etc/crictl.yaml says}. CRICTL names another crictl.
EOF
}

say() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { say "error: $*"; exit 1; }
cri() { "${CRICTL:-crictl}" "$@"; }

# One at a time: another start or stop, also one of vmctl, holds this lock.
take_lock() {
  mkdir -p "$(dirname "$lock")"
  exec 9>> "$lock"
  flock -n 9 || die "another command is changing this machine"
}

# pods prints the pods of this machine, also those that vmctl made.
pods() {
  cri pods --quiet --no-trunc --label "io.vmctl.uid=$uid" || die "the runtime does not answer"
}

# alive POD prints the containers of a pod that run, or may run.
alive() {
  cri ps --quiet --no-trunc --state Running --pod "$1" || die "the runtime does not answer"
  cri ps --quiet --no-trunc --state Unknown --pod "$1" || die "the runtime does not answer"
}

# end_pod POD ends a pod in the one order that is safe for the disk: the container with
# its grace, its exit, then the pod. stopp, rmp -f and stop without --timeout would kill.
end_pod() {
  running=$(alive "$1") || exit 1
  for id in $running; do
    say "shutting the guest down; it has $grace s"
    cri stop --timeout "$grace" "$id" > /dev/null || say "crictl stop failed; waiting for the guest all the same"
  done
  left=30
  while
    running=$(alive "$1") || exit 1
    [ -n "$running" ]
  do
    [ "$left" -gt 0 ] || die "the guest still runs; nothing was removed"
    left=$((left - 1))
    sleep 1
  done
  cri stopp "$1" > /dev/null
  cri rmp "$1" > /dev/null
}

# need PATH: the runtime makes an empty folder of a path that is not there.
need() {
  [ -e "$1" ] || die "$1 is not there"
}

# own PATH: a disk's folder, which is made where the machine is new.
own() {
  [ -n "$made" ] || mkdir -p "$1"
  need "$1"
}

# guard refuses where the image would delete an installed disk.
guard() {
  [ -n "$marker" ] || return 0
  [ ! -e "$storage/$marker" ] || return 0
  for disk in $disks; do
    [ -e "$storage/$disk" ] || continue
    kib=$(du -k "$storage/$disk" | cut -f 1)
    if [ -n "$installed" ] || said_ready || [ "$kib" -ge 2097152 ]; then
      say "refused to protect the disk: $storage/$disk is installed, but was never shut down cleanly since;"
      say "the image would delete it and install anew. To keep it:  touch '$storage/$marker'"
      say "To lose it and install anew:  rm '$storage/$disk'"
      exit 7
    fi
  done
}

# said_ready tells whether the guest said that its installation is finished.
said_ready() {
  [ -r "$log" ] && grep VMCTL_READY "$log" | grep -qv echo
}

# fill_secrets sets config to a container config with the secrets in it, which is gone
# when this script ends.
fill_secrets() {
  config=$container_config
  [ -n "$secrets" ] || return 0
  for secret in $secrets; do
    printenv "$secret" > /dev/null || die "$secret must be in the environment"
  done
  config=$(mktemp "${XDG_RUNTIME_DIR:-/tmp}/vm.XXXXXX")
  trap 'rm -f "$config"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  awk -v names="$secrets" '
    function quoted(s, out, i, c) {
      for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "\n") c = "\\n"
        else if (c == "\t") c = "\\t"
        else if (c == "\\" || c == "\"") c = "\\" c
        out = out c
      }
      return out
    }
    {
      n = split(names, list, " ")
      for (k = 1; k <= n; k++) {
        token = "\"@SECRET_" list[k] "@\""
        at = index($0, token)
        if (at) {
          $0 = substr($0, 1, at) quoted(ENVIRON[list[k]]) substr($0, at + length(token) - 1)
          break
        }
      }
      print
    }' "$container_config" > "$config"
}

start() {
  take_lock
  old=$(pods)
  for pod in $old; do
    running=$(alive "$pod")
    if [ -n "$running" ]; then
      say "it runs already"
      exec 9>&-
      wait_for_viewer "$pod"
      return
    fi
  done
  for pod in $old; do
    end_pod "$pod" # what an end of the guest or a reboot left
  done
  check_mounts
  guard
  fill_secrets
  have=$(cri images --quiet "$image")
  [ -n "$have" ] || cri pull "$image"
  # The runtime appends to a log that is there, and makes a new one for root alone.
  mkdir -p "$(dirname "$log")"
  : >> "$log"
  pod=$(cri runp ${handler:+--runtime "$handler"} "$pod_config")
  if ! start_container "$pod"; then
    end_pod "$pod"
    die "it did not start"
  fi
  exec 9>&-
  wait_for_viewer "$pod"
}

start_container() {
  id=$(cri create "$1" "$config" "$pod_config") && cri start "$id" > /dev/null
}

# addresses POD prints where the screen may answer: the forwarded port, and the pod's own.
addresses() {
  [ -z "$viewer" ] || echo "http://$viewer/"
  ip=$(cri inspectp --output go-template --template '{{.status.network.ip}}' "$1")
  [ -z "$ip" ] || echo "http://$ip:8006/"
}

# answering POD prints the first of them that answers.
answering() {
  for url in $(addresses "$1"); do
    if curl --silent --output /dev/null --max-time 2 "$url"; then
      echo "$url"
      return
    fi
  done
  return 1
}

wait_for_viewer() {
  if ! command -v curl > /dev/null; then
    say "there is no curl to wait for the screen with; it will be at one of:"
    addresses "$1"
    return
  fi
  left=120
  until answering "$1"; do
    running=$(alive "$1")
    [ -n "$running" ] || die "the container has ended; see: $0 logs"
    [ "$left" -gt 0 ] || die "the screen does not answer, but the container runs; see: $0 logs, or try: $0 forward"
    left=$((left - 1))
    sleep 1
  done
}

stop() {
  take_lock
  old=$(pods)
  [ -n "$old" ] || say "it does not run"
  for pod in $old; do
    end_pod "$pod"
  done
}

status() {
  old=$(pods)
  for pod in $old; do
    running=$(alive "$pod")
    if [ -n "$running" ]; then
      echo "running"
      addresses "$pod"
      return
    fi
  done
  echo "stopped"
  return 3
}

logs() {
  pod=$(one_pod)
  id=
  [ -z "$pod" ] || id=$(cri ps --all --quiet --no-trunc --latest --pod "$pod")
  [ -z "$id" ] || exec "${CRICTL:-crictl}" logs "$@" "$id"
  [ -r "$log" ] || die "no log in $log"
  sed -E 's/^[^ ]+ (stdout|stderr) [FP] //' "$log"
}

forward() {
  pod=$(one_pod)
  [ -n "$pod" ] || die "it does not run"
  exec "${CRICTL:-crictl}" port-forward "$pod" 8006:8006
}

# one_pod prints the newest pod; none if it does not run.
one_pod() {
  old=$(pods) || exit 1
  printf '%s\n' "$old" | head -n 1
}

command=${1:-start}
[ $# -eq 0 ] || shift
case $command in
  start | stop | status | logs | forward) ;;
  -h | --help | help) usage; exit ;;
  *) usage >&2; exit 2 ;;
esac
if [ -n "$endpoint" ]; then
  CONTAINER_RUNTIME_ENDPOINT=${CONTAINER_RUNTIME_ENDPOINT:-$endpoint}
  IMAGE_SERVICE_ENDPOINT=${IMAGE_SERVICE_ENDPOINT:-$CONTAINER_RUNTIME_ENDPOINT}
  export CONTAINER_RUNTIME_ENDPOINT IMAGE_SERVICE_ENDPOINT
fi
command -v "${CRICTL:-crictl}" > /dev/null || die "crictl is not there: see github.com/kubernetes-sigs/cri-tools"
command -v flock > /dev/null || die "flock is not there: it is part of util-linux"
"$command" "$@"
