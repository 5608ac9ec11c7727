using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace AiOptix.Python;

/// <summary>
/// Buffers of Python objects, and objects, that C# let go of on a thread without the GIL (a finalizer, a consumer of DLPack, a run that went on after an interrupt). They wait
/// here for the next call from Python.
/// </summary>
internal static unsafe class Deferred
{
    private static readonly ConcurrentQueue<nint> buffers = new();
    private static readonly ConcurrentQueue<nint> objects = new();

    /// <summary>Takes a <c>Py_buffer</c> on native memory over, to be released under the GIL.</summary>
    public static void Release(PyBuffer* buffer) => buffers.Enqueue((nint)buffer);

    /// <summary>Takes a reference over, to be dropped under the GIL.</summary>
    public static void Drop(nint o) => objects.Enqueue(o);

    /// <summary>Releases what waits. The caller holds the GIL.</summary>
    public static void Drain()
    {
        while (buffers.TryDequeue(out var buffer)) ReleaseNow((PyBuffer*)buffer);
        while (objects.TryDequeue(out var o)) PyApi.DecRef(o);
    }

    /// <summary>Releases a buffer and frees its memory. The caller holds the GIL.</summary>
    public static void ReleaseNow(PyBuffer* buffer)
    {
        PyApi.ReleaseBuffer(buffer);
        NativeMemory.Free(buffer);
    }
}
