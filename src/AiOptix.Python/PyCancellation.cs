using System.Runtime.InteropServices;

namespace AiOptix.Python;

/// <summary>The type <c>Cancellation</c>: ends runs from another thread.</summary>
internal static unsafe class PyCancellation
{
    public static TypeBuilder Type { get; } = new("Cancellation", "Ends runs from another thread: pass it to run, call cancel.");

    public static TypeBuilder Describe() => Type.New(&New).Ends()
        .Method("cancel", "", "Ends the runs that it was passed to, and those it will be passed to.", &Cancel)
        .Property("cancelled", "Whether cancel was called.", &Cancelled);

    /// <summary>The token of a Cancellation or of None.</summary>
    public static CancellationToken Token(nint o)
    {
        if (Py.IsNone(o)) return Blocking.Closing;
        return Type.Is(o) ? TypeBuilder.Value<CancellationTokenSource>(o).Token : throw new ArgumentTypeException($"expected Cancellation or None, found {Py.TypeName(o)}");
    }

    [UnmanagedCallersOnly]
    private static nint New(nint type, nint arguments, nint keywords)
    {
        try
        {
            return Type.Wrap(CancellationTokenSource.CreateLinkedTokenSource(Blocking.Closing));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Cancel(nint self, nint* arguments, nint count)
    {
        try
        {
            TypeBuilder.Value<CancellationTokenSource>(self).Cancel();
            return Py.None();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Cancelled(nint self, nint closure) => TypeBuilder.Read<CancellationTokenSource>(self, static c => Py.Bool(c.IsCancellationRequested));
}
