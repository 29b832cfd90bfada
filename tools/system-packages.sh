#!/bin/sh
# Install Debian packages where that is allowed; otherwise name them in one line to copy.
# Usage: tools/system-packages.sh [--quiet-if-done] PACKAGE...
[ "$1" = --quiet-if-done ] && { quiet=yes; shift; }
command -v dpkg-query >/dev/null 2>&1 || exit 0 # not Debian: macOS and Windows bring PortAudio in the wheel
missing=
for package in "$@"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  [ -n "$quiet" ] || echo "System packages are there: $*"
  exit 0
fi
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "Some system packages are missing. To install them: sudo apt install$missing"
  exit 0
fi
echo "Installing system packages:$missing"
log=$(mktemp)
if { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  rm -f "$log"
else
  tail -3 "$log"
  echo "They could not be installed. To try yourself: sudo apt install$missing   (log: $log)"
fi
exit 0
