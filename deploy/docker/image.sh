#!/bin/sh
# image.sh VERSION COMMIT builds the image from deploy/docker/Dockerfile without a network, over bin/slowburn, and unpacks it
# and its debug target into bin/image. Run from the root of the repository, as root, with buildah and busybox-static installed.
set -eu
version=$1 commit=$2
out=bin/image
export BUILDAH_ISOLATION=chroot

rm -rf "$out"
mkdir -p "$out/busybox/bin" "$out/empty"
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
buildah="buildah --storage-driver vfs --root $store/root --runroot $store/run"

deploy/docker/rootfs.sh bin/slowburn "$out/layout"
cp "$(command -v busybox)" "$out/busybox/bin/busybox"
# The stages that compile are not run: their result, and the one that is pulled, are given as contexts of the same names.
sed -n '/^FROM scratch AS image/,$p' deploy/docker/Dockerfile > "$out/Dockerfile"

for target in slowburn debug; do
  $buildah bud --quiet --format docker --target "$target" --tag "$target:check" --file "$out/Dockerfile" \
    --build-context "rootfs=$out/layout" --build-context "busybox=$out/busybox" \
    --build-arg "VERSION=$version" --build-arg "COMMIT=$commit" "$out/empty" > /dev/null
done
$buildah inspect --type image --format '{{.Config}}' slowburn:check > "$out/config.json"
$buildah push --quiet slowburn:check "oci-archive:$out/slowburn.oci.tar:check" > /dev/null
for target in slowburn debug; do
  container=$($buildah from "$target:check")
  mounted=$($buildah mount "$container")
  cp -a "$mounted/." "$out/$target-rootfs"
  mkdir -p "$out/$target-rootfs/proc" # which a runtime makes
  $buildah rm "$container" > /dev/null
done
rm -rf "$out/layout" "$out/busybox" "$out/empty"
