#!/bin/sh
# Builds FAISS as shared libraries for packages: faiss.sh FOLDER
#
# One copy is for any CPU of the architecture; one for CPUs with AVX2 lies in glibc-hwcaps/x86-64-v3, where the dynamic
# linker looks first on such a CPU (ld.so(8), "Hardware capabilities"). So one program serves old and new machines.
set -eu
out=$1
source=$(cargo metadata --format-version 1 --locked |
    python3 -c 'import json, os, sys
print(next(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == "faiss-sys"))')/faiss

build() { # FOLDER FLAGS
    # what was built by this very script from this source is there; all else is built anew
    made=$( (cat "$0" && echo "$source" "$2") | sha256sum)
    [ "$(cat "$1/made" 2>/dev/null)" != "$made" ] || return 0
    rm -rf "$1/build" "$1/made"
    mkdir -p "$1"
    cmake -S "$source" -B "$1/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS="$2" -DCMAKE_CXX_VISIBILITY_PRESET=default \
        -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DFAISS_ENABLE_C_API=ON -DFAISS_ENABLE_GPU=OFF \
        -DFAISS_ENABLE_PYTHON=OFF -DBUILD_TESTING=OFF
    cmake --build "$1/build" --target faiss_c --parallel "$(nproc)"
    # One library of both archives. sgemm_ is the program's own where it has one.
    # shellcheck disable=SC2086  # a list of flags
    g++ $2 -shared -fopenmp -o "$1/libfaiss_c.so" -Wl,-soname,libfaiss_c.so -Wl,--whole-archive "$1/build/c_api/libfaiss_c.a" \
        "$1/build/faiss/libfaiss.a" -Wl,--no-whole-archive -llapack -lblas
    strip --strip-unneeded "$1/libfaiss_c.so"
    echo "$made" >"$1/made"
}

build "$out" ''
[ "$(uname -m)" != x86_64 ] || build "$out/glibc-hwcaps/x86-64-v3" '-mavx2 -mfma -mf16c -mpopcnt'
