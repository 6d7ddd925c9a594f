#!/usr/bin/env bash
# Install what the tests use of the system and what is missing here: nothing else, and no service
# is left running. Where that is not allowed, say what to type and go on.
set -euo pipefail

# A program of the package : the package's name.
readonly WANTED=(
    aria2c:aria2
    transmission-daemon:transmission-daemon
    opentracker:opentracker
    chromium:chromium
    initdb:postgresql
)
readonly POLICY=/usr/sbin/policy-rc.d

# Debian keeps PostgreSQL's server programs off the PATH, one folder a version.
is_there() {
    case $1 in
        chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
        initdb) command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' ;;
        *) command -v "$1" ;;
    esac >/dev/null
}

as_root() { if [[ $EUID == 0 ]]; then "$@"; else sudo -n "$@"; fi; }

missing=()
for pair in "${WANTED[@]}"; do
    is_there "${pair%%:*}" || missing+=("${pair##*:}")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

advice="tests use these programs, which are missing here: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    echo "$advice; install them by your system's package manager"
    exit 0
fi
command="sudo apt-get install ${missing[*]}"
if [[ $EUID != 0 ]] && ! sudo -n true 2>/dev/null; then
    echo "$advice; type: $command"
    exit 0
fi

echo "tools: installing ${missing[*]} (once)"
# The packages would start their services at once, open to the network. policy-rc.d is Debian's
# way to forbid that; one that is already there (containers have it) is left as it is.
if [[ ! -e $POLICY ]]; then
    trap 'as_root rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
fi
log=$(mktemp)
if ! {
    as_root apt-get update -qq \
        && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
} >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "tools: could not install them; type: $command" >&2
    exit 0
fi
rm -f "$log"
# Nor are they to start with the machine: the tests and the demo start their own.
for service in "${missing[@]}"; do
    case $service in
        transmission-daemon | opentracker | postgresql)
            as_root update-rc.d "$service" disable >/dev/null 2>&1 || true
            as_root systemctl disable "$service" >/dev/null 2>&1 || true
            ;;
    esac
done
