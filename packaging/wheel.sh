#!/bin/sh
# Makes the package for Python: wheel.sh MATURIN FOLDER, which gets tuwen-*.whl
#
# The part of OpenCV that is used and FAISS are inside, for any CPU of the architecture; other libraries are put beside by
# auditwheel's rules, so that the package wants nothing of its user's machine but glibc.
set -eu
cd "$(dirname "$0")/.."
maturin=$1
out=$2
work=target/wheel

# So that two builds of one commit have the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)
export SOURCE_DATE_EPOCH

# maturin changes the module that cargo has built, and would take the changed one for a new one the next time.
rm -rf "$work/maturin" "$work"/release/lib_tuwen.so "$work"/release/deps/lib_tuwen.so
packaging/opencv.sh "$work/opencv"
# A static library comes before those that it needs.
OPENCV_LINK_LIBS=opencv_calib3d,opencv_features2d,opencv_flann,opencv_imgproc,opencv_core,z
OPENCV_LINK_PATHS=$PWD/$work/opencv/lib
OPENCV_INCLUDE_PATHS=$PWD/$work/opencv/include/opencv4
CXXFLAGS=
export OPENCV_LINK_LIBS OPENCV_LINK_PATHS OPENCV_INCLUDE_PATHS CXXFLAGS
# Flags are divided by a character that no path has.
CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$PWD=." PATH="$(dirname "$maturin"):$PATH" "$maturin" build --release --locked --strip \
    --auditwheel repair --target-dir "$work" -m bindings/python/Cargo.toml --out "$out"
