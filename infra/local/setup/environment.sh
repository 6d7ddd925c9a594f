#!/usr/bin/env bash
# Make .venv: the locked requirements, then our packages (the arguments), editable.
#
# PYTHON chooses the interpreter; without it the first of the usual names that is new enough is
# taken. Nothing is written outside .venv, and no root is needed, but where a Debian without
# python3-venv offers no other way.
set -euo pipefail

readonly VENV=.venv
# libtorrent has no wheel for 3.14 yet.
readonly NEEDED='import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))'
readonly LOG=$VENV/setup.log
# shellcheck disable=SC2016  # awk's variables, not the shell's
readonly COUNT='
    /^ *(Collecting|Obtaining|Requirement already satisfied)/ {
        printf "\r%s: %d of %d", what, ++n, total; fflush()
    }
    /^Installing collected packages/ { printf ", installing"; fflush() }
    END { print "" }'

fail() {
    echo "set-up: $*" >&2
    exit 1
}

# It must run, not only be there: a version manager leaves names behind that do not.
is_new_enough() { "$1" -c "$NEEDED" >/dev/null 2>&1; }

find_python() {
    if [[ -n ${PYTHON:-} ]]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is no Python 3.11, 3.12 or 3.13; name another"
        echo "$PYTHON"
        return
    fi
    local name
    for name in python3.11 python3.12 python3.13 python3 python; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found; install one (Debian: apt-get install python3 python3-venv) \
or name one: make PYTHON=/path/to/python3"
}

# Prints the command that installs into .venv: its own pip, or that of another interpreter.
find_pip() {
    if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        echo "$VENV/bin/python -m pip"
        return
    fi
    local other
    for other in "$1" python3 python; do
        if "$other" -m pip --python "$VENV/bin/python" --version >/dev/null 2>&1; then
            echo "$other -m pip --python $VENV/bin/python"
            return
        fi
    done
    return 1
}

may_install() { command -v apt-get >/dev/null && { [[ $EUID == 0 ]] || sudo -n true 2>/dev/null; }; }

as_root() { if [[ $EUID == 0 ]]; then "$@"; else sudo -n "$@"; fi; }

# Each way in turn; Debian and Ubuntu ship a python3 whose venv cannot put pip into what it makes.
make_venv() {
    local python=$1
    rm -rf "$VENV"
    "$python" -m venv "$VENV" >/dev/null 2>&1 && return
    rm -rf "$VENV"
    "$python" -m venv --without-pip "$VENV" >/dev/null 2>&1 && find_pip "$python" >/dev/null && return
    rm -rf "$VENV"
    virtualenv --quiet --python "$python" "$VENV" >/dev/null 2>&1 && return
    rm -rf "$VENV"
    local version package
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package=python$version-venv
    if may_install; then
        echo "set-up: installing $package (this Python cannot make environments)"
        as_root apt-get update -qq >/dev/null 2>&1 || true
        as_root apt-get install -y -qq "$package" >/dev/null 2>&1 || true
        "$python" -m venv "$VENV" >/dev/null 2>&1 && return
        rm -rf "$VENV"
    fi
    fail "this Python cannot make environments; type: sudo apt-get install $package"
}

# Runs pip with few words: a count on a terminal, its last lines where it fails.
install() {
    local what=$1 total=$2
    shift 2
    local say=cat
    if [[ -t 1 ]]; then
        say="awk -v total=$total -v what=\"$what\" '$COUNT'"
    else
        echo "$what: $total"
        say='cat >/dev/null'
    fi
    # shellcheck disable=SC2086  # the command has several words
    if ! $PIP install --no-input --disable-pip-version-check --progress-bar off "$@" 2>&1 \
        | tee -a "$LOG" | eval "$say"; then
        echo "set-up: pip failed; its last lines (all of them: $LOG):" >&2
        tail -n 15 "$LOG" >&2
        exit 1
    fi
}

started=$SECONDS
if [[ -x $VENV/bin/python ]] && is_new_enough "$VENV/bin/python" \
    && [[ ! -e $VENV/.ready || $(cat "$VENV/.ready") == "$PWD" ]] \
    && PIP=$(find_pip python3); then
    echo "set-up: bringing $VENV up to date"
else
    python=$(find_python)
    echo "set-up: $("$python" --version) -> $VENV (once; a minute or two)"
    make_venv "$python"
    PIP=$(find_pip "$python") || fail "no pip found for $VENV; type: sudo apt-get install python3-pip"
fi

: >"$LOG"
install "  locked packages" "$(grep -c == requirements.lock)" \
    --no-deps --require-hashes --requirement requirements.lock
editable=()
for package in "$@"; do
    editable+=(--editable "$package")
done
install "  packages of Chronicle" $# --no-deps --no-build-isolation "${editable[@]}"

# Last, so that an interrupted set-up is done again.
echo "$PWD" >"$VENV/.ready"
echo "set-up: ready after $((SECONDS - started)) s"
