#!/bin/sh
# image.sh VERSION COMMIT builds the image and its debug target from deploy/docker/Dockerfile and bin/slowburn, without a network. It
# writes into bin/image: the image as an OCI archive, its configuration, its files, and buildah's store with a container of each target
# for `deploy/docker/buildah.sh run`. Run from the root of the repository, as root, with buildah and busybox-static installed.
set -eu
version=$1 commit=$2
out=bin/image
export BUILDAH_ISOLATION=chroot
buildah=deploy/docker/buildah.sh

# Nothing to do if the image was built from these files by these scripts.
made_of=$(sha256sum bin/slowburn config.yaml LICENSE deploy/docker/*; echo "$version $commit")
if [ -e "$out/made-of" ] && [ "$(cat "$out/made-of")" = "$made_of" ]; then
  echo "bin/image is current"
  exit 0
fi

for container in "$out"/runc/*; do # left by a run that was killed
  [ ! -d "$container" ] || runc --root "$out/runc" delete --force "${container##*/}" || true
done
rm -rf "$out"
mkdir -p "$out/busybox/bin" "$out/empty"

# skip REASON lists a part that cannot be built on this machine, for the tests of the image, and exits. With DEPLOY_STRICT it is an error.
skip() {
  echo "$1" > "$out/skipped"
  echo "SKIP deploy-image: $1" | tee -a bin/deploy-skipped
  [ -z "${DEPLOY_STRICT:-}" ] || exit 1
  exit 0
}
for need in buildah busybox; do
  command -v "$need" > /dev/null || skip "$need is not installed: apt-get install buildah busybox-static runc"
done
try=$($buildah from scratch 2>&1) || skip "buildah cannot make a container here: $try"
$buildah rm "$try" > /dev/null
deploy/docker/rootfs.sh bin/slowburn "$out/layout"
cp "$(command -v busybox)" "$out/busybox/bin/busybox"
# The compile stages and the pulled image are replaced by build contexts of the same names.
sed -n '/^FROM scratch AS image/,$p' deploy/docker/Dockerfile > "$out/Dockerfile"

for target in slowburn debug; do
  $buildah bud --quiet --format docker --target "$target" --tag "$target:check" --file "$out/Dockerfile" \
    --build-context "rootfs=$out/layout" --build-context "busybox=$out/busybox" \
    --build-arg "VERSION=$version" --build-arg "COMMIT=$commit" "$out/empty" > /dev/null
done
$buildah inspect --type image --format '{{.Config}}' slowburn:check > "$out/config.json"
$buildah push --quiet slowburn:check "oci-archive:$out/slowburn.oci.tar:check" > /dev/null
for target in slowburn debug; do
  $buildah from --name "$target" "$target:check" > /dev/null
  # The image's volume is renamed: `buildah run` sometimes mounts a volume of its own there, instead of that of --volume.
  $buildah config --volume /var/lib/slowburn- "$target"
done
cp -a "$($buildah mount slowburn)/." "$out/slowburn-rootfs"
mkdir -p "$out/slowburn-rootfs/proc" # a runtime mounts it
mkdir "$($buildah mount slowburn)/testdata" # run.sh mounts the files of test/e2e there
rm -rf "$out/layout" "$out/busybox" "$out/empty"
echo "$made_of" > "$out/made-of"
