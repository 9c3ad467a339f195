#!/bin/sh
# Gets a machine ready to build tuwen: system packages (Debian, Ubuntu), and .cargo/config.toml, which tells
# the build where OpenCV is. Run by `make setup`; a second run finds nothing to do.
#
#   TUWEN_PORTABLE=1   build FAISS without AVX2, for machines older than this one
set -eu
cd "$(dirname "$0")"

say() { printf 'setup: %s\n' "$*" >&2; }

# ---- packages -----------------------------------------------------------------------------------------
# OpenCV: SIFT and ORB.  clang: reads OpenCV's headers for the Rust bindings.  cmake, g++: build FAISS.
# OpenBLAS: linear algebra.  npm: fetches the demo set.
opencv='libopencv-core-dev libopencv-imgproc-dev libopencv-features2d-dev libopencv-flann-dev libopencv-calib3d-dev'
packages="$opencv clang cmake g++ make libopenblas-dev"
command -v npm >/dev/null || packages="$packages npm"

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    missing=
    for p in $packages; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
    if [ -n "$missing" ]; then
        sudo=
        [ "$(id -u)" -eq 0 ] || sudo=sudo
        say "installing, to build and run tuwen:$missing"
        say "by: $sudo apt-get install --no-install-recommends$missing"
        $sudo apt-get update -qq
        # shellcheck disable=SC2086  # a list of words
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >&2
    fi
elif [ ! -f .cargo/config.toml ]; then
    say 'this is not Debian or Ubuntu; if the build fails, install OpenCV 4 (core, imgproc, features2d, flann,'
    say 'calib3d) with headers, clang, cmake, a C++ compiler with OpenMP, OpenBLAS and npm:'
    say '  Fedora:  dnf install opencv-devel clang cmake gcc-c++ openblas-devel npm'
    say '  Arch:    pacman -S opencv clang cmake gcc openblas npm'
    say '  macOS:   brew install opencv llvm cmake libomp openblas node'
fi

if ! command -v cargo >/dev/null; then
    say 'cargo is missing: install Rust 1.92 or newer (https://rustup.rs), then run this again'
    exit 1
fi

# ---- where OpenCV is ----------------------------------------------------------------------------------
# Debian's small packages bring no opencv4.pc, so that the usual places are looked at after pkg-config.
first_with() { # NAME DIR...: the first of the folders that has NAME
    name=$1
    shift
    for dir in "$@"; do
        for file in "$dir"/$name; do
            [ -e "$file" ] && { printf '%s' "$dir"; return 0; }
        done
    done
    return 1
}
arch=$(gcc -print-multiarch 2>/dev/null || true)
[ -n "$arch" ] || arch=$(uname -m)-linux-gnu
libdir=$(pkg-config --variable=libdir opencv4 2>/dev/null || true)
libs=$(first_with 'libopencv_core.*' ${libdir:+"$libdir"} "/usr/lib/$arch" /usr/lib64 /usr/lib /usr/local/lib /opt/homebrew/lib) || {
    say 'OpenCV is not found: no libopencv_core in the usual places; set OPENCV_LINK_PATHS and OPENCV_INCLUDE_PATHS'
    exit 1
}
headers=$(first_with 'opencv2/core.hpp' /usr/include/opencv4 /usr/local/include/opencv4 /opt/homebrew/include/opencv4) || {
    say 'the headers of OpenCV 4 are not found: install its development package'
    exit 1
}
[ -d "/usr/include/$arch/opencv4" ] && headers="$headers,/usr/include/$arch/opencv4"

# The faiss crate has no option for AVX2: its C++ compiler is told here. Such a build needs a CPU with it.
flags=
if [ -z "${TUWEN_PORTABLE:-}" ] && grep -qw avx2 /proc/cpuinfo 2>/dev/null; then
    flags='CXXFLAGS = "-mavx2 -mfma -mf16c -mpopcnt"'
fi

config=$(cat <<TOML
# Written by setup.sh for this machine; TUWEN_PORTABLE=1 make setup writes it without AVX2.
[env]
OPENCV_LINK_LIBS = "opencv_core,opencv_imgproc,opencv_features2d,opencv_flann,opencv_calib3d"
OPENCV_LINK_PATHS = "$libs"
OPENCV_INCLUDE_PATHS = "$headers"
$flags
TOML
)
if [ "$(cat .cargo/config.toml 2>/dev/null)" != "$config" ]; then
    mkdir -p .cargo
    printf '%s\n' "$config" >.cargo/config.toml
    say "wrote .cargo/config.toml (OpenCV in $libs${flags:+, with AVX2})"
fi
