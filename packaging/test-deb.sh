#!/bin/sh
# Installs the package in a clean Debian and uses it there: test-deb.sh PACKAGE FOLDER   (as root)
#
# debootstrap makes the system in FOLDER once; each run works on a copy of it. Prints the seconds from apt-get to the first
# answer.
set -eu
package=$(readlink -f "$1")
folder=$2
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
for program in debootstrap qemu-x86_64-static; do
    command -v $program >/dev/null || { echo 'test-deb: install debootstrap and qemu-user-static' >&2; exit 1; }
done

clean=$folder/$release
root=$folder/root
if [ ! -e "$clean/ready" ]; then
    rm -rf "$clean"
    debootstrap --variant=minbase --include=ca-certificates "$release" "$clean"
    touch "$clean/ready"
fi
rm -rf "$root"
cp -a "$clean" "$root"
cp "$package" "$root/tmp/tuwen.deb"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# The certificates that this machine trusts, and what it is told of proxies.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 ${https_proxy:+https_proxy="$https_proxy"} "$@"; }

inside apt-get update -qq
start=$(date +%s)
inside apt-get install -y -qq --no-install-recommends /tmp/tuwen.deb curl >/dev/null
installed=$(date +%s)
inside sh -euc 'cd /root
    tuwen demo --out demo
    tuwen fit -q --data demo --recipe card.toml --model demo.tuwen
    tuwen index -q demo/attachment2/ImageData --gallery g --model demo.tuwen
    tuwen search 红色的心 --gallery g --top 3'
end=$(date +%s)
inside sh -euc 'test -s /usr/share/man/man1/tuwen-search.1.gz && test -s /usr/share/bash-completion/completions/tuwen && cd /root &&
    tuwen copies --gallery demo/attachment2/ImageData --queries demo/attachment2/ImageData --out copies.csv -q && test -s copies.csv'
# A CPU of 2008, without AVX: the same pictures are found.
cp "$(command -v qemu-x86_64-static)" "$root/usr/bin/old-cpu"
ask='search 红色的心 --gallery /root/g --top 10 --json'
# shellcheck disable=SC2086  # lists of words
inside tuwen $ask >"$folder/new.json"
# shellcheck disable=SC2086
inside /usr/bin/old-cpu -cpu Nehalem /usr/bin/tuwen $ask >"$folder/old.json"
ids() { sed 's/,/\n/g' "$1" | grep '"id"'; }
[ "$(ids "$folder/new.json")" = "$(ids "$folder/old.json")" ] || { echo 'test-deb: an old CPU finds other pictures' >&2; exit 1; }
echo "installed in $((installed - start)) s, first answer after $((end - start)) s"
