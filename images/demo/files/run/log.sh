# What the container says: lines for its log, one text for its web page.
# shellcheck shell=bash
#
# The arrows, the colours and the split between the two streams are those of
# the dockur images, so that whoever reads the log meets the same bytes.

info() {
  printf '\033[1;34m❯ \033[1;36m%s\033[0m\n' "$1"
}

warn() {
  printf '\033[1;31m❯ \033[1;33mWarning: %s\033[0m\n' "$1" >&2
}

error() {
  printf '\033[1;31m❯ \033[1;31mERROR: %s\033[0m\n' "$1" >&2
}

# die CODE TEXT ends the container. The codes are listed in the README.
die() {
  error "$2"
  exit "$1"
}

# status TEXT is what GET /msg.html answers until the screen takes over. It
# appears whole: a reader never sees half a line.
status() {
  printf '<p class="loading">%s</p>\n' "$1" > "$SHM/msg.new"
  mv -f "$SHM/msg.new" "$SHM/msg.html"
}
