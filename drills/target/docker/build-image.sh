#!/bin/sh
# Makes the MySQL image lifeboat/mysql:9.7 from Debian's packages, for machines
# that can't pull mysql:8.4 from a registry. The drills use it when mysql:8.4 is
# not there and DRILL_MYSQL_IMAGE is not set.
#
# usage: sudo ./build-image.sh [image] [mirror]
#
# Needs root, debootstrap, Docker, 1.5 GB of disk for the time being, and a
# Debian mirror. Debian has MySQL in its unstable suite only.
set -eu

image=${1:-lifeboat/mysql:9.7}
mirror=${2:-https://deb.debian.org/debian}

need() {
	command -v "$1" >/dev/null 2>&1 || { echo "build-image.sh: $1 is missing: $2" >&2; exit 1; }
}
need debootstrap "apt-get install debootstrap"
need docker "install Docker"
if [ "$(id -u)" -ne 0 ]; then
	echo "build-image.sh: debootstrap needs root: run me with sudo" >&2
	exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT INT TERM
debootstrap --variant=minbase --include=mysql-server-core,ca-certificates sid "$root" "$mirror"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar -C "$root" -c . | docker import - "$image" >/dev/null

docker run --rm --network none "$image" mysqld --version
echo "build-image.sh: made $image"
