#!/bin/sh
# Puts together what a release hands out: release.sh FOLDER, after `make deb wheel`
#
# The source of the commit, the packages, what each of them is made of (CycloneDX 1.5), and the SHA-256 of all. Two runs on one
# commit and one machine give the same bytes.
set -eu
cd "$(dirname "$0")/.."
out=$1
[ -z "$(git status --porcelain)" ] || { echo 'release: there are changes that are not committed; commit or stash them' >&2; exit 1; }
# One version of all packages.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

rm -rf "$out"
mkdir -p "$out"
git archive --prefix="tuwen-$version/" HEAD | gzip -9n >"$out/tuwen-$version.tar.gz"
cp target/deb/tuwen_*.deb target/wheels/tuwen-*.whl "$out"
# Crates of the workspace are named by their folder: here by the source archive's.
trap 'git clean -fq -- ":(glob)**/*.cdx.json"' EXIT
cargo cyclonedx -qq --format json --spec-version 1.5
for package in . crates/nets bindings/python; do
    name=$(sed -n 's/^name = "\(.*\)"/\1/p' $package/Cargo.toml | head -1)
    sed "s|file://$PWD|file:///tuwen-$version|g" "$package/$name.cdx.json" >"$out/$name-$version.cdx.json"
done
(cd "$out" && sha256sum -- * >SHA256SUMS && ls -l)
