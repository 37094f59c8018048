#!/bin/sh
# SPDX-License-Identifier: MIT
# fresh.sh ROOT - the README's two commands on a bare Debian 12, in a folder made
# by debootstrap from this machine's own package sources.  Needs root.
set -eu
root=$1
release=bookworm

die() { printf 'fresh: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" -eq 0 ] || die "needs root: chroot and mount do"

# Where this machine's apt gets Debian from: "SUITE URI COMPONENT" lines.
# shellcheck disable=SC2016
sources=$(apt-get indextargets \
    --format '$(CREATED_BY) $(ORIGIN) $(RELEASE) $(REPO_URI) $(COMPONENT)' \
    | awk -v release="$release" '$1 == "Packages" && $2 == "Debian" &&
        index($3, release) == 1 { print $3, $4, $5 }' | sort -u)
mirror=$(printf '%s\n' "$sources" | awk -v release="$release" \
    '$1 == release { print $2; exit }')
[ -n "$mirror" ] || die "no apt source here offers $release: run 'apt-get update' first"

place=$(mktemp -d)
chmod 755 "$place" # apt fetches as a user of its own
clean_up() {
    for mounted in dev/pts dev proc sys; do
        umount -l "$place/$mounted" 2>/dev/null || true
    done
    rm -rf --one-file-system "$place"
}
trap clean_up EXIT

echo "fresh: a bare Debian 12 comes to $place"
debootstrap --variant=minbase "$release" "$place" "$mirror" >"$place.log" 2>&1 \
    || { tail -20 "$place.log"; rm -f "$place.log"; die "debootstrap failed"; }
rm -f "$place.log"
printf '%s\n' "$sources" | awk '{ print "deb", $2, $1, $3 }' \
    >"$place/etc/apt/sources.list"
# How this machine reaches them, if through something of its own.
apt-config dump | grep '^Acquire::.*[Pp]roxy' >"$place/etc/apt/apt.conf.d/90proxy" || true
cp -L /etc/resolv.conf /etc/hosts "$place/etc/"

mount -t proc proc "$place/proc"
mount --rbind /sys "$place/sys" 2>/dev/null || true
mount --rbind /dev "$place/dev"
git clone -q "$root" "$place/weir"

for command in demo test; do
    echo "fresh: ./dev $command"
    chroot "$place" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" \
        sh -c "cd /weir && ./dev $command" || die "./dev $command failed"
done
echo "fresh: both of the README's commands work on a bare Debian 12"
