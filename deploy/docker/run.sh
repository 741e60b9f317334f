#!/bin/sh
# run.sh ARGUMENT... runs the image in place of bin/slowburn for the tests of test/e2e: by `buildah run` and runc, as the image's user,
# with a read-only root, SLOWBURN_DATA_DIR as its only volume, and only the environment that the image and the tests set.
# `--config ../../config.yaml` becomes the image's own command, and testdata/ is mounted at /testdata. SIGTERM is passed on to the
# gateway, as a container engine does. Run as root, in test/e2e, after `make deploy-image`.
set -eu
docker=$(realpath "$(dirname "$0")") volume=$SLOWBURN_DATA_DIR
chown 65532:65532 "$volume"
count=$#
while [ "$count" -gt 0 ]; do
  argument=$1
  shift
  if [ "$argument" = ../../config.yaml ]; then
    set -- "$@" /etc/slowburn/config.yaml --config /etc/slowburn/image.yaml
  else
    set -- "$@" "$argument"
  fi
  count=$((count - 1))
done
set -- slowburn /usr/bin/slowburn "$@"
for name in $(env | sed -n 's/^\(E2E_[A-Z0-9_]*\|SLOWBURN_BACKEND\)=.*/\1/p'); do
  set -- --env "$name=$(printenv "$name")" "$@"
done

# The PID namespace ends with this process, so that SIGKILL ends the gateway too.
setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc \
  "$docker/buildah.sh" run --isolation oci --runtime "$docker/runtime.sh" --network host --cap-drop all --workingdir / \
  --volume "$volume:/var/lib/slowburn" --volume "$(realpath testdata):/testdata:ro" "$@" &
namespace=$!

# gateway_of PID prints the PID of the gateway among its descendants.
gateway_of() {
  for child in $(cat "/proc/$1/task"/*/children 2> /dev/null); do
    if [ "$(readlink "/proc/$child/exe")" = /usr/bin/slowburn ]; then echo "$child"; else gateway_of "$child"; fi
  done
}
# A signal before the gateway runs ends the process that starts it.
terminate() {
  gateway=$(gateway_of "$namespace")
  if [ -n "$gateway" ]; then kill -TERM "$gateway"; else kill -KILL "$namespace"; fi
}
trap terminate TERM INT
status=0
wait "$namespace" || status=$?
while kill -0 "$namespace" 2> /dev/null; do # a signal interrupted the wait; the gateway still runs
  status=0
  wait "$namespace" || status=$?
done
exit "$status"
