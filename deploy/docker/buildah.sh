#!/bin/sh
# buildah.sh ARGUMENT... runs buildah with its store in bin/image, so that it neither uses nor changes the machine's store.
set -eu
image=$(cd "$(dirname "$0")/../.." && pwd)/bin/image
exec buildah --storage-driver vfs --root "$image/store" --runroot "$image/run" "$@"
