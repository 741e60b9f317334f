#!/bin/sh
# Runs after the package's files are removed. Data and user stay: budgets and undelivered traces are worth more than the disk space.
set -e
if [ -z "${DPKG_ROOT:-}" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
if [ "${1:-}" = purge ]; then
  echo "slowburn: /var/lib/slowburn is left as it is: remove it when nobody needs budgets, alerts and traces any more."
fi
