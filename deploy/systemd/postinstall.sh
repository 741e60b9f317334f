#!/bin/sh
# Runs after the package's files are installed or upgraded. With DPKG_ROOT set it works in that root.
set -e
root=${DPKG_ROOT:-}

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers --root="$root/" slowburn.conf
elif ! grep -q '^slowburn:' "$root/etc/passwd"; then
  useradd --system --no-create-home --home-dir /var/lib/slowburn --shell /usr/sbin/nologin ${root:+--root "$root"} slowburn
fi
chgrp "$(sed -n 's/^slowburn:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")" "$root/etc/slowburn/config.yaml"

if [ -z "$root" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart slowburn.service # after an upgrade; acknowledged spans are in the span log
fi
if [ -z "$root" ]; then
  echo "slowburn: systemctl enable --now slowburn starts the gateway; /etc/slowburn/config.yaml is yours."
fi
