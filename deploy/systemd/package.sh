#!/bin/sh
# package.sh NFPM VERSION writes the deb and the rpm of bin/slowburn into bin/packages. Run from the root of the repository.
# The same commit gives the same bytes: all times are the commit's.
set -eu
nfpm=$1 version=$2
out=bin/packages

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
ARCH=${ARCH:-$(go env GOARCH)}
# The version of a package begins with a digit.
VERSION=$(echo "$version" | sed -e 's/^v//' -e 's/^[^0-9]/0.0.0~&/')
case $VERSION in *[!0-9a-z.~+-]*) echo "package.sh: $version is no version" >&2; exit 1 ;; esac
case $VERSION in *.*) ;; *) VERSION=0.0.0~git$VERSION ;; esac
export SOURCE_DATE_EPOCH ARCH VERSION

deploy/systemd/pages.sh bin/slowburn "$out"
for kind in deb rpm; do
  "$nfpm" package --config deploy/systemd/nfpm.yaml --packager "$kind" --target "$out/" >/dev/null
done
