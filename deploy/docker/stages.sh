#!/bin/sh
# stages.sh VERSION COMMIT runs every stage of deploy/docker/Dockerfile, with the compile stages, without a registry: empty images
# replace the pulled ones, and this machine's /usr, Go and caches are mounted over them. apt-get does nothing there. It does not
# test whether the pulled images have all that the stages need. Run from the root of the repository, as root.
set -eu
version=$1 commit=$2
export BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dockerfile=deploy/docker/Dockerfile
buildah="buildah --storage-driver vfs --root $work/store --runroot $work/run"

# A base image with Debian's links in its root, and a replacement for apt-get, which needs a network.
base=$work/base
mkdir -p "$base/usr" "$base/etc" "$base/root" "$base/var/tmp" "$base/shims"
mkdir -m 1777 "$base/tmp"
for directory in bin sbin lib lib64; do
  [ ! -e "/usr/$directory" ] || ln -s "usr/$directory" "$base/$directory"
done
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$base/etc/passwd"
printf '#!/bin/sh\necho "apt-get $* is not run here"\n' > "$base/shims/apt-get"
chmod +x "$base/shims/apt-get"
cat > "$work/Dockerfile" << EOF
FROM scratch
COPY base/ /
ENV PATH=/shims:$(go env GOROOT)/bin:/usr/bin:/bin GOMODCACHE=/cache/mod GOCACHE=/cache/build GOPROXY=$(go env GOPROXY) GOFLAGS= npm_config_cache=/cache/npm npm_config_prefer_offline=true
EOF
mkdir -p "$work/busybox/bin"
cp "$(command -v busybox)" "$work/busybox/bin/"
printf 'FROM scratch\nCOPY busybox/ /\n' > "$work/Dockerfile.busybox"
sed -n 's/^FROM \(--platform=[^ ]* \)\{0,1\}\(docker.io[^ ]*\) AS .*/\2/p' $dockerfile | while read -r pulled; do
  case $pulled in */busybox:*) file=$work/Dockerfile.busybox ;; *) file=$work/Dockerfile ;; esac
  $buildah bud --quiet --tag "$pulled" --file "$file" "$work" > /dev/null
done

# One target copies from all others, so that shared stages run once.
cp $dockerfile "$work/all"
printf '\nFROM scratch AS all\nCOPY --from=slowburn / /slowburn/\nCOPY --from=debug / /debug/\nCOPY --from=shop / /shop/\n' >> "$work/all"
$buildah bud --quiet --pull-never --format docker --target all --tag all --file "$work/all" \
  --volume /usr:/usr:ro --volume /etc/ssl:/etc/ssl:ro --volume /etc/alternatives:/etc/alternatives:ro \
  --volume "$(go env GOMODCACHE):/cache/mod" --volume "$(go env GOCACHE):/cache/build" --volume "$(npm config get cache):/cache/npm" \
  --build-arg "VERSION=$version" --build-arg "COMMIT=$commit" --build-arg "TARGETOS=linux" --build-arg "TARGETARCH=$(go env GOARCH)" . > /dev/null

root=$($buildah mount "$($buildah from all)")
for program in slowburn/usr/bin/slowburn debug/usr/bin/slowburn; do
  "$root/$program" --version
  cmp "$root/$program" bin/slowburn || {
    echo "stages.sh: $program is not what make build made" >&2
    exit 1
  }
done
"$root/shop/usr/bin/shop" --help > /dev/null 2>&1
"$root/debug/bin/busybox" echo "every stage of $dockerfile ran, and its binary is that of make build"
