#!/bin/sh
# Builds the part of OpenCV that tuwen uses as static libraries, so that a package wants no OpenCV of its user's machine:
# opencv.sh FOLDER, which gets lib/ and include/
#
# The source is Debian's (bookworm), without what Debian leaves out for its licence; the version is that of Debian's own
# package, so that the same keypoints are found.
set -eu
out=$1
version=4.6.0
sha256=40a59ba7e5c18a43652de0a08733c9843a39bba619b1f3e26a5fac4a6f041423
url=http://deb.debian.org/debian/pool/main/o/opencv/opencv_$version+dfsg.orig.tar.xz

# What was built by this very script is there; all else is built anew.
made=$(sha256sum <"$0")
[ "$(cat "$out/made" 2>/dev/null)" != "$made" ] || exit 0
mkdir -p "$out"
rm -rf "$out/lib" "$out/include" "$out/build" "$out/opencv-$version"
if [ ! -e "$out/source.tar.xz" ]; then
    curl -sSfL --retry 3 -o "$out/source.part" "$url"
    mv "$out/source.part" "$out/source.tar.xz"
fi
echo "$sha256  $out/source.tar.xz" | sha256sum --check --quiet || {
    rm "$out/source.tar.xz"
    echo "opencv.sh: $url is not the file it was; it was removed, so run this again to fetch it anew" >&2
    exit 1
}
tar -xJf "$out/source.tar.xz" -C "$out"

# Neither windows, files, nor other people's libraries but zlib; SIMD is chosen at run time.
without=$(for part in OPENGL LAPACK TBB IPP OPENCL ITT EIGEN QUIRC PROTOBUF JASPER OPENJPEG JPEG PNG TIFF WEBP OPENEXR \
    GTK FFMPEG GSTREAMER V4L 1394 VA ADE; do printf ' -DWITH_%s=OFF' "$part"; done)
# shellcheck disable=SC2086  # a list of options
cmake -S "$out/opencv-$version" -B "$out/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$PWD/$out" \
    -DBUILD_LIST=core,imgproc,flann,features2d,calib3d -DBUILD_SHARED_LIBS=OFF -DENABLE_PIC=ON \
    -DCPU_BASELINE=SSE2 -DCPU_DISPATCH=SSE4_1,AVX,AVX2 -DCMAKE_CXX_FLAGS="'-ffile-prefix-map=$PWD=.'" \
    -DBUILD_TESTS=OFF -DBUILD_PERF_TESTS=OFF -DBUILD_EXAMPLES=OFF -DBUILD_opencv_apps=OFF -DBUILD_JAVA=OFF \
    -DOPENCV_LIB_INSTALL_PATH=lib $without >"$out/configure.log" 2>&1
cmake --build "$out/build" --parallel "$(nproc)" >"$out/build.log"
cmake --install "$out/build" >"$out/install.log"
echo "$made" >"$out/made"
