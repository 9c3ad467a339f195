# shellcheck shell=sh
# A clean Debian to try packages in, for the release this runs on; as root. To be read by the scripts that try them:
#
#   . packaging/clean-system.sh
#   clean_system FOLDER NAME PACKAGE[,PACKAGE...]     $root is a new copy of it
#   inside COMMAND                                    runs in it
#
# debootstrap makes it once, in FOLDER.
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
certificates=/etc/ssl/certs/ca-certificates.crt

clean_system() {
    command -v debootstrap >/dev/null || { echo "$(basename "$0"): install debootstrap" >&2; exit 1; }
    clean=$1/$2
    root=$1/root
    if [ ! -e "$clean/ready" ]; then
        rm -rf "$clean"
        debootstrap --variant=minbase --include="$3" "$release" "$clean"
        touch "$clean/ready"
    fi
    rm -rf "$root"
    cp -a "$clean" "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    # The certificates that this machine trusts, and what it is told of proxies.
    cp -L "$certificates" "$root$certificates"
}

inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 PIP_CERT="$certificates" \
        ${https_proxy:+https_proxy="$https_proxy"} "$@"
}
