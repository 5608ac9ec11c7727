using System.Runtime.InteropServices;
using AiOptix.Tuning;

namespace AiOptix.Python;

/// <summary>The type <c>Tuning</c>: which kernels won when they were timed.</summary>
internal static unsafe class PyTuning
{
    public static TypeBuilder Type { get; } = new("Tuning", "Which kernels won when they were timed, by problem. Nothing changes it.");

    public static TypeBuilder Describe() => Type.Ends()
        .StaticMethod("load", "path", "From a file; from the one in the user's cache folder when path is None.", &Load)
        .StaticMethod("of", "winners", "Winners known beforehand.", &Known)
        .Property("winners", "The winning kernel of each problem.", &Winners)
        .Property("notices", "What was left out of the file, and why.", &Notices)
        .Method("save", "path", "Writes a file, the one in the user's cache folder when path is None; gives its path.", &Save);

    /// <summary>The winners of a Tuning, or null for None.</summary>
    public static KernelTuning? Of(nint o) =>
        Py.IsNone(o) ? null : Type.Is(o) ? TypeBuilder.Value<KernelTuning>(o) : throw new ArgumentTypeException($"expected Tuning or None, found {Py.TypeName(o)}");

    /// <summary>A Python object around winners.</summary>
    public static nint New(KernelTuning tuning) => Type.Wrap(tuning);

    /// <summary>How long to time a kernel, from a number of seconds.</summary>
    public static TimeSpan Seconds(nint o, string name) =>
        Py.ToFloat(o) is var s and >= 0 and <= 3600 ? TimeSpan.FromSeconds(s) : throw new ArgumentException($"{name} must be 0 to 3600, found {Py.ToFloat(o)}");

    /// <summary>The tuple (problem, pick, kernel, ratio, low, high) of what was timed.</summary>
    public static nint Timed(IReadOnlyList<KernelComparison> timed) => Py.Tuple([.. timed.Select(c => Py.Tuple(Py.Text(c.Problem), Py.Text(c.Pick), Py.Text(c.Best.Name),
        PyApi.FloatFrom(c.Best.Speed.Ratio), PyApi.FloatFrom(c.Best.Speed.Low), PyApi.FloatFrom(c.Best.Speed.High)))]);

    [UnmanagedCallersOnly]
    private static nint Load(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 1, "load");
            var path = Py.IsNone(arguments[0]) ? null : Py.ToText(arguments[0]);
            return New(Blocking.Wait(_ => KernelTuning.Load(path)));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Known(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 1, "of");
            return New(KernelTuning.Of(Py.Entries(arguments[0]).Select(e => KeyValuePair.Create(Py.ToText(e.Key), Py.ToText(e.Value)))));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Save(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 1, "save");
            var (tuning, path) = (TypeBuilder.Value<KernelTuning>(self), Py.IsNone(arguments[0]) ? KernelTuning.DefaultPath : Py.ToText(arguments[0]));
            Blocking.Wait(_ =>
            {
                tuning.Save(path);
                return true;
            });
            return Py.Text(path);
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Winners(nint self, nint closure) => TypeBuilder.Read<KernelTuning>(self, static t => Py.Tuple([.. t.Winners.Select(w => Py.Tuple(Py.Text(w.Key), Py.Text(w.Value)))]));

    [UnmanagedCallersOnly]
    private static nint Notices(nint self, nint closure) => TypeBuilder.Read<KernelTuning>(self, static t => Py.Tuple([.. t.Notices.Select(Py.Text)]));
}
