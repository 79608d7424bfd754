#!/bin/sh
# Makes the virtual environment with a pinned uv in it: make_venv.sh DIRECTORY UV_VERSION.
set -eu
venv=$1
version=$2

python=
for candidate in python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { echo "FoodSentry needs Python 3.11 or newer (python3 was not found or is older)." >&2; exit 1; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian and Ubuntu ship venv apart from Python.
    package=$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")')
    echo "· $python lacks the venv module: installing $package"
    if [ "$(id -u)" = 0 ]; then
        apt-get update -q && apt-get install -y -q "$package"
    elif command -v sudo >/dev/null 2>&1; then
        sudo apt-get update -q && sudo apt-get install -y -q "$package"
    else
        echo "Please have an administrator run: apt-get install $package" >&2
        exit 1
    fi
fi

echo "· creating $venv with $("$python" --version)"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
[ "$("$venv/bin/uv" --version | cut -d' ' -f2)" = "$version" ] ||
    { echo "requirements/uv.txt and the Makefile disagree on uv's version; run make lock." >&2; exit 1; }
