using System.Runtime.InteropServices;
using System.Text.Json;
using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>What stands behind a Python <c>Loader</c>.</summary>
internal sealed class LoaderObject(Dataset data, DataLoader loader, IReadOnlyList<string> classes, IReadOnlyList<object> objects) : IDisposable, IPythonHolder
{
    private readonly PythonFunction[] functions = [.. objects.OfType<PythonFunction>()];
    private readonly nint[] held = [.. objects.OfType<PythonFunction>().Select(f => f.Held)];
    private bool released;

    public DataLoader Loader => loader;

    public IReadOnlyList<string> Classes => classes;

    public ReadOnlySpan<nint> Held => released ? default : held;

    /// <summary>The end of the Python object. Workers that are in the middle of a sample keep the data until they are through: then the collector has it.</summary>
    public void Dispose()
    {
        if (released) return;
        released = true;
        foreach (var function in functions) function.Dispose();
        if (!Blocking.Released(() => loader.TryDispose(TimeSpan.FromMilliseconds(100)))) return;
        data.Dispose();
        foreach (var tensor in objects.OfType<Tensor>()) tensor.Dispose();
    }
}

/// <summary>The type <c>Loader</c>: a data set and how it is read.</summary>
internal static unsafe class PyLoader
{
    public static TypeBuilder Type { get; } = new("Loader", "A data set and how it is read in batches.");

    public static TypeBuilder Describe() => Type.Ends().Holds()
        .StaticMethod("create", "source, options, objects, limits", "Opens a source; both specs are JSON.", &Create)
        .Property("count", "Batches an epoch; None for an iterable.", &Count)
        .Property("epoch", "The epoch that comes next, or is going on.", &Epoch)
        .Property("classes", "The names of the classes, in order.", &Classes)
        .Property("error_count", "How many samples could not be read.", &ErrorCount)
        .Property("errors", "(index, where and why, replacement) of the samples that could not be read, the first thousand.", &ListErrors)
        .Method("begin", "", "Begins an epoch, or goes on where a state says.", &Begin)
        .Method("state", "", "Where it stands, as JSON.", &State)
        .Method("load_state", "state", "Goes on where a state says.", &LoadState);

    [UnmanagedCallersOnly]
    private static nint Create(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 4, "create");
            var (source, options) = (Py.ToText(arguments[0]), Py.ToText(arguments[1]));
            var objects = LoaderSpec.Objects(arguments[2]);
            var limits = PyModel.ToLimits(arguments[3]);
            return Type.Wrap(Blocking.Wait(_ =>
            {
                using JsonDocument sourceSpec = JsonDocument.Parse(source), optionsSpec = JsonDocument.Parse(options);
                var spec = new LoaderSpec(objects);
                var read = spec.Options(optionsSpec.RootElement, limits);
                var data = spec.Open(sourceSpec.RootElement, limits, out var classes);
                try
                {
                    return new LoaderObject(data, new(data, read), classes, objects);
                }
                catch
                {
                    data.Dispose();
                    throw;
                }
            }));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Begin(nint self, nint* arguments, nint count)
    {
        try
        {
            var loader = TypeBuilder.Value<LoaderObject>(self).Loader;
            Blocking.CheckOpen();
            return PyReader.New(Blocking.Released(loader.GetEnumerator));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint LoadState(nint self, nint* arguments, nint count)
    {
        try
        {
            NativeModule.Expect(count, 1, "load_state");
            var (loader, state) = (TypeBuilder.Value<LoaderObject>(self).Loader, Py.ToText(arguments[0]));
            Blocking.Released(() =>
            {
                loader.LoadState(state);
                return true;
            });
            return Py.None();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint State(nint self, nint* arguments, nint count) => TypeBuilder.Read<LoaderObject>(self, static o => Py.Text(o.Loader.SaveState()));

    [UnmanagedCallersOnly]
    private static nint Count(nint self, nint closure) => TypeBuilder.Read<LoaderObject>(self, static o => o.Loader.Count is { } n ? Py.Integer(n) : Py.None());

    [UnmanagedCallersOnly]
    private static nint Epoch(nint self, nint closure) => TypeBuilder.Read<LoaderObject>(self, static o => Py.Integer(o.Loader.Epoch));

    [UnmanagedCallersOnly]
    private static nint Classes(nint self, nint closure) => TypeBuilder.Read<LoaderObject>(self, static o => Py.Tuple([.. o.Classes.Select(Py.Text)]));

    [UnmanagedCallersOnly]
    private static nint ErrorCount(nint self, nint closure) => TypeBuilder.Read<LoaderObject>(self, static o => Py.Integer(o.Loader.ErrorCount));

    [UnmanagedCallersOnly]
    private static nint ListErrors(nint self, nint closure) => TypeBuilder.Read<LoaderObject>(self, static o =>
        Py.List([.. o.Loader.Errors.Select(e => Py.Tuple(Py.Integer(e.Index), Py.Text(e.ToString()), e.Replacement is { } r ? Py.Integer(r) : Py.None()))]));
}
