# The installation: a download that only pretends, and the setup image from
# which the guest really installs itself.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh source=identity.sh

# pretend_install takes INSTALL_SECONDS and walks the web page through the
# stages of a real installation, with their percentages.
pretend_install() {
  whole INSTALL_SECONDS
  info "Downloading demo..."
  count_up "Downloading demo" $((INSTALL_SECONDS * 600))
  info "Installing demo..."
  count_up "Installing demo" $((INSTALL_SECONDS * 400))
  status "Creating overlay"
  sleep 0.2
}

# count_up LABEL MILLISECONDS shows "LABEL (12.3%)", five times a second.
count_up() {
  local label=$1 steps=$((($2 + 199) / 200)) i permille
  for ((i = 0; i < steps; i++)); do
    permille=$((1000 * i / steps))
    status "$label ($((permille / 10)).$((permille % 10))%)"
    sleep 0.2
  done
}

# write_setup makes the medium that the guest installs from: a plain tar, used
# as a raw disk. COMMAND and USERNAME are on no other, so that later values of
# them mean nothing to an installed guest.
write_setup() {
  local dir
  dir=$(mktemp -d)
  printf '%s\n' "$VERSION" > "$dir/version"
  printf '%s\n' "${USERNAME:-docker}" > "$dir/user"
  [[ -z "$COMMAND" ]] || printf '%s\n' "$COMMAND" > "$dir/command"
  tar --owner=0 --group=0 --mode=u=rw,go=r -cf "$SETUP" -C "$dir" . 2> /dev/null ||
    die 74 "Not enough free space in $STORAGE to write the setup image!"
  chmod 644 "$SETUP"
  rm -rf "$dir"
}
