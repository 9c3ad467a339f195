#!/bin/sh
# Installs the wheel in a clean Debian that has Python and no OpenCV, and searches there: test-wheel.sh WHEEL DATA FOLDER (as root)
#
# debootstrap makes the system in FOLDER once; each run works on a copy of it. DATA is a folder with pictures and captions.
# Prints the seconds from pip to the first answer, with what has to be learned for it and without.
set -eu
wheel=$1
data=$2
folder=$3
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
command -v debootstrap >/dev/null || { echo 'test-wheel: install debootstrap' >&2; exit 1; }

clean=$folder/$release-python
root=$folder/root
if [ ! -e "$clean/ready" ]; then
    rm -rf "$clean"
    debootstrap --variant=minbase --include=ca-certificates,python3-venv "$release" "$clean"
    touch "$clean/ready"
fi
rm -rf "$root"
cp -a "$clean" "$root"
cp "$wheel" "$root/tmp/"
cp -r "$data" "$root/tmp/data"
cp experiments/card.toml "$root/tmp/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# The certificates that this machine trusts, and what it is told of proxies.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt ${https_proxy:+https_proxy="$https_proxy"} "$@"; }

inside python3 -m venv /root/venv
start=$(date +%s)
inside /root/venv/bin/pip install -q "/tmp/$(basename "$wheel")"
installed=$(date +%s)
inside /root/venv/bin/python -c '
import tuwen
tuwen.fit("/tmp/card.toml", "/tmp/data", work="/root", progress=False).save("/root/demo.tuwen")
'
learned=$(date +%s)
inside /root/venv/bin/python -c '
import tuwen
gallery = tuwen.Gallery.create("/root/g", tuwen.Model.open("/root/demo.tuwen"))
gallery.sync("/tmp/data/attachment2/ImageData", progress=False)
hits = gallery.search("红色的心", k=3)
assert len(hits) == 3
for hit in hits:
    print(hit)
'
end=$(date +%s)
echo "installed in $((installed - start)) s, learned in $((learned - installed)) s, indexed and answered in $((end - learned)) s"
