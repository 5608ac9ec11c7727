using System.Runtime.InteropServices;

namespace AiOptix.Python;

/// <summary>
/// A heap type of the module, described slot by slot and created once all stubs are sealed. An object of it holds one C# object behind the object header. A type
/// whose objects hold Python objects says so (<see cref="Holds"/>) and takes part in CPython's cycle collection.
/// </summary>
internal sealed unsafe class TypeBuilder(string name, string doc)
{
    private const int HeaderBytes = 16;
    private const int Clear = 51, Dealloc = 52, Doc = 56, Methods = 64, NewSlot = 65, Traverse = 71, GetSet = 73, Free = 74, Alloc = 47;
    private const uint Collected = 1u << 14, DefaultFlags = 1u << 18, DisallowInstantiation = 1u << 7, ImmutableType = 1u << 8;

    private readonly List<(int Slot, int Stub)> slots = [];
    private readonly List<MethodRow> methods = [];
    private readonly List<(string Name, int Stub, string Doc)> properties = [];
    private bool creatable;
    private bool collected;

    /// <summary>The type, once created.</summary>
    public nint Type { get; private set; }

    public TypeBuilder Method(string method, string signature, string text, delegate* unmanaged<nint, nint*, nint, nint> code)
    {
        methods.Add(new(method, $"{method}($self{(signature.Length == 0 ? "" : ", ")}{signature}, /)\n--\n\n{text}", ForkGuard.Add(code, SlotKind.Reference), MethodRow.Fast));
        return this;
    }

    public TypeBuilder StaticMethod(string method, string signature, string text, delegate* unmanaged<nint, nint*, nint, nint> code)
    {
        methods.Add(new(method, $"{method}({signature}, /)\n--\n\n{text}", ForkGuard.Add(code, SlotKind.Reference), MethodRow.Fast | MethodRow.Static));
        return this;
    }

    /// <summary>A method that takes keyword arguments, as a tuple of positional ones and a dict or null.</summary>
    public TypeBuilder KeywordMethod(string method, string signature, string text, delegate* unmanaged<nint, nint, nint, nint> code)
    {
        methods.Add(new(method, $"{method}($self{(signature.Length == 0 ? "" : ", ")}{signature})\n--\n\n{text}", ForkGuard.Add(code, SlotKind.Reference), MethodRow.VarArgs | MethodRow.Keywords));
        return this;
    }

    public TypeBuilder Property(string property, string text, delegate* unmanaged<nint, nint, nint> get)
    {
        properties.Add((property, ForkGuard.Add(get, SlotKind.Reference), text));
        return this;
    }

    public TypeBuilder Slot(int slot, void* code, SlotKind kind)
    {
        slots.Add((slot, ForkGuard.Add(code, kind)));
        return this;
    }

    /// <summary>Lets Python code create objects: <c>tp_new</c>.</summary>
    public TypeBuilder New(delegate* unmanaged<nint, nint, nint, nint> code)
    {
        creatable = true;
        return Slot(NewSlot, code, SlotKind.Reference);
    }

    /// <summary>Says that objects end: every type must.</summary>
    public TypeBuilder Ends()
    {
        delegate* unmanaged<nint, void> end = &End;
        return Slot(Dealloc, end, SlotKind.Nothing);
    }

    /// <summary>Lets CPython's collector see the Python objects that a <see cref="IPythonHolder"/> of the type holds, and break cycles through them.</summary>
    public TypeBuilder Holds()
    {
        collected = true;
        delegate* unmanaged<nint, delegate* unmanaged<nint, nint, int>, nint, int> visit = &Visit;
        delegate* unmanaged<nint, int> clear = &LetGo;
        return Slot(Traverse, visit, SlotKind.Nothing).Slot(Clear, clear, SlotKind.Nothing);
    }

    /// <summary>Creates the type and adds it to the module.</summary>
    public void Create(nint module)
    {
        var rows = new List<(int Slot, nint Value)> { (Doc, Marshal.StringToCoTaskMemUTF8(doc)), (Methods, MethodRow.Table(methods)), (GetSet, GetSetTable()) };
        rows.AddRange(slots.Select(s => (s.Slot, ForkGuard.Address(s.Stub))));
        var table = (nint*)NativeMemory.AllocZeroed((nuint)(rows.Count + 1), 2 * (nuint)sizeof(nint));
        for (var i = 0; i < rows.Count; i++) (table[2 * i], table[2 * i + 1]) = (rows[i].Slot, rows[i].Value);
        var spec = (Spec*)NativeMemory.AllocZeroed((nuint)sizeof(Spec));
        *spec = new()
        {
            Name = Marshal.StringToCoTaskMemUTF8("ai_optix._native." + name),
            BasicSize = HeaderBytes + sizeof(nint),
            Flags = DefaultFlags | ImmutableType | (creatable ? 0 : DisallowInstantiation) | (collected ? Collected : 0),
            Slots = (nint)table,
        };
        Type = Errors.Check(PyApi.TypeFromSpec(spec));
        Errors.Check(PyApi.ModuleAdd(module, (byte*)Marshal.StringToCoTaskMemUTF8(name), Type));
    }

    /// <summary>A new object around a C# object, which it disposes of at its end.</summary>
    public nint Wrap(object value)
    {
        var alloc = (delegate* unmanaged<nint, nint, nint>)PyApi.TypeSlot(Type, Alloc);
        var self = Errors.Check(alloc(Type, 0));
        Handle(self) = GCHandle.ToIntPtr(GCHandle.Alloc(value));
        return self;
    }

    /// <summary>True for objects of the type.</summary>
    public bool Is(nint o) => Py.Type(o) == Type;

    /// <summary>The C# object of a Python object.</summary>
    public static T Value<T>(nint self) where T : class => (T)GCHandle.FromIntPtr(Handle(self)).Target!;

    /// <summary>What a property or a method without arguments gives: makes it from the C# object, and turns what is thrown into a Python error.</summary>
    public static nint Read<T>(nint self, Func<T, nint> read) where T : class
    {
        try
        {
            return read(Value<T>(self));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    private static ref nint Handle(nint self) => ref *(nint*)(self + HeaderBytes);

    [UnmanagedCallersOnly]
    private static void End(nint self)
    {
        var type = Py.Type(self);
        try
        {
            if ((PyApi.TypeFlags(type) & Collected) != 0) PyApi.Untrack(self);
            var handle = GCHandle.FromIntPtr(Handle(self));
            (handle.Target as IDisposable)?.Dispose();
            handle.Free();
            Deferred.Drain();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            PyApi.ErrWriteUnraisable(type);
        }
        ((delegate* unmanaged<nint, void>)PyApi.TypeSlot(type, Free))(self);
        PyApi.DecRef(type);
    }

    // The collector calls this for every object at any time between allocations: no errors, no Python code.
    [UnmanagedCallersOnly]
    private static int Visit(nint self, delegate* unmanaged<nint, nint, int> visit, nint argument)
    {
        var status = visit(Py.Type(self), argument);
        if (status != 0 || Handle(self) == 0 || GCHandle.FromIntPtr(Handle(self)).Target is not IPythonHolder holder) return status;
        foreach (var held in holder.Held)
            if ((status = visit(held, argument)) != 0) return status;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int LetGo(nint self)
    {
        try
        {
            (GCHandle.FromIntPtr(Handle(self)).Target as IDisposable)?.Dispose();
            Deferred.Drain();
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            PyApi.ErrWriteUnraisable(Py.Type(self));
        }
        return 0;
    }

    private nint GetSetTable()
    {
        var table = (nint*)NativeMemory.AllocZeroed((nuint)(properties.Count + 1), 5 * (nuint)sizeof(nint));
        for (var i = 0; i < properties.Count; i++)
        {
            table[5 * i] = Marshal.StringToCoTaskMemUTF8(properties[i].Name);
            table[5 * i + 1] = ForkGuard.Address(properties[i].Stub);
            table[5 * i + 3] = Marshal.StringToCoTaskMemUTF8(properties[i].Doc);
        }
        return (nint)table;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Spec
    {
        public nint Name;
        public int BasicSize;
        public int ItemSize;
        public uint Flags;
        public nint Slots;
    }
}

/// <summary>A function of a type or of the module, as <c>PyMethodDef</c> describes it.</summary>
internal sealed record MethodRow(string Name, string Doc, int Stub, int Flags)
{
    public const int VarArgs = 1, Keywords = 2, Static = 0x20, Fast = 0x80;

    /// <summary>The table that Python reads; it is never freed.</summary>
    public static unsafe nint Table(IReadOnlyList<MethodRow> rows)
    {
        var table = (nint*)NativeMemory.AllocZeroed((nuint)(rows.Count + 1), 4 * (nuint)sizeof(nint));
        for (var i = 0; i < rows.Count; i++)
        {
            table[4 * i] = Marshal.StringToCoTaskMemUTF8(rows[i].Name);
            table[4 * i + 1] = ForkGuard.Address(rows[i].Stub);
            *(int*)(table + 4 * i + 2) = rows[i].Flags;
            table[4 * i + 3] = Marshal.StringToCoTaskMemUTF8(rows[i].Doc);
        }
        return (nint)table;
    }
}

/// <summary>A C# object that holds Python objects as long as it is not disposed of.</summary>
internal interface IPythonHolder
{
    /// <summary>The objects, borrowed; each as often as a reference is held.</summary>
    ReadOnlySpan<nint> Held { get; }
}
