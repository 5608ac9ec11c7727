using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Bench.Ort;

/// <summary>
/// ONNX Runtime's C API by way of its function table. The table only ever grows at its end, so the positions named here hold for every later
/// release.
/// </summary>
internal static unsafe class OrtApi
{
    /// <summary>The revision of the API asked for; everything used here is older.</summary>
    private const uint Revision = 17;

    private static readonly nint* table = Load();
    private static string? version;

    /// <summary>Positions in the function table.</summary>
    internal enum Entry
    {
        GetErrorMessage = 2,
        CreateEnv = 3,
        CreateSession = 7,
        CreateSessionFromArray = 8,
        Run = 9,
        CreateSessionOptions = 10,
        SetSessionExecutionMode = 13,
        SetSessionGraphOptimizationLevel = 23,
        SetIntraOpNumThreads = 24,
        SetInterOpNumThreads = 25,
        SessionGetInputCount = 30,
        SessionGetOutputCount = 31,
        SessionGetInputTypeInfo = 33,
        SessionGetOutputTypeInfo = 34,
        SessionGetInputName = 36,
        SessionGetOutputName = 37,
        CreateTensorAsOrtValue = 48,
        CreateTensorWithDataAsOrtValue = 49,
        GetTensorMutableData = 51,
        FillStringTensor = 52,
        GetStringTensorDataLength = 53,
        GetStringTensorContent = 54,
        CastTypeInfoToTensorInfo = 55,
        GetOnnxTypeFromTypeInfo = 56,
        GetTensorElementType = 60,
        GetDimensionsCount = 61,
        GetDimensions = 62,
        GetSymbolicDimensions = 63,
        GetTensorTypeAndShape = 65,
        GetValueType = 67,
        CreateCpuMemoryInfo = 69,
        AllocatorFree = 76,
        GetAllocatorWithDefaultOptions = 78,
        ReleaseStatus = 93,
        ReleaseSession = 95,
        ReleaseValue = 96,
        ReleaseTypeInfo = 98,
        ReleaseTensorTypeAndShapeInfo = 99,
        ReleaseSessionOptions = 100,
        AddSessionConfigEntry = 130,
    }

    /// <summary>The version of the library, as it names itself.</summary>
    internal static string Version => version ?? "";

    /// <summary>The process's only environment; it logs errors and nothing less.</summary>
    internal static nint Environment { get; } = CreateEnvironment();

    /// <summary>Describes plain memory to the library.</summary>
    internal static nint CpuMemory { get; } = CreateCpuMemory();

    /// <summary>The library's own allocator.</summary>
    internal static nint Allocator { get; } = Get(Entry.GetAllocatorWithDefaultOptions);

    /// <summary>The address of a function, to be cast to its type.</summary>
    internal static nint Function(Entry entry) => table[(int)entry];

    /// <summary>Calls a function that takes one object and gives one pointer-sized value.</summary>
    internal static nint Get(Entry entry, nint instance)
    {
        nint result;
        Check(((delegate* unmanaged<nint, nint*, nint>)Function(entry))(instance, &result), entry);
        return result;
    }

    /// <summary>Calls a function that takes one object and gives an enumeration.</summary>
    internal static int GetInt(Entry entry, nint instance)
    {
        int result;
        Check(((delegate* unmanaged<nint, int*, nint>)Function(entry))(instance, &result), entry);
        return result;
    }

    /// <summary>Calls a function that takes one object and an enumeration or a count.</summary>
    internal static void Set(Entry entry, nint instance, int value) => Check(((delegate* unmanaged<nint, int, nint>)Function(entry))(instance, value), entry);

    /// <summary>Calls a function that releases an object; null is ignored.</summary>
    internal static void Release(Entry entry, nint instance)
    {
        if (instance != 0) ((delegate* unmanaged<nint, void>)Function(entry))(instance);
    }

    /// <summary>Throws when a status is not success, and releases it.</summary>
    /// <exception cref="OrtException">The library refused.</exception>
    internal static void Check(nint status, Entry entry)
    {
        if (status != 0) Throw(status, entry.ToString());
    }

    /// <summary>A string as the library takes it, to be freed with <see cref="Marshal.FreeCoTaskMem"/>.</summary>
    internal static nint Utf8(string text) => Marshal.StringToCoTaskMemUTF8(text);

    private static void Throw(nint status, string doing)
    {
        var text = ((delegate* unmanaged<nint, nint>)Function(Entry.GetErrorMessage))(status);
        var message = Marshal.PtrToStringUTF8(text);
        Release(Entry.ReleaseStatus, status);
        throw new OrtException($"ONNX Runtime {Version}, {doing}: {message}");
    }

    private static nint Get(Entry entry)
    {
        nint result;
        Check(((delegate* unmanaged<nint*, nint>)Function(entry))(&result), entry);
        return result;
    }

    private static nint CreateEnvironment()
    {
        const int LogErrors = 3;
        nint result;
        fixed (byte* name = "bench\0"u8) Check(((delegate* unmanaged<int, byte*, nint*, nint>)Function(Entry.CreateEnv))(LogErrors, name, &result), Entry.CreateEnv);
        return result;
    }

    private static nint CreateCpuMemory()
    {
        const int DeviceAllocator = 0;
        const int DefaultMemory = 0;
        nint result;
        Check(((delegate* unmanaged<int, int, nint*, nint>)Function(Entry.CreateCpuMemoryInfo))(DeviceAllocator, DefaultMemory, &result), Entry.CreateCpuMemoryInfo);
        return result;
    }

    private static nint* Load()
    {
        var origin = (nint*)((delegate* unmanaged<nint>)NativeLibrary.GetExport(NativeLibrary.Load(OrtLibrary.Locate()), "OrtGetApiBase"))();
        version = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)origin[1])());
        var api = (nint*)((delegate* unmanaged<uint, nint>)origin[0])(Revision);
        return api != null ? api : throw new AiOptixException($"ONNX Runtime {version} does not offer revision {Revision} of its C API; install the pinned version with ./bench.sh");
    }
}
