#!/bin/sh
# rootfs.sh BINARY DIR writes the image's file system into DIR/system: the binary, its configuration, CA certificates, time
# zones, and its user. DIR/state becomes that user's empty volume. Run from the root of the repository.
set -eu
binary=$1 root=$2/system state=$2/state

for need in "$binary" config.yaml deploy/docker/image.yaml /etc/ssl/certs/ca-certificates.crt /usr/share/zoneinfo/UTC; do
  if [ ! -e "$need" ]; then
    echo "rootfs.sh: $need is not there: run from the root of the repository, with ca-certificates and tzdata installed" >&2
    exit 1
  fi
done

rm -rf "$root" "$state"
umask 022
mkdir -p "$root/usr/bin" "$root/etc/slowburn" "$root/etc/ssl/certs" "$root/usr/share/zoneinfo" "$root/usr/share/doc/slowburn" "$root/var/lib" "$state"
install -m 0755 "$binary" "$root/usr/bin/slowburn"
install -m 0644 config.yaml deploy/docker/image.yaml "$root/etc/slowburn/"
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
install -m 0644 LICENSE "$root/usr/share/doc/slowburn/"
# Zones by their usual names, without their variants (right/, posix/) and text files.
(cd /usr/share/zoneinfo && tar -c --exclude=./right --exclude=./posix --exclude='./*.tab' --exclude='./*.list' --exclude=./localtime .) |
  tar -x -C "$root/usr/share/zoneinfo"
printf 'root:x:0:0:root:/:/sbin/nologin\nslowburn:x:65532:65532:slowburn:/var/lib/slowburn:/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\nslowburn:x:65532:\n' > "$root/etc/group"
