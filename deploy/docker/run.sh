#!/bin/sh
# run.sh ARGUMENT... runs the image that image.sh unpacked, in place of bin/slowburn where the tests of test/e2e start it: as the
# image's user, over a root that cannot be written, with SLOWBURN_DATA_DIR as the one volume, and with no environment but what
# the image and the tests set. `--config ../../config.yaml` becomes the image's own command, and testdata/ is mounted beside it.
# The process that was started becomes the gateway, so that it gets the signals. Run as root, in test/e2e.
set -eu
if [ -z "${RUN_IN_NAMESPACE:-}" ]; then
  export RUN_IN_NAMESPACE=1
  exec unshare --mount --propagation private "$0" "$@"
fi

image=$(realpath ../../bin/image) volume=$SLOWBURN_DATA_DIR user=65532
root=$image/root
if [ ! -e "$image/slowburn-rootfs/usr/bin/slowburn" ]; then
  echo "run.sh: $image/slowburn-rootfs is not there: make deploy-image" >&2
  exit 1
fi
chown "$user:$user" "$volume"

# The image's directories, and the places to mount things that a runtime makes.
mkdir -p "$root"
mount -t tmpfs tmpfs "$root"
for directory in "$image/slowburn-rootfs"/*; do
  mkdir "$root/${directory##*/}"
  mount --bind -o ro "$directory" "$root/${directory##*/}"
done
mkdir "$root/testdata"
mount --bind -o ro testdata "$root/testdata"
mount --rbind /proc "$root/proc"
mount --bind "$volume" "$root/var/lib/slowburn"
mount -o remount,ro "$root"

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
# What the tests set; every other name of this environment stays outside.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
  case $name in
    E2E_* | SLOWBURN_BACKEND) ;;
    *) unset "$name" ;;
  esac
done
export PATH=/usr/sbin:/usr/bin:/sbin:/bin SLOWBURN_DATA_DIR=/var/lib/slowburn
exec chroot --userspec="$user:$user" --groups= "$root" /usr/bin/slowburn "$@"
