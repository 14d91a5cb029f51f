# The web server on port 8006: first a page about the installation, then the
# screen.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh

start_web() {
  local auth=off
  whole WEB_PORT
  if enabled "$PROTECT"; then
    auth=Demo
    (umask 077 && printf '%s:{PLAIN}%s\n' "${USERNAME:-docker}" "${PASSWORD:-admin}" > /run/htpasswd)
  fi
  # The page exists as long as there is no screen to show.
  cp "$DEMO/web/status.html" "$SHM/index.html"
  status "Starting Demo for Docker"
  sed -e "s/@PORT@/$WEB_PORT/" -e "s/@AUTH@/$auth/" "$DEMO/nginx.conf" > /run/nginx.conf
  nginx -q -e stderr -c /run/nginx.conf || warn "the web server did not start on port $WEB_PORT."
}

# show_screen ends the status page: /msg.html is 404 from now on, and / is the
# screen.
show_screen() {
  case "${DISPLAY,,}" in
    web | :0) rm -f "$SHM/index.html" "$SHM/msg.html" ;;
    vnc) echo "You can now connect to VNC on port $VNC_PORT." > "$SHM/msg.html" ;;
    *) echo "The machine has booted successfully." > "$SHM/msg.html" ;;
  esac
}

stop_web() {
  local pid
  [[ -s /run/nginx.pid ]] && pid=$(< /run/nginx.pid) && kill "$pid" 2> /dev/null
  return 0
}
