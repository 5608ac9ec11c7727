#!/usr/bin/env bash
# Installs what the tests need, builds once, runs every test project. The last line is "N passed, N failed, N skipped".
# Usage: ./test.sh [NAME...]   runs only the test projects whose names contain one of the NAMEs.
set -uo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
cd "$root" || exit 1
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
results="$root/artifacts/tests"

finish() {
    printf '%d passed, %d failed, %d skipped\n' "$1" "$2" "$3"
    [[ "$2" -eq 0 && "$1" -gt 0 ]]
    exit
}

install() {
    if ! command -v dotnet >/dev/null && [[ -x "${HOME:-}/.dotnet/dotnet" ]]; then PATH="$HOME/.dotnet:$PATH"; fi
    if ! command -v dotnet >/dev/null && [[ "$(id -u)" -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "installing the .NET 10 SDK ..."
        { apt-get update -qq && apt-get install -y -qq dotnet-sdk-10.0; } >/dev/null || true
    fi
    if ! command -v dotnet >/dev/null; then
        echo "missing: the .NET 10 SDK (dotnet); no test can run without it"
        finish 0 1 0
    fi
    if [[ -f bench/node_modules/.package-lock.json && ! bench/package-lock.json -nt bench/node_modules/.package-lock.json ]]; then return; fi
    if ! command -v npm >/dev/null; then
        echo "missing: npm; tests that compare with ONNX Runtime are skipped"
    elif ! (cd bench && npm ci --ignore-scripts --silent); then
        echo "missing: ONNX Runtime (npm ci in bench/ failed); tests that compare with it are skipped"
    else
        touch bench/node_modules/.package-lock.json
    fi
}

wanted() {
    local name="$1"
    shift
    [[ $# -eq 0 ]] && return 0
    for word in "$@"; do [[ "$name" == *"$word"* ]] && return 0; done
    return 1
}

install
echo "building ..."
if ! log="$(dotnet build AiOptix.slnx --configuration Release --nologo --verbosity quiet -nodeReuse:false 2>&1)"; then
    printf '%s\n' "$log" | sort -u
    echo "the build failed"
    finish 0 1 0
fi

rm -rf "$results"
mkdir -p "$results"
broken=0
for project in tests/*/*.csproj; do
    name="$(basename "$project" .csproj)"
    wanted "$name" "$@" || continue
    printf '%s ... ' "$name"
    begin=$SECONDS
    if ! dotnet test "$project" --configuration Release --no-build --nologo --logger "trx;LogFileName=$name.trx" --results-directory "$results" \
        --blame-hang --blame-hang-timeout 10m --blame-hang-dump-type none >"$results/$name.log" 2>&1; then
        echo "FAILED"
        cat "$results/$name.log"
        if ! grep -qs 'outcome="Failed"' "$results/$name.trx"; then
            echo "$name ended without a result"
            broken=$((broken + 1))
        fi
    elif [[ ! -f "$results/$name.trx" ]]; then
        echo "no tests found"
        broken=$((broken + 1))
    else
        echo "$((SECONDS - begin)) s"
    fi
done

# Counts results by outcome, and the reasons of those that did not run.
count() { cat "$results"/*.trx 2>/dev/null | grep -c "<UnitTestResult .*outcome=\"$1\""; }
skipped="$(count NotExecuted)"
if [[ "$skipped" -gt 0 ]]; then
    echo "skipped, by reason:"
    awk '/<UnitTestResult .*outcome="NotExecuted"/ { open = 1 }
         open && /<Message>/ { sub(/.*<Message>/, ""); sub(/<\/Message>.*/, ""); print; open = 0 }
         open && (/<\/UnitTestResult>/ || /<UnitTestResult .*\/>/) { print "no reason given"; open = 0 }' "$results"/*.trx | sort | uniq -c | sort -rn
fi
finish "$(count Passed)" $(($(count Failed) + broken)) "$skipped"
