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
built="$root/artifacts/bench"
if ! log="$(dotnet publish "$project" --configuration Release --artifacts-path "$built" --output "$built/program" --use-current-runtime --no-self-contained \
    -p:PublishReadyToRun=true -p:RunAnalyzers=false --nologo --verbosity quiet 2>&1)"; then
    printf '%s\n' "$log" >&2
    exit 1
fi
exec dotnet "$built/program/AiOptix.Bench.dll" "$@"
