using System.Runtime.InteropServices;
using System.Text.Json;

namespace AiOptix.Python;

/// <summary>The module <c>ai_optix._native</c>: its types, functions and exceptions. <c>_native.pyi</c> declares the same, and a test compares the two.</summary>
internal static unsafe class NativeModule
{
    /// <summary>Turns a finished tensor into what a run returns; owned.</summary>
    public static nint Wrap { get; private set; }

    /// <summary>Turns what cannot be borrowed in place into what can: <c>prepare(object, dtype, what)</c> gives (object, copied); owned.</summary>
    public static nint Prepare { get; private set; }

    /// <summary>Creates the module; a new reference.</summary>
    public static nint Create()
    {
        var module = Errors.Check(PyApi.ModuleNew(Py.Ascii("ai_optix._native"u8)));
        DLPack.Prepare();
        TypeBuilder[] types = [PyTensor.Describe(), PyCancellation.Describe(), PyTuning.Describe(), PyModel.Describe(), PySession.Describe(), PyLoader.Describe(), PyReader.Describe()];
        MethodRow[] functions =
        [
            .. PyTensor.Functions(),
            Function("optimize", "model, samples, threads, tolerance, seconds, pass_seconds, progress, budget, labels, known, kernel_seconds", "The optimised model, the result as JSON, the recipe of a search as JSON, and the winners of tuning.", &PyOptimizer.Optimize),
            Function("samples", "model, path, batch", "The samples of a file or folder.", &PyOptimizer.Samples),
            Function("report", "result, model, command", "The page of a result that optimize gave as JSON.", &PyOptimizer.Report),
            Function("machine", "", "What the machine is and how much of it the process may use, as JSON.", &Machine),
            Function("configure", "wrap, prepare", "What the public layer adds: how a tensor becomes an array, how an awkward array becomes a plain one.", &Configure),
            Function("fork_flag", "", "The address of the int that is not 0 in a forked child.", &ForkFlag),
            Function("shutdown", "", "Cancels runs in flight and waits for them; every later call raises RuntimeError.", &Shutdown),
        ];
        ForkGuard.Seal();
        Errors.Register(module);
        foreach (var type in types) type.Create(module);
        Errors.Check(PyApi.ModuleAddFunctions(module, (void*)MethodRow.Table(functions)));
        var version = Py.Text(typeof(NativeModule).Assembly.GetName().Version!.ToString(3));
        Errors.Check(PyApi.ModuleAdd(module, Py.Ascii("__version__"u8), version));
        PyApi.DecRef(version);
        return module;
    }

    /// <summary>Describes a function of the module.</summary>
    public static MethodRow Function(string name, string signature, string doc, delegate* unmanaged<nint, nint*, nint, nint> code) =>
        new(name, $"{name}({signature}{(signature.Length == 0 ? "" : ", /")})\n--\n\n{doc}", ForkGuard.Add(code, SlotKind.Reference), MethodRow.Fast);

    /// <summary>Fails unless a call has so many arguments.</summary>
    public static void Expect(nint given, int count, string function)
    {
        if (given != count) throw new ArgumentTypeException($"{function}() takes {count} arguments, {given} were given");
    }

    [UnmanagedCallersOnly]
    private static nint Machine(nint self, nint* arguments, nint count)
    {
        try
        {
            Expect(count, 0, "machine");
            var r = MachineReport.Create();
            return Py.Text(Json.Write(w =>
            {
                w.WriteStartObject();
                w.WriteString("processor", r.Processor);
                w.WriteString("system", r.System);
                w.WriteString("runtime", r.Runtime);
                w.WriteStartArray("instruction_sets");
                foreach (var set in r.InstructionSets) w.WriteStringValue(set);
                w.WriteEndArray();
                w.WriteNumber("logical_cores", r.LogicalCores);
                w.WriteNumber("physical_cores", r.PhysicalCores);
                if (r.Quota is { } quota) w.WriteNumber("quota", quota);
                else w.WriteNull("quota");
                w.WriteNumber("default_threads", r.DefaultThreads);
                w.WriteNumber("memory_bytes", r.MemoryBytes);
                w.WriteEndObject();
            }));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint Configure(nint self, nint* arguments, nint count)
    {
        try
        {
            Expect(count, 2, "configure");
            var (wrap, prepare) = (Wrap, Prepare);
            Wrap = Py.New(arguments[0]);
            Prepare = Py.New(arguments[1]);
            if (wrap != 0) PyApi.DecRef(wrap);
            if (prepare != 0) PyApi.DecRef(prepare);
            return Py.None();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static nint ForkFlag(nint self, nint* arguments, nint count) => PyApi.LongFrom(ForkGuard.Flag);

    [UnmanagedCallersOnly]
    private static nint Shutdown(nint self, nint* arguments, nint count)
    {
        try
        {
            Blocking.Close();
            return Py.None();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }
}

/// <summary>Small JSON documents.</summary>
internal static class Json
{
    public static string Write(Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer)) content(writer);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
