#!/bin/sh
# SPDX-License-Identifier: MIT
# A Debian tree with interpreters this machine's own release does not package, and what it takes to
# build Ouro and run the interpreters' own test suites in it.
#
#   chroot.sh create SUITE DIR PACKAGE...   debootstrap SUITE into DIR, then install the packages
#   chroot.sh run DIR COMMAND...            run a command in it, with /proc, /dev and, as /ouro, this
#                                           source tree mounted
#   chroot.sh close DIR                     unmount all that: before DIR is removed, or the source
#                                           tree goes with it
#
#   chroot.sh create trixie /tmp/trixie python3.13-dev python3.13-venv libpython3.13-testsuite
#   chroot.sh create sid /tmp/sid python3.14-dev python3.14-venv libpython3.14-testsuite
#
# Needs root and the package debootstrap. OURO_MIRROR names another Debian mirror.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)

die() {
    echo "chroot.sh: $*" >&2
    exit 2
}

create() {
    suite=$1 dir=$2
    shift 2
    command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
    [ "$(id -u)" = 0 ] || die "needs root: sudo $0 create $suite $dir $*"
    [ -e "$dir/etc/debian_version" ] || debootstrap --variant=minbase \
        --include=ca-certificates,tzdata,locales "$suite" "$dir" \
        "${OURO_MIRROR:-http://deb.debian.org/debian}"
    run "$dir" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        gcc libc6-dev make cmake ninja-build pkg-config libsmartcols-dev libjansson-dev libsqlite3-dev "$@"
}

mount_all() {
    mkdir -p "$1/ouro"
    [ -e "$1/proc/self" ] || mount -t proc proc "$1/proc"
    [ -e "$1/dev/pts/ptmx" ] || {
        mount --bind /dev "$1/dev"
        mount --make-private "$1/dev" # or what is mounted below shows in the host's own /dev
        mount -t devpts devpts "$1/dev/pts"
        mkdir -p "$1/dev/shm"
        mount -t tmpfs tmpfs "$1/dev/shm"
    }
    [ -e "$1/ouro/LICENSE" ] || mount --bind "$root" "$1/ouro"
}

run() {
    dir=$1
    shift
    mount_all "$dir"
    # As the host reaches the network: names, and whom it trusts.
    cp /etc/resolv.conf /etc/hosts "$dir/etc/"
    cp /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/" 2>/dev/null || :
    chroot "$dir" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

close() {
    for place in ouro dev/shm dev/pts dev proc; do
        ! mountpoint -q "$1/$place" || umount "$1/$place"
    done
}

[ $# -ge 2 ] || die "usage: $0 create SUITE DIR PACKAGE... | run DIR COMMAND... | close DIR"
verb=$1
shift
case $verb in
    create | run | close) "$verb" "$@" ;;
    *) die "unknown verb $verb: create, run or close" ;;
esac
