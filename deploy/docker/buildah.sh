#!/bin/sh
# buildah.sh ARGUMENT... is buildah with its store in bin/image, so that nothing of this machine is used or changed.
set -eu
image=$(cd "$(dirname "$0")/../.." && pwd)/bin/image
exec buildah --storage-driver vfs --root "$image/store" --runroot "$image/run" "$@"
