"""The build backend (PEP 517): publishes the C# side with the .NET SDK and packs it with the Python layer into one wheel.

It needs nothing but Python's standard library and the .NET SDK, and writes only below artifacts/wheel. Settings, as
``--config-settings name=value`` or in the environment:

=========== ================== =====================================================================================
platform    AIOPTIX_PLATFORM   linux-x64, linux-arm64, osx-arm64 or win-x64; by default this machine's
=========== ================== =====================================================================================

SOURCE_DATE_EPOCH sets the time of every file in the archive, as usual.
"""

import base64
import csv
import hashlib
import io
import os
import platform as machine
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PROJECT = "python/packaging/AiOptix.Wheel.csproj"
_OUTPUT = _ROOT / "artifacts" / "wheel"
_LICENSES = Path(__file__).parent / "licenses"
_SOURCES = (
    "python/ai_optix", "python/packaging", "src", "demo/digits", "pyproject.toml", "README.md", "LICENSE", "Directory.Build.props",
    "Directory.Packages.props", "global.json", ".editorconfig",
)  # fmt: skip
_NOT_SOURCES = {"bin", "obj", "__pycache__"}
_OLDEST_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class _Platform:
    """A .NET runtime identifier and the oldest system that its runtime supports, as a wheel's tag says it."""

    identifier: str
    tag: str
    tested: bool = False


_PLATFORMS = {
    p.identifier: p
    for p in (
        _Platform("linux-x64", "manylinux_2_27_x86_64", tested=True),
        _Platform("linux-arm64", "manylinux_2_27_aarch64"),
        _Platform("osx-arm64", "macosx_14_0_arm64"),
        _Platform("win-x64", "win_amd64"),
    )
}
_HERE = {("Linux", "x86_64"): "linux-x64", ("Linux", "aarch64"): "linux-arm64", ("Darwin", "arm64"): "osx-arm64", ("Windows", "AMD64"): "win-x64"}


def get_requires_for_build_wheel(config_settings=None):
    return []


get_requires_for_build_sdist = get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    platform = _platform(config_settings)
    folder = _publish(platform)
    files = {f"ai_optix/{name}": path for name, path in _tree(_ROOT / "python" / "ai_optix").items()}
    files |= {f"ai_optix/dotnet/{name}": path for name, path in _tree(folder).items() if not name.startswith("licenses/")}
    licenses = {"LICENSE": _ROOT / "LICENSE", **_tree(folder / "licenses"), **_third_party(folder)}
    return _write_wheel(Path(wheel_directory), platform, files, licenses)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    platform = _platform(config_settings)
    lines = f"{_ROOT / 'python'}\nimport os; os.environ.setdefault('AIOPTIX_DOTNET', {str(_publish(platform))!r})\n"
    return _write_wheel(Path(wheel_directory), platform, {"ai_optix_editable.pth": lines.encode()}, {"LICENSE": _ROOT / "LICENSE"})


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    project = _project()
    folder = Path(metadata_directory) / _info(project)
    folder.mkdir()
    for name, text in _metadata(project, _platform(config_settings)).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder.name


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_sdist(sdist_directory, config_settings=None):
    project = _project()
    base = f"ai_optix-{project['version']}"
    with tarfile.open(Path(sdist_directory) / f"{base}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:

        def add(name, content):
            info = tarfile.TarInfo(f"{base}/{name}")
            info.size, info.mtime, info.mode = len(content), _epoch(), 0o644
            archive.addfile(info, io.BytesIO(content))

        add("PKG-INFO", _metadata(project, None)["METADATA"].encode())
        for source in _SOURCES:
            path = _ROOT / source
            for name, file in ({source: path} if path.is_file() else {f"{source}/{n}": f for n, f in _tree(path).items()}).items():
                add(name, file.read_bytes())
    return f"{base}.tar.gz"


def _platform(settings):
    name = (settings or {}).get("platform") or os.environ.get("AIOPTIX_PLATFORM") or _HERE.get((machine.system(), machine.machine()))
    if name not in _PLATFORMS:
        raise SystemExit(f"ai-optix builds for {', '.join(_PLATFORMS)}, not for {name or machine.platform()}")
    return _PLATFORMS[name]


def _project():
    with (_ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    version = re.search(r"<Version>([^<]+)</Version>", (_ROOT / "Directory.Build.props").read_text(encoding="utf-8"))
    return {**project, "version": version[1]}


def _info(project):
    return f"ai_optix-{project['version']}.dist-info"


def _publish(platform):
    """Publishes for the platform; returns the folder."""
    folder = _OUTPUT / platform.identifier
    shutil.rmtree(folder, ignore_errors=True)
    environment = {**os.environ, "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE": "1"}
    command = [
        _dotnet(), "publish", _PROJECT, "--configuration", "Release", "--runtime", platform.identifier, "--self-contained", "--output", str(folder),
        "--artifacts-path", str(_OUTPUT / "build"), "--nologo", "--verbosity", "quiet", "-nodeReuse:false", "-p:RunAnalyzers=false",
        "-p:CompiledAhead=true",
    ]  # fmt: skip
    print(f"publishing AI Optix for {platform.identifier} (a minute or two) ...", flush=True)
    begin = time.monotonic()
    done = subprocess.run(command, cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit("\n".join(dict.fromkeys(done.stdout.splitlines())) + f"\ndotnet publish for {platform.identifier} failed")
    print(f"published in {time.monotonic() - begin:.0f} s", flush=True)
    return folder


def _dotnet():
    name = "dotnet" + ".exe" * (os.name == "nt")
    places = [os.environ.get("DOTNET_ROOT"), Path.home() / ".dotnet"]
    found = shutil.which("dotnet") or next((str(Path(p) / name) for p in places if p and (Path(p) / name).is_file()), None)
    if not found:
        raise SystemExit("building ai-optix needs the .NET 10 SDK: there is no dotnet in PATH, DOTNET_ROOT or ~/.dotnet")
    return found


def _tree(folder):
    """The files below a folder by name, in the order of their names."""
    paths = (p for p in folder.rglob("*") if p.is_file() and _NOT_SOURCES.isdisjoint(p.relative_to(folder).parts))
    return dict(sorted((p.relative_to(folder).as_posix(), p) for p in paths))


def _third_party(folder):
    """The license of every shipped library that is neither this project's nor .NET's; one without a license ends the build."""
    ours = re.compile(r"AiOptix(\..*)?|optix(\.r2r)?|System(\..*)?|Microsoft\..*|mscorlib|netstandard|coreclr|clr.*|host.*|mscorrc")
    names = {p.stem for p in folder.glob("*.dll") if not ours.fullmatch(p.stem) or (_LICENSES / f"{p.stem}.txt").is_file()}
    licenses = {f"{name}.txt": _LICENSES / f"{name}.txt" for name in sorted(names)}
    missing = [name for name, path in licenses.items() if not path.is_file()]
    if missing:
        raise SystemExit(f"the wheel would ship libraries whose license is not in {_LICENSES}: {', '.join(missing)}")
    return licenses


def _metadata(project, platform):
    untested = platform is not None and not platform.tested
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}{f' (untested on {platform.identifier})' if untested else ''}",
        f"License: {project['license']['text']}",
        f"Keywords: {','.join(project['keywords'])}",
        *([f"Platform: {platform.identifier}{' (untested)' if untested else ''}"] if platform else []),
        *(f"Classifier: {classifier}" for classifier in project["classifiers"]),
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {dependency}" for dependency in project["dependencies"]),
        "Description-Content-Type: text/markdown",
        "",
        (_ROOT / project["readme"]).read_text(encoding="utf-8"),
    ]
    files = {"METADATA": "\n".join(lines), "entry_points.txt": "[console_scripts]\n" + "".join(f"{k} = {v}\n" for k, v in project["scripts"].items())}
    if platform:
        files["WHEEL"] = f"Wheel-Version: 1.0\nGenerator: aioptix_build\nRoot-Is-Purelib: false\nTag: py3-none-{platform.tag}\n"
    return files


def _write_wheel(directory, platform, files, licenses):
    """Writes the archive: the files (paths or bytes), then the metadata, its RECORD last; returns its name."""
    project = _project()
    info = _info(project)
    files |= {f"{info}/licenses/{name}": path for name, path in licenses.items()}
    files |= {f"{info}/{name}": text.encode() for name, text in sorted(_metadata(project, platform).items())}
    stamp = max(_OLDEST_TIME, time.gmtime(_epoch())[:6])
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    name = f"ai_optix-{project['version']}-py3-none-{platform.tag}.whl"
    partial = directory / f"{name}.part"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:

        def add(path, content):
            entry = zipfile.ZipInfo(path, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if path in ("ai_optix/dotnet/optix", "ai_optix/dotnet/optix.exe") else 0o100644) << 16
            archive.writestr(entry, content)

        for path, source in files.items():
            content = source if isinstance(source, bytes) else source.read_bytes()
            add(path, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.writerow((path, f"sha256={digest}", len(content)))
        rows.writerow((f"{info}/RECORD", "", ""))
        add(f"{info}/RECORD", record.getvalue().encode())
    partial.replace(directory / name)
    print(f"{name}: {(directory / name).stat().st_size / 1e6:.1f} MB", file=sys.stderr)
    return name


def _epoch():
    return int(os.environ.get("SOURCE_DATE_EPOCH") or 315532800)
