"""The wheel as it is installed here: its metadata and files, how it starts, the command line, and life without any .NET."""

import base64
import csv
import hashlib
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ai_optix as ox

PACKAGE = Path(ox.__file__).parent
DOTNET = PACKAGE / "dotnet"
MOST_BYTES_PACKED = 30e6
NEWEST_GLIBC = (2, 27)

pytestmark = pytest.mark.skipif(not (DOTNET / "optix.dll").is_file(), reason="ai_optix is not installed from a wheel")


@pytest.fixture(scope="module")
def distribution():
    return importlib.metadata.distribution("ai-optix")


@pytest.fixture(scope="module")
def wheel():
    """The archive that was installed, where test.sh says which."""
    if "AIOPTIX_WHEEL" not in os.environ:
        pytest.skip("no archive: $AIOPTIX_WHEEL is not set")
    return Path(os.environ["AIOPTIX_WHEEL"])


def command_line(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "ai_optix", *arguments], capture_output=True, text=True, timeout=120, **options)


def cpu_flags():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    return set(re.search(r"^flags\s*:(.*)$", text + "\nflags :", re.MULTILINE)[1].split())


def bare(**more):
    """An environment in which nothing says where a .NET is."""
    return {"PATH": "/nonexistent", "HOME": "/nonexistent", "DOTNET_ROOT": "/nonexistent", **more}


# The archive and what it installs


def test_the_archive_is_small_and_says_what_it_runs_on(wheel):
    assert re.fullmatch(r"ai_optix-[0-9.]+-py3-none-manylinux_2_27_x86_64\.whl", wheel.name)
    assert wheel.stat().st_size < MOST_BYTES_PACKED


def test_metadata(distribution):
    data = distribution.metadata
    assert (data["Name"], data["License"], data["Requires-Python"]) == ("ai-optix", "Apache-2.0", ">=3.11")
    assert data.get_all("Requires-Dist") == ["numpy>=1.22"]
    assert distribution.version == ox.__version__
    assert "Tag: py3-none-manylinux_2_27_x86_64\n" in distribution.read_text("WHEEL")
    assert [(e.name, e.value) for e in distribution.entry_points] == [("optix", "ai_optix.__main__:main")]


def test_licenses_of_everything_shipped(distribution):
    texts = {Path(str(f)).name: f.locate().read_text(encoding="utf-8") for f in distribution.files if "/licenses/" in str(f)}
    assert "Apache License" in texts["LICENSE"]
    assert "MIT License" in texts["dotnet-LICENSE.txt"]
    assert "dotnet-THIRD-PARTY-NOTICES.txt" in texts
    others = {p.stem for p in DOTNET.glob("*.dll") if not re.match(r"AiOptix|optix|System|Microsoft", p.stem)} | {"System.CommandLine"}
    assert {f"{name}.txt" for name in others} <= texts.keys()


def test_record_has_every_file_and_its_digest(distribution):
    rows = {row[0]: row[1:] for row in csv.reader(distribution.read_text("RECORD").splitlines())}
    there = {p.relative_to(PACKAGE.parent).as_posix() for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    recorded = {name for name in rows if name.startswith("ai_optix/") and "__pycache__" not in name}
    assert there == recorded
    for name in recorded:
        digest = hashlib.sha256((PACKAGE.parent / name).read_bytes()).digest()
        assert rows[name][0] == "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), name


def test_no_stray_files():
    expected = r"[A-Za-z.0-9]+\.dll|lib(coreclr|clrjit|hostfxr|hostpolicy|System\.Native|System\.IO\.Compression\.Native)\.so|optix|optix\.runtimeconfig\.json"
    names = [p.name for p in DOTNET.iterdir() if p.is_file()]
    assert [n for n in names if not re.fullmatch(expected, n)] == []
    assert {p.suffix for p in PACKAGE.rglob("*") if p.is_file() and DOTNET not in p.parents and p.suffix != ".pyc"} == {".py", ".pyi", ".typed"}
    assert os.access(DOTNET / "optix", os.X_OK)


def test_native_files_need_no_newer_system_than_the_tag_says():
    versions = set()
    for file in [*DOTNET.glob("*.so"), DOTNET / "optix"]:
        versions |= {tuple(map(int, v.split(b"."))) for v in re.findall(rb"\0GLIBC_([0-9.]+)\0", file.read_bytes())}
    assert versions
    assert max(versions) <= NEWEST_GLIBC


# Start


def test_the_runtime_is_the_wheel_s_own(python):
    found = python("import ai_optix; print({l.split()[-1] for l in open('/proc/self/maps') if 'libcoreclr' in l})")
    assert found.strip() == repr({str(DOTNET / "libcoreclr.so")})


def test_works_where_no_dotnet_is_installed(python, relu_bytes, tmp_path):
    (tmp_path / "relu.onnx").write_bytes(relu_bytes)
    script = tmp_path / "run.py"
    script.write_text("import numpy as np, ai_optix as ox\nprint(ox.Session('relu.onnx').run({'x': np.array([-1, 2], np.float32)})['y'].tolist())")
    places = [p for p in (Path("/usr/share/dotnet"), Path("/usr/lib/dotnet"), Path("/usr/local/share/dotnet")) if p.is_dir()]
    hide = "".join(f"mount -t tmpfs none {p} && " for p in places)
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "sh", "-c", hide + "true"], capture_output=True).returncode != 0:
        pytest.skip("no private mounts here (unshare -rm): an installed .NET cannot be hidden")
    path = os.environ["PATH"]
    commands = " && ".join([f"{hide}cd {tmp_path}", f"'{sys.executable}' run.py", f"'{sys.executable}' -m ai_optix inspect relu.onnx"])
    done = subprocess.run(["unshare", "-rm", "sh", "-c", commands], capture_output=True, text=True, env=bare(PATH=path), timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("[0.0, 2.0]\n")
    assert "Relu" in done.stdout


def test_environment_and_signal_handlers_are_as_before(python):
    script = """
import ctypes, os, signal
libc = ctypes.CDLL(None)
def dispositions():
    buffers = [ctypes.create_string_buffer(512) for _ in range(3)]
    for number, buffer in zip((signal.SIGINT, signal.SIGTERM, signal.SIGQUIT), buffers): libc.sigaction(number, None, buffer)
    return [b.raw[:8] for b in buffers]
before = dict(os.environ), dispositions()
import ai_optix
assert (dict(os.environ), dispositions()) == before
signal.signal(signal.SIGALRM, lambda *a: os.kill(os.getpid(), signal.SIGINT)); signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    import time; time.sleep(20)
except KeyboardInterrupt: print("interrupted")
"""
    assert python(script) == "interrupted\n"


def test_sigterm_ends_the_process_as_without_ai_optix():
    process = subprocess.Popen([sys.executable, "-c", "import ai_optix, time; print('up', flush=True); time.sleep(60)"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    process.stdout.close()


def test_what_is_set_for_other_dotnet_programs_does_no_harm(python, monkeypatch):
    for name, value in {
        "DOTNET_STARTUP_HOOKS": "/nonexistent.dll", "CORECLR_ENABLE_PROFILING": "1", "CORECLR_PROFILER": "{00000000-0000-0000-0000-000000000001}",
        "CORECLR_PROFILER_PATH": "/nonexistent.so", "DOTNET_DiagnosticPorts": "/nonexistent,suspend", "DOTNET_gcServer": "1", "DOTNET_GCHeapHardLimit": "1000",
        "DOTNET_EnableWriteXorExecute": "1", "DOTNET_ROOT": "/nonexistent",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    script = "import os; before = dict(os.environ); import ai_optix; print(dict(os.environ) == before)"
    assert python(script) == "True\n"


def test_a_second_import_gives_the_same_module(python):
    script = """
import sys, ai_optix
first = ai_optix._native
for name in [n for n in sys.modules if n.split('.')[0] == 'ai_optix']: del sys.modules[name]
import ai_optix
print(ai_optix._native is first)
"""
    assert python(script) == "True\n"


def test_a_subinterpreter_is_refused(python):
    script = """
import sys
try: import _xxsubinterpreters as interpreters
except ImportError: import _interpreters as interpreters
interpreters.run_string(interpreters.create(), f'''
import importlib.util
spec = importlib.util.spec_from_file_location("host", {sys.argv[1]!r})
host = importlib.util.module_from_spec(spec); spec.loader.exec_module(host)
try: host.start()
except RuntimeError as e: print(e)
''')
"""
    assert python(script, PACKAGE / "_host.py") == "ai_optix cannot be imported in a subinterpreter: import it in the main interpreter\n"


def test_says_what_is_missing(python, tmp_path, monkeypatch):
    script = "try: import ai_optix\nexcept ImportError as e: print(e)"
    monkeypatch.setenv("AIOPTIX_DOTNET", str(tmp_path))
    assert f"there is no optix.dll in {tmp_path}" in python(script)
    (tmp_path / "optix.dll").touch()
    (tmp_path / "libhostfxr.so").write_text("no library")
    assert "cannot start its .NET runtime" in python(script)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("sys.version_info = (3, 10, 0)", "needs CPython 3.11 or newer"),
        ("sys.version = '3.13.0 experimental free-threading build'", "free-threaded build"),
        ("sys.maxsize = 2**31 - 1", "32-bit"),
        ("os.confstr = lambda name: 'glibc 2.17'", "glibc 2.27 or newer; this one has 2.17"),
        ("os.confstr = lambda name: None", "another C library"),
    ],
)
def test_refuses_what_it_cannot_serve(python, change, says):
    script = f"""
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("host", sys.argv[1])
host = importlib.util.module_from_spec(spec); spec.loader.exec_module(host)
{change}
try: host.start()
except ImportError as e: print(e)
"""
    assert says in python(script, PACKAGE / "_host.py")


def test_an_installed_dotnet_serves_where_there_is_no_private_one(python, monkeypatch):
    built = Path(__file__).resolve().parents[2] / "python" / "packaging" / "bin" / "Release" / "net10.0"
    if not (built / "optix.dll").is_file() or not shutil.which("dotnet"):
        pytest.skip("no build of the solution beside these tests, or no .NET installed")
    monkeypatch.setenv("AIOPTIX_DOTNET", str(built))
    found = python("import ai_optix; print(*{l.split()[-1] for l in open('/proc/self/maps') if 'libcoreclr.so' in l})")
    assert Path(found.strip()).match("shared/Microsoft.NETCore.App/10.*/libcoreclr.so")


def test_the_newest_installed_dotnet_10_is_taken(python, tmp_path, monkeypatch):
    (tmp_path / "optix.dll").touch()
    root = tmp_path / "root"
    monkeypatch.setenv("DOTNET_ROOT", str(root))
    for version in ("9.0.1", "10.0.2", "10.0.11", "11.0.0-preview.1"):
        (root / "host" / "fxr" / version).mkdir(parents=True)
        (root / "shared" / "Microsoft.NETCore.App" / version).mkdir(parents=True)
        (root / "shared" / "Microsoft.NETCore.App" / version / "System.Private.CoreLib.dll").touch()
    script = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("host", sys.argv[1])
host = importlib.util.module_from_spec(spec); spec.loader.exec_module(host)
print(host._find(pathlib.Path(sys.argv[2])))
"""
    assert python(script, PACKAGE / "_host.py", tmp_path).strip() == repr((root / "host/fxr/11.0.0-preview.1/libhostfxr.so", root))


# The command line


def kernels_compiled(tmp_path, **more):
    """The kernels that the JIT compiles when the command line opens and runs the digits model, and the answer's bytes."""
    listing, folder = tmp_path / "compiled.txt", tmp_path / "answer"
    listing.unlink(missing_ok=True)
    environment = {**os.environ, "DOTNET_JitStdOutFile": str(listing), "DOTNET_JitDisasmSummary": "1", **more}
    command = [DOTNET / "optix", "run", DOTNET / "digits" / "model.onnx", "--output-dir", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    compiled = [line.split("JIT compiled ", 1)[1] for line in listing.read_text().splitlines() if "JIT compiled " in line]
    assert compiled, "the runtime did not tell what it compiled"
    kernels = [line for line in compiled if line.startswith("AiOptix.Kernels.") and "[Tier1" not in line and "Jit.GeneratedCode" not in line]
    return kernels, [path.read_bytes() for path in sorted(folder.iterdir())]


@pytest.mark.skipif(not {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= cpu_flags(), reason="kernels are compiled ahead for AVX-512")
def test_kernels_are_compiled_ahead(tmp_path):
    kernels, answer = kernels_compiled(tmp_path)
    assert kernels == []
    kernels, same = kernels_compiled(tmp_path, DOTNET_ReadyToRun="0")
    assert kernels
    assert same == answer


@pytest.mark.parametrize("missing", ["DOTNET_EnableAVX512", "DOTNET_EnableAVX2"])
def test_kernels_compiled_ahead_are_set_aside_where_the_cpu_lacks_their_sets(tmp_path, missing):
    kernels, _ = kernels_compiled(tmp_path, **{missing: "0"})
    assert any("FullOpts" in kernel for kernel in kernels)


def test_help_and_exit_codes(tmp_path):
    assert "inspect" in command_line("--help").stdout
    assert command_line("doctor").returncode == 0
    missing = command_line("inspect", str(tmp_path / "missing.onnx"))
    assert missing.returncode != 0
    assert "missing.onnx" in missing.stderr
    script = Path(sys.executable).with_name("optix")
    assert subprocess.run([script, "--version"], capture_output=True, text=True).stdout.startswith(ox.__version__)


def test_capped_instruction_sets_start_a_process_of_their_own(shared):
    done = command_line("verify", str(shared / "models" / "mnist-8"), "--isa", "none", env=bare())
    assert done.returncode == 0, done.stderr


def test_ctrl_c_ends_the_command_line(shared):
    command = [sys.executable, "-m", "ai_optix", "bench", str(shared / "models" / "mnist-8" / "model.onnx"), "--seconds", "60"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while b"/dotnet/optix\0" not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
        time.sleep(0.01)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT)
