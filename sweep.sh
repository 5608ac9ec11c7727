#!/usr/bin/env bash
# Verification that is too heavy for test.sh; the results are committed under tests/sweeps/. Some minutes on two cores, the mutations an hour.
# Usage: ./sweep.sh [conformance|light|models|zoo|differential|mutations|memory]...   without a name, all of them.
set -uo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
cd "$root" || exit 1
shared="${AIOPTIX_SHARED:-$root/../shared}"
results="$root/tests/sweeps"
work="$root/artifacts/sweep"
real=(--rtol 1e-3 --scaled-atol 1e-4)
failed=0

# verify TITLE ARGUMENT...: runs optix verify; the title with the counts, and what failed, go to standard output. What is not supported fails nothing here: the
# manifest of the conformance test holds it.
verify() {
    local title="$1" out
    shift
    out="$(./optix verify "$@" 2>&1)"
    printf '%s: %s\n' "$title" "$(tail -n 1 <<<"$out")"
    grep '^FAILED' <<<"$out" | sort | sed 's/^/    /'
    [[ "$(tail -n 1 <<<"$out")" == *" passed, 0 failed, "* && "$out" != "0 passed, 0 failed, 0 skipped" ]]
}

# by_machine TITLE ARGUMENT...: the compiled program under every cap and on 1 and 2 threads.
by_machine() {
    local title="$1" isa threads code=0
    shift
    for isa in none avx2 avx512; do
        for threads in 1 2; do
            verify "$title, plan, isa $isa, threads $threads" "$@" --level plan --isa "$isa" --threads "$threads" || code=1
        done
    done
    return "$code"
}

need() {
    [[ -d "$shared/$1" ]] && return 0
    echo "skipped: ../shared/$1 is not there"
    return 1
}

conformance() {
    need onnx-backend || return 0
    local folders=("$shared"/onnx-backend/{node,simple,pytorch-converted,pytorch-operator}) code=0 level
    for level in reference passes; do verify "conformance, $level" "${folders[@]}" --level "$level" || code=1; done
    by_machine conformance "${folders[@]}" || code=1
    return "$code"
}

light() {
    need onnx-backend/light || return 0
    by_machine light "$shared/onnx-backend/light"
}

# The reference evaluation of one model uses one core: two models at a time, the output in their order.
models() {
    need models || return 0
    local code=0 folder
    mkdir -p "$work"
    rm -f "$work"/*.model
    for folder in "$shared"/models/*/; do
        while [[ "$(jobs -rp | wc -l)" -ge 2 ]]; do wait -n || code=1; done
        for level in reference passes; do verify "$(basename "$folder"), $level" "$folder" --level "$level" "${real[@]}" || exit 1; done >"$work/$(basename "$folder").model" &
    done
    while [[ -n "$(jobs -rp)" ]]; do wait -n || code=1; done
    cat "$work"/*.model
    by_machine models "$shared/models" "${real[@]}" || code=1
    return "$code"
}

# record NAME ARGUMENT...: a full-size model of the zoo as a case.
record() {
    rm -rf "${work:?}/$1"
    ./bench.sh record "$1" "$work/$1" "${@:2}" && return 0
    echo "$1: the answers could not be recorded"
    return 1
}

# Every full-size network against ONNX Runtime, and two of them against the reference evaluation of the file as it is.
zoo() {
    local code=0 name
    for name in $(./optix zoo | awk 'NR > 1 { print $1 }'); do
        record "$name" && by_machine "$name against ONNX Runtime" "$work/$name" "${real[@]}" || code=1
        rm -rf "${work:?}/$name"
    done
    for name in resnet-50 minilm-l6; do
        record "$name" --reference && by_machine "$name" "$work/$name" --rtol 1e-3 --scaled-atol 1e-5 || code=1
        verify "$name, passes" "$work/$name" --level passes --rtol 1e-3 --scaled-atol 1e-5 || code=1
        rm -rf "${work:?}/$name"
    done
    return "$code"
}

# Generated graphs at every level and in ONNX Runtime.
differential() {
    local report="$work/differential.report" code=0
    rm -f "$report"
    AIOPTIX_DIFFERENTIAL="${AIOPTIX_DIFFERENTIAL:-20000}" AIOPTIX_DIFFERENTIAL_REPORT="$report" dotnet test tests/AiOptix.Differential.Tests --configuration Release --nologo \
        --filter FullyQualifiedName~GeneratedGraphs >"$work/differential.log" 2>&1 || code=1
    cat "$report" || code=1
    return "$code"
}

# Damaged models in processes of their own: each must end in an answer or a typed error, none in a crash, a hang or all of the memory.
mutations() {
    need onnx-backend && need models || return 0
    dotnet build tests/AiOptix.Mutation.Tests --configuration Release --nologo --verbosity quiet >&2 || return 1
    dotnet tests/AiOptix.Mutation.Tests/bin/Release/net10.0/AiOptix.Mutation.Tests.dll sweep 2 "${AIOPTIX_MUTANTS:-100000}" "$(nproc)"
}

# A model of 1 GB with external data: memory at most, against its size.
memory() {
    dotnet build tests/AiOptix.Tests --configuration Release --nologo --verbosity quiet >&2 || return 1
    dotnet tests/AiOptix.Tests/bin/Release/net10.0/AiOptix.Tests.dll memory 1000 2
}

mkdir -p "$results" "$work"
./optix --version >/dev/null || exit 1
for part in "${@:-}"; do
    for name in ${part:-conformance light models zoo differential mutations memory}; do
        case "$name" in conformance | light | models | zoo | differential | mutations | memory) ;; *) echo "there is no sweep '$name'" >&2 && exit 2 ;; esac
        begin=$SECONDS
        "$name" >"$work/$name.txt" || failed=1
        { echo "# ./sweep.sh $name on $(grep -m 1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs)"; cat "$work/$name.txt"; } >"$results/$name.txt"
        cat "$work/$name.txt"
        echo "$name: $((SECONDS - begin)) s"
    done
done
exit "$failed"
