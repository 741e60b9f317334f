#!/bin/sh
# runtime.sh ARGUMENT... runs runc for `buildah run --runtime`, with settings that `buildah run` has no flags for: a read-only root
# (`docker run --read-only`, readOnlyRootFilesystem) and no new privileges. runc keeps its state of containers in bin/image.
set -eu
bundle='' previous='' create=
for argument in "$@"; do
  [ "$argument" != create ] || create=yes
  case $previous in --bundle | -b) bundle=$argument ;; esac
  previous=$argument
done
if [ -n "$create" ]; then
  sed -i 's/"root":{/"root":{"readonly":true,/; s/"process":{/"process":{"noNewPrivileges":true,/' "$bundle/config.json"
  if grep -qF buildah-volumes "$bundle/config.json"; then
    echo "runtime.sh: $bundle/config.json has a volume of buildah's own" >&2
    exit 1
  fi
  for need in '"readonly":true,"path"' '"noNewPrivileges":true,'; do
    grep -qF "$need" "$bundle/config.json" || { echo "runtime.sh: $bundle/config.json has no $need" >&2; exit 1; }
  done
fi
exec runc --root "$(cd "$(dirname "$0")/../.." && pwd)/bin/image/runc" "$@"
