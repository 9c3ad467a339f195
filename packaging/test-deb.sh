#!/bin/sh
# Installs the package in a clean Debian and uses it there: test-deb.sh PACKAGE FOLDER   (as root)
#
# Prints the seconds from apt-get to the first answer.
set -eu
package=$(readlink -f "$1")
folder=$2
command -v qemu-x86_64-static >/dev/null || { echo 'test-deb: install qemu-user-static' >&2; exit 1; }

. "$(dirname "$0")/clean-system.sh"
clean_system "$folder" "$release" ca-certificates
cp "$package" "$root/tmp/tuwen.deb"

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
