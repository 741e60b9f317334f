#!/bin/sh
# before.sh VERSION makes the other files of the packages: manual pages and completion, in bin/packages.
set -eu
make -s -o ui build VERSION="v$1"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} deploy/systemd/pages.sh bin/slowburn bin/packages
