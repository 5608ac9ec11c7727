#!/usr/bin/env bash
# Compares AI Optix with ONNX Runtime on this machine: ./bench.sh compare ... (./bench.sh --help lists the rest).
# Installs the pinned ONNX Runtime under bench/node_modules when it is missing, and builds what has changed.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

installed="$root/bench/node_modules/.package-lock.json"
if [[ ! -f "$installed" || "$root/bench/package-lock.json" -nt "$installed" ]]; then
    (cd "$root/bench" && npm ci --ignore-scripts)
    touch "$installed"
fi

project="$root/bench/AiOptix.Bench"
if ! log="$(dotnet build "$project" --configuration Release --nologo --verbosity quiet 2>&1)"; then
    printf '%s\n' "$log" >&2
    exit 1
fi
exec dotnet "$project/bin/Release/net10.0/AiOptix.Bench.dll" "$@"
