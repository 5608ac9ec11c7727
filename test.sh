#!/usr/bin/env bash
# Installs what the tests need, builds once, runs every test project and, from the built wheel, the tests in Python. The last line is
# "N passed, N failed, N skipped".
# Usage: ./test.sh [NAME...]   runs only the test projects whose names contain one of the NAMEs; tests/python goes by the name "python".
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
    if ! command -v chromium >/dev/null && [[ "$(id -u)" -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "installing chromium ..."
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null || true
    fi
    command -v chromium >/dev/null || echo "missing: chromium; tests of pages are skipped"
    if [[ -f bench/node_modules/.package-lock.json && ! bench/package-lock.json -nt bench/node_modules/.package-lock.json ]]; then return; fi
    if ! command -v npm >/dev/null; then
        echo "missing: npm; tests that compare with ONNX Runtime are skipped"
    elif ! (cd bench && npm ci --ignore-scripts --silent); then
        echo "missing: ONNX Runtime (npm ci in bench/ failed); tests that compare with it are skipped"
    else
        touch bench/node_modules/.package-lock.json
    fi
}

# Says what of Python is missing, nothing when all is there.
missing_python() {
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "Python 3.11 or newer"
        return
    fi
    local module
    for module in venv ensurepip numpy pytest; do "$python" -c "import $module" 2>/dev/null || echo "$module"; done
}

install_python() {
    python="${PYTHON:-/usr/bin/python3}"
    command -v "$python" >/dev/null || python=python3
    if [[ "$python" == /usr/bin/python3 && "$(id -u)" -eq 0 ]] && command -v apt-get >/dev/null; then
        local package wanted=()
        for package in python3-venv python3-numpy python3-pytest python3-torch python3-pil libturbojpeg0; do
            dpkg -s "$package" >/dev/null 2>&1 || wanted+=("$package")
        done
        if [[ ${#wanted[@]} -gt 0 ]]; then
            echo "installing ${wanted[*]} ..."
            { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${wanted[@]}"; } >/dev/null || true
        fi
    fi
}

# Builds the wheel, installs it into a new virtual environment and runs tests/python there.
test_python() {
    local log="$results/python.log" missing wheel environment="$root/artifacts/test-venv" dist="$root/artifacts/test-dist"
    install_python
    missing="$(missing_python | paste -sd ' ')"
    if [[ -n "$missing" ]]; then
        echo "missing: $missing"
        python_skipped=1 python_reasons="tests/python: missing $missing"
        return
    fi
    rm -rf "$environment" "$dist"
    if ! { "$python" -m venv --system-site-packages "$environment" && "$environment/bin/python" -m pip wheel "$root" --no-build-isolation --no-deps --wheel-dir "$dist" &&
        wheel="$(echo "$dist"/*.whl)" && "$environment/bin/python" -m pip install --no-index --no-deps "$wheel"; } >"$log" 2>&1; then
        cat "$log"
        echo "the wheel could not be built and installed"
        python_failed=1
        return
    fi
    (cd "$results" && AIOPTIX_WHEEL="$wheel" "$environment/bin/python" -m pytest -p no:cacheprovider --rootdir "$root" --junit-xml "$results/python.xml" "$root/tests/python") >>"$log" 2>&1
    local status=$?
    read -r python_passed python_failed python_skipped < <("$python" - "$results/python.xml" <<'COUNT'
import sys, xml.etree.ElementTree as xml
try:
    suites = list(xml.parse(sys.argv[1]).getroot().iter("testsuite"))
except (OSError, xml.ParseError):
    suites = []
total, failed, skipped = (sum(int(s.get(k, 0)) for s in suites for k in keys) for keys in (("tests",), ("failures", "errors"), ("skipped",)))
print(total - failed - skipped, failed, skipped)
COUNT
    )
    python_reasons="$("$python" -c 'import sys, xml.etree.ElementTree as x; print(*(s.get("message") for s in x.parse(sys.argv[1]).iter("skipped")), sep="\n")' "$results/python.xml" 2>/dev/null)"
    if [[ "$status" -ne 0 ]]; then
        cat "$log"
        [[ "$python_failed" -gt 0 ]] || python_failed=1
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
        # A host that crashed leaves a summary that says so, and no test that failed.
        if ! grep -qs '<UnitTestResult .*outcome="Failed"' "$results/$name.trx"; then
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

python_passed=0 python_failed=0 python_skipped=0 python_reasons=""
if wanted python "$@"; then
    printf 'tests/python ... '
    begin=$SECONDS
    test_python
    [[ "$python_failed" -eq 0 ]] && echo "$((SECONDS - begin)) s"
fi

# Counts results by outcome, and the reasons of those that did not run.
count() { cat "$results"/*.trx 2>/dev/null | grep -c "<UnitTestResult .*outcome=\"$1\""; }
skipped=$(($(count NotExecuted) + python_skipped))
if [[ "$skipped" -gt 0 ]]; then
    echo "skipped, by reason:"
    { [[ -z "$python_reasons" ]] || printf '%s\n' "$python_reasons"
    awk '/<UnitTestResult .*outcome="NotExecuted"/ { open = 1 }
         open && /<Message>/ { sub(/.*<Message>/, ""); sub(/<\/Message>.*/, ""); print; open = 0 }
         open && (/<\/UnitTestResult>/ || /<UnitTestResult .*\/>/) { print "no reason given"; open = 0 }' "$results"/*.trx 2>/dev/null; } | sort | uniq -c | sort -rn
fi
finish $(($(count Passed) + python_passed)) $(($(count Failed) + broken + python_failed)) "$skipped"
