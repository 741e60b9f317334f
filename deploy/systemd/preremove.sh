#!/bin/sh
# Runs before the package's files are removed. An upgrade (deb: "upgrade", rpm: a number above 0) does not stop the service.
set -e
case "${1:-}" in
  remove | 0)
    if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
      systemctl disable --now slowburn.service
    fi
    ;;
esac
