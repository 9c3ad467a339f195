#!/bin/sh
# Makes the Debian package for the release this runs on: deb.sh FOLDER, which gets tuwen_*.deb
set -eu
cd "$(dirname "$0")/.."
out=$1
work=target/deb
target=$(rustc -vV | sed -n 's/^host: //p')

# So that two builds of one commit have the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)
export SOURCE_DATE_EPOCH

packaging/faiss.sh "$work/faiss"
# The program, linked with the shared FAISS in place of the one that faiss-sys would build; FAISS calls the program's sgemm_.
faiss=target.$target.faiss_c
CXXFLAGS='' cargo rustc --release --locked --bin tuwen --target-dir "$work" \
    --config "$faiss.rustc-link-search = ['native=$PWD/$work/faiss']" --config "$faiss.rustc-link-lib = ['faiss_c']" \
    -- -C link-arg=-lgomp -C link-arg=-Wl,-rpath,/usr/lib/tuwen -C link-arg=-Wl,--export-dynamic-symbol=sgemm_ --remap-path-prefix="$PWD=."
mkdir -p "$work/bin"
strip --strip-unneeded -o "$work/bin/tuwen" "$work/release/tuwen"
rm -rf "$work/share"
LD_LIBRARY_PATH=$work/faiss "$work/bin/tuwen" manual "$work/share"
mkdir -p "$out"
LD_LIBRARY_PATH=$work/faiss CARGO_TARGET_DIR=$work cargo deb --no-build --output "$out"
