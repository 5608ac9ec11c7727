using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace AiOptix.Python;

/// <summary>
/// Buffers of Python objects that C# let go of on a thread without the GIL (a finalizer, a consumer of DLPack, a run that went on after an interrupt). They wait
/// here for the next call from Python.
/// </summary>
internal static unsafe class Deferred
{
    private static readonly ConcurrentQueue<nint> buffers = new();

    /// <summary>Takes a <c>Py_buffer</c> on native memory over, to be released under the GIL.</summary>
    public static void Release(PyBuffer* buffer) => buffers.Enqueue((nint)buffer);

    /// <summary>Releases what waits. The caller holds the GIL.</summary>
    public static void Drain()
    {
        while (buffers.TryDequeue(out var buffer)) ReleaseNow((PyBuffer*)buffer);
    }

    /// <summary>Releases a buffer and frees its memory. The caller holds the GIL.</summary>
    public static void ReleaseNow(PyBuffer* buffer)
    {
        PyApi.ReleaseBuffer(buffer);
        NativeMemory.Free(buffer);
    }
}
