#!/bin/sh
# before.sh VERSION builds bin/slowburn, and writes manual pages and completion for the packages into bin/packages.
set -eu
make -s -o ui build VERSION="v$1"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} deploy/systemd/pages.sh bin/slowburn bin/packages
