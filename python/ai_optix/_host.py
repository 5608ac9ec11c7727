"""Starts the .NET runtime inside this process and returns the native module.

The C# side lies in the folder ``dotnet`` of this package, or in the one that $AIOPTIX_DOTNET names. With a runtime of its own in
it, as in a wheel, nothing else is needed; without one an installed .NET 10 serves.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path

_WINDOWS = sys.platform == "win32"
_OLDEST_PYTHON = (3, 11)
_OLDEST_GLIBC = (2, 27)
_DOTNET = 10

_PROGRAM = "optix"
_EXECUTABLE = _PROGRAM + ".exe" * _WINDOWS
_ENTRY = ("AiOptix.Python.Entry, AiOptix.Python", "Initialize")
_GET_FUNCTION_POINTER = 6  # hdt_get_function_pointer of hostfxr.h
_UNMANAGED_CALLERS_ONLY = -1  # UNMANAGEDCALLERSONLY_METHOD of coreclr_delegates.h

# With W^X the runtime's code heaps are shared mappings, and a forked child that runs managed code corrupts its parent.
_SET = {"DOTNET_EnableWriteXorExecute": "0"}
# Without its diagnostics the runtime opens no socket and starts no thread for them; who wants them asks by name.
_SET_DEFAULT = {"DOTNET_EnableDiagnostics": "0"}
# What a user set for other .NET programs (profilers, startup hooks, heap modes, crash dumps) is kept away, but for this.
_FOREIGN = ("DOTNET_", "COMPLUS_", "CORECLR_")
_KEPT = (
    "DOTNET_EnableDiagnostics", "DOTNET_EnableAVX", "DOTNET_EnableSSE", "DOTNET_EnableHWIntrinsic", "DOTNET_EnableVAES", "DOTNET_EnableGFNI",
    "DOTNET_EnableArm64", "DOTNET_Jit", "DOTNET_ReadyToRun", "DOTNET_Tiered", "DOTNET_TC_", "DOTNET_HOST_TRACE", "DOTNET_PROCESSOR_COUNT",
)  # fmt: skip

# The runtime installs handlers of its own for these; Python's, or whatever was there, stay in force.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGPIPE")
_SIGACTION_BYTES = 512

_char = ctypes.c_wchar_p if _WINDOWS else ctypes.c_char_p


class _Parameters(ctypes.Structure):
    _fields_ = (("size", ctypes.c_size_t), ("host_path", _char), ("dotnet_root", _char))


def start():
    """Starts the runtime, once a process, and returns ``ai_optix._native``; a second call gives the same module.

    Raises
    ------
    ImportError
        This Python or system cannot be served, or there is no runtime: the text says what is missing and where it was looked for.
    RuntimeError
        Called in a subinterpreter.
    """
    _check()
    folder = Path(os.environ.get("AIOPTIX_DOTNET") or Path(__file__).parent / "dotnet")
    library, root = _find(folder)
    messages = []
    try:
        fxr = ctypes.CDLL(str(library))
        entry = _entry(fxr, folder, root, messages)
    except OSError as e:
        raise ImportError(f"ai_optix cannot start its .NET runtime: {e}") from None
    if not entry:
        raise ImportError("\n".join([f"ai_optix cannot start the .NET runtime of {root}:", *messages]))
    initialize = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_size_t)(entry)
    return initialize(ctypes.pythonapi._handle, threading.main_thread().ident)


def program():
    """The path of the command line's program.

    Raises
    ------
    FileNotFoundError
        This installation has none.
    """
    file = Path(os.environ.get("AIOPTIX_DOTNET") or Path(__file__).parent / "dotnet") / _EXECUTABLE
    if not file.is_file():
        raise FileNotFoundError(f"this installation of ai_optix has no command line: there is no {file}")
    return str(file)


def _check():
    wanted = "ai_optix needs CPython {}.{} or newer, 64-bit, with the GIL".format(*_OLDEST_PYTHON)
    if sys.implementation.name != "cpython" or sys.version_info < _OLDEST_PYTHON:
        raise ImportError(f"{wanted}; this is {sys.implementation.name} {sys.version.split()[0]}")
    if "free-threading" in sys.version:
        raise ImportError(f"{wanted}; this is a free-threaded build, which has no stable ABI: use the ordinary build of the same version")
    if sys.maxsize < 2**32:
        raise ImportError(f"{wanted}; this is a 32-bit build")
    if sys.platform == "linux":
        _check_libc()
    api = ctypes.pythonapi
    api.PyInterpreterState_Get.restype = ctypes.c_void_p
    api.PyInterpreterState_GetID.argtypes, api.PyInterpreterState_GetID.restype = (ctypes.c_void_p,), ctypes.c_int64
    if api.PyInterpreterState_GetID(api.PyInterpreterState_Get()) != 0:
        raise RuntimeError("ai_optix cannot be imported in a subinterpreter: import it in the main interpreter")


def _check_libc():
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        name, version = "", ""
    wanted = "ai_optix needs Linux with glibc {}.{} or newer".format(*_OLDEST_GLIBC)
    if name != "glibc":
        raise ImportError(f"{wanted}; this system has another C library")
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_GLIBC:
        raise ImportError(f"{wanted}; this one has {version}")


def _file_name(name):
    return {"win32": f"{name}.dll", "darwin": f"lib{name}.dylib"}.get(sys.platform, f"lib{name}.so")


def _find(folder):
    """The library hostfxr, and the root of the runtime that it is to start."""
    if not (folder / f"{_PROGRAM}.dll").is_file():
        raise ImportError(
            f"ai_optix is not built: there is no {_PROGRAM}.dll in {folder}. Install a wheel, or run 'pip install .' in a clone with the .NET {_DOTNET} SDK"
        )
    private = folder / _file_name("hostfxr")
    if private.is_file():
        return private, folder
    roots = list(dict.fromkeys(_installed()))
    for root in roots:
        found = [(v, d / _file_name("hostfxr")) for d in root.glob("host/fxr/*") if (v := _version(d.name)) and v[0] >= _DOTNET]
        runtimes = [d for d in root.glob(f"shared/Microsoft.NETCore.App/{_DOTNET}.*") if (d / "System.Private.CoreLib.dll").is_file()]
        if found and runtimes:
            return max(found)[1], root
    looked = "".join(f"\n  {root}" for root in [folder, *roots])
    raise ImportError(
        f"ai_optix found no .NET {_DOTNET} runtime. It looked in{looked}\nInstall a wheel of ai-optix, which brings its own, or the .NET {_DOTNET} runtime, "
        "and set DOTNET_ROOT to its folder if it lies elsewhere"
    )


def _installed():
    if os.environ.get("DOTNET_ROOT"):
        yield Path(os.environ["DOTNET_ROOT"])
    if _WINDOWS:
        yield Path(os.environ.get("ProgramFiles", "C:/Program Files")) / "dotnet"
    elif sys.platform == "darwin":
        yield Path("/usr/local/share/dotnet")
    else:
        yield Path("/usr/share/dotnet")
        yield Path("/usr/lib/dotnet")
    with contextlib.suppress(RuntimeError):
        yield Path.home() / ".dotnet"
    from shutil import which  # costs 10 ms

    if found := which("dotnet"):
        yield Path(found).resolve().parent


def _version(name):
    parts = name.split("-")[0].split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else None


def _entry(fxr, folder, root, messages):
    """The address of the entry; None, with the reasons in messages, when it cannot be had."""

    @ctypes.CFUNCTYPE(None, _char)
    def collect(message):
        messages.append(message if _WINDOWS else os.fsdecode(message))

    fxr.hostfxr_set_error_writer.restype = ctypes.c_void_p
    previous = fxr.hostfxr_set_error_writer(collect)
    try:
        with _signals_kept():
            delegate = _delegate(fxr, None)
            if not delegate:
                messages.clear()
                with _environment():
                    delegate = _delegate(fxr, _initialize(fxr, folder, root))
            if not delegate:
                return None
            get = ctypes.CFUNCTYPE(ctypes.c_int, _char, _char, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(delegate)
            entry = ctypes.c_void_p()
            code = get(*map(_text, _ENTRY), _UNMANAGED_CALLERS_ONLY, None, None, ctypes.byref(entry))
            if code != 0:
                messages.append(f"no entry {_ENTRY[0]} (0x{code & 0xFFFFFFFF:08x})")
            return entry.value
    finally:
        fxr.hostfxr_set_error_writer(ctypes.c_void_p(previous))


def _initialize(fxr, folder, root):
    arguments = (_char * 1)(_text(folder / f"{_PROGRAM}.dll"))
    parameters = _Parameters(ctypes.sizeof(_Parameters), _text(folder / _EXECUTABLE), _text(root))
    handle = ctypes.c_void_p()
    fxr.hostfxr_initialize_for_dotnet_command_line(1, arguments, ctypes.byref(parameters), ctypes.byref(handle))
    return handle


def _delegate(fxr, handle):
    """What turns names into addresses, from a handle or, with None, from the runtime that this process has started already."""
    if handle is not None and not handle.value:
        return None
    delegate = ctypes.c_void_p()
    fxr.hostfxr_get_runtime_delegate(handle, _GET_FUNCTION_POINTER, ctypes.byref(delegate))
    return delegate.value


def _text(value):
    return str(value) if _WINDOWS else os.fsencode(value)


@contextlib.contextmanager
def _environment():
    """The environment in which the runtime starts; it reads these variables no more once it runs."""
    saved = {name: value for name, value in os.environ.items() if name.upper().startswith(_FOREIGN)}
    for name in saved:
        if not name.startswith(_KEPT):
            del os.environ[name]
    for name, value in _SET_DEFAULT.items():
        os.environ.setdefault(name, value)
    os.environ.update(_SET)
    try:
        yield
    finally:
        for name in {**_SET, **_SET_DEFAULT}:
            os.environ.pop(name, None)
        os.environ.update(saved)


@contextlib.contextmanager
def _signals_kept():
    if _WINDOWS:
        yield
        return
    sigaction = ctypes.CDLL(None).sigaction
    before = {number: ctypes.create_string_buffer(_SIGACTION_BYTES) for name in _SIGNALS if (number := getattr(signal, name, None))}
    for number, action in before.items():
        sigaction(number, None, action)
    try:
        yield
    finally:
        for number, action in before.items():
            sigaction(number, action, None)
