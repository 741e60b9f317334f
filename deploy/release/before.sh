#!/bin/sh
# before.sh VERSION makes what the packages carry beside the binary: manual pages and completion, in bin/packages.
set -eu
make -s -o ui build VERSION="v$1"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} deploy/systemd/pages.sh bin/slowburn bin/packages
