#!/usr/bin/env bash
# Compares AI Optix with ONNX Runtime on this machine: ./bench.sh compare ... (./bench.sh --help lists the rest); its data loader with PyTorch's:
# ./bench.sh data [--rounds N] [--json FILE]; its matrix products with OpenBLAS's and oneDNN's: ./bench.sh products.
# Installs the pinned ONNX Runtime under bench/node_modules when it is missing, and when root what data and products compare with (Debian's PyTorch and Pillow,
# OpenBLAS and oneDNN), and builds what has changed.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

if [[ "${1:-}" == data ]]; then
    shift
    python="${PYTHON:-/usr/bin/python3}"
    missing() { "$python" -c 'import numpy, torch, PIL' 2>&1 | tail -1; }
    if [[ -n "$(missing)" && "$(id -u)" -eq 0 ]] && command -v apt-get >/dev/null; then
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-numpy python3-torch python3-pil libturbojpeg0; } >/dev/null || true
    fi
    if [[ -n "$(missing)" ]]; then
        echo "the comparison needs NumPy, PyTorch and Pillow for $python: $(missing)" >&2
        exit 1
    fi
    if ! log="$(cd "$root" && "$python" -c 'import sys; sys.path.insert(0, "python/packaging"); import aioptix_build as b; print(b._publish(b._platform(None)))' 2>&1)"; then
        printf '%s\n' "$log" >&2
        exit 1
    fi
    exec env PYTHONPATH="$root/python" AIOPTIX_DOTNET="$(tail -1 <<<"$log")" "$python" -W ignore "$root/bench/python/data.py" "$@"
fi

if [[ "${1:-}" == products ]]; then
    missing() { for library in libopenblas.so.0 libdnnl.so.2; do ldconfig -p | grep -q "$library" || printf '%s ' "$library"; done; }
    if [[ -n "$(missing)" && "$(id -u)" -eq 0 ]] && command -v apt-get >/dev/null; then
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends libopenblas0 libdnnl2; } >/dev/null || true
    fi
    if [[ -n "$(missing)" ]]; then
        echo "the comparison of products needs $(missing): Debian's libopenblas0 and libdnnl2" >&2
        exit 1
    fi
    export OMP_NUM_THREADS=1
    # This OpenBLAS knows no CPU after Zen 3 and takes AVX2 for it: the name of one with AVX-512 makes it twice as fast.
    ! grep -q avx512f /proc/cpuinfo || export OPENBLAS_CORETYPE=SkylakeX
fi

installed="$root/bench/node_modules/.package-lock.json"
if [[ ! -f "$installed" || "$root/bench/package-lock.json" -nt "$installed" ]]; then
    (cd "$root/bench" && npm ci --ignore-scripts)
    touch "$installed"
fi

project="$root/bench/AiOptix.Bench"
built="$root/artifacts/bench"
if ! log="$(dotnet publish "$project" --configuration Release --artifacts-path "$built" --output "$built/program" --use-current-runtime --no-self-contained \
    -p:CompiledAhead=true -p:RunAnalyzers=false --nologo --verbosity quiet 2>&1)"; then
    printf '%s\n' "$log" >&2
    exit 1
fi
exec dotnet "$built/program/AiOptix.Bench.dll" "$@"
