#!/bin/sh
# Installs the wheel in a clean Debian that has Python and no OpenCV, and searches there: test-wheel.sh WHEEL DATA FOLDER (as root)
#
# DATA is a folder with pictures and captions. Prints the seconds from pip to the first answer, with what has to be learned for it and without.
set -eu
wheel=$1
data=$2
folder=$3
. "$(dirname "$0")/clean-system.sh"
clean_system "$folder" "$release-python" ca-certificates,python3-venv
cp "$wheel" "$root/tmp/"
cp -r "$data" "$root/tmp/data"
cp experiments/card.toml "$root/tmp/"

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
