using AiOptix.Data;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>A Python callable that workers call under the GIL.</summary>
internal sealed class PythonFunction : IDisposable
{
    private nint callable;

    /// <param name="callable">Borrowed.</param>
    public unsafe PythonFunction(nint callable) => this.callable = Py.New(callable);

    ~PythonFunction() => Drop();

    /// <summary>The callable, borrowed; 0 when it was let go.</summary>
    public nint Held => Volatile.Read(ref callable);

    /// <summary>Lets go of the callable: a call that is going on comes to its end, later ones are refused.</summary>
    public void Dispose()
    {
        Drop();
        GC.SuppressFinalize(this);
    }

    private void Drop()
    {
        var held = Interlocked.Exchange(ref callable, 0);
        if (held != 0) Deferred.Drop(held);
    }

    /// <summary>Calls it with the GIL held and turns what it gives into something of C#.</summary>
    /// <param name="arguments">Makes the arguments, new references.</param>
    /// <param name="convert">Makes the result of the borrowed object.</param>
    public unsafe T Call<T>(Func<nint[]> arguments, Func<nint, T> convert)
    {
        var state = Blocking.EnterPython();
        try
        {
            var called = Held is not 0 and var held ? Py.New(held) : throw new OperationCanceledException();
            Deferred.Drain();
            nint[] given = [];
            try
            {
                given = arguments();
                var result = Py.Call(called, given);
                try
                {
                    return convert(result);
                }
                finally
                {
                    PyApi.DecRef(result);
                }
            }
            catch (PythonErrorException)
            {
                throw PythonCallException.Of();
            }
            finally
            {
                foreach (var argument in given) PyApi.DecRef(argument);
                PyApi.DecRef(called);
            }
        }
        finally
        {
            Blocking.LeavePython(state);
        }
    }

    /// <summary>A sample of a dict of arrays, which are borrowed. The caller holds the GIL.</summary>
    public static Sample Sample(nint dict)
    {
        if (!Py.IsDict(dict)) throw new ArgumentTypeException($"a sample must be a dict of arrays by name, found {Py.TypeName(dict)}");
        var names = new List<string>();
        var values = new List<RuntimeValue>();
        try
        {
            long copies = 0;
            foreach (var (key, value) in Py.Entries(dict))
            {
                names.Add(Py.ToText(key));
                values.Add(Borrowing.Value(value, null, $"'{names[^1]}'", mayCopy: true, ref copies));
            }
            return new(names, values);
        }
        catch
        {
            foreach (var value in values) value.Dispose();
            throw;
        }
    }
}

/// <summary>A Python iterable: <c>begin(epoch)</c> gives a function that gives samples, and at last None.</summary>
internal sealed class PythonStream(PythonFunction begin) : StreamDataset
{
    public override string Identity => "a Python iterable";

    public override IEnumerable<Sample> Samples(long epoch)
    {
        using var pull = begin.Call(() => [Py.Integer(epoch)], o => new PythonFunction(o));
        while (pull.Call(() => [], o => Py.IsNone(o) ? null : PythonFunction.Sample(o)) is { } sample) yield return sample;
    }
}

/// <summary>A Python function of a sample, or of a sample and its seed.</summary>
internal sealed class PythonTransform(PythonFunction function, bool isSeeded) : Transform
{
    public override Sample Apply(Sample sample, SampleContext context)
    {
        var made = function.Call(() =>
        {
            var dict = Values.Dict(sample.Names.Select((name, i) => (name, sample.Values[i].Share())));
            return isSeeded ? [dict, Py.Integer((long)(context.Seed >> 1))] : [dict];
        }, PythonFunction.Sample);
        sample.Dispose();
        return made;
    }
}
