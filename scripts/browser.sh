#!/usr/bin/env bash
# Prints the path of a Chromium that runs as root without a desktop. Ubuntu has only
# a snap, so there Debian's is unpacked below bin/browser, and a small script that
# runs it in there is printed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for name in chromium google-chrome google-chrome-stable; do
  path=$(command -v "$name" || true)
  if [[ -n "$path" ]] && ! grep -qs snap "$path"; then
    echo "$path"
    exit
  fi
done

dir=$root/bin/browser
if [[ ! -x "$dir/usr/bin/chromium" ]]; then
  echo "browser.sh: unpacking Debian's chromium below $dir" >&2
  rm -rf "$dir" "$dir.new"
  mkdir -p "$dir.new"
  mmdebstrap --quiet --variant=apt --include=chromium \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg bookworm "$dir.new" http://deb.debian.org/debian >&2
  mv "$dir.new" "$dir"
fi
cat > "$root/bin/chromium" << EOF
#!/bin/sh
exec unshare --mount sh -c '
  mount --rbind /dev "$dir/dev" && mount -t proc proc "$dir/proc" && mount --bind /tmp "$dir/tmp" &&
  cp /etc/resolv.conf /etc/hosts "$dir/etc/" 2> /dev/null
  exec chroot "$dir" /usr/bin/chromium "\$@"' chromium "\$@"
EOF
chmod +x "$root/bin/chromium"
echo "$root/bin/chromium"
