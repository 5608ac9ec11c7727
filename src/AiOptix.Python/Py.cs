using System.Runtime.CompilerServices;
using System.Text;

namespace AiOptix.Python;

/// <summary>Python objects to and from C#. Results are new references unless they say otherwise; failures throw <see cref="PythonErrorException"/>.</summary>
internal static unsafe class Py
{
    private const int ListFlag = 25, TupleFlag = 26, BytesFlag = 27, TextFlag = 28, DictFlag = 29;

    /// <summary>The type of an object, borrowed: the second word of every object of a build with a GIL.</summary>
    public static nint Type(nint o) => ((nint*)o)[1];

    public static bool IsNone(nint o) => o == PyApi.None;
    public static bool IsList(nint o) => Is(o, ListFlag);
    public static bool IsTuple(nint o) => Is(o, TupleFlag);
    public static bool IsBytes(nint o) => Is(o, BytesFlag);
    public static bool IsText(nint o) => Is(o, TextFlag);
    public static bool IsDict(nint o) => Is(o, DictFlag);

    /// <summary>The name of an object's type, for messages.</summary>
    public static string TypeName(nint o)
    {
        var name = PyApi.GetAttr(Type(o), Ascii("__name__"u8));
        if (name == 0)
        {
            PyApi.ErrClear();
            return "object";
        }
        var text = ToText(name);
        PyApi.DecRef(name);
        return text;
    }

    /// <summary>A reference of the caller's own to the object.</summary>
    public static nint New(nint o)
    {
        PyApi.IncRef(o);
        return o;
    }

    public static nint None() => New(PyApi.None);
    public static nint Bool(bool value) => New(value ? PyApi.True : PyApi.False);
    public static nint Integer(long value) => Errors.Check(PyApi.LongFrom(value));

    public static nint Text(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        fixed (byte* p = bytes) return Errors.Check(PyApi.UnicodeFrom(p, bytes.Length));
    }

    /// <summary>The text of a <c>str</c>.</summary>
    public static string ToText(nint o)
    {
        if (!IsText(o)) throw new ArgumentTypeException($"expected str, found {TypeName(o)}");
        nint length;
        var p = PyApi.UnicodeUtf8(o, &length);
        return p == null ? throw new PythonErrorException() : Encoding.UTF8.GetString(p, checked((int)length));
    }

    public static long ToInteger(nint o)
    {
        var value = PyApi.LongAs(o);
        return value == -1 && PyApi.ErrOccurred() != 0 ? throw new PythonErrorException() : value;
    }

    public static double ToFloat(nint o)
    {
        var value = PyApi.FloatAs(o);
        return value == -1 && PyApi.ErrOccurred() != 0 ? throw new PythonErrorException() : value;
    }

    public static bool ToBool(nint o)
    {
        var value = PyApi.IsTrue(o);
        Errors.Check(value);
        return value != 0;
    }

    /// <summary>A tuple; the items are taken over.</summary>
    public static nint Tuple(params ReadOnlySpan<nint> items)
    {
        var tuple = Errors.Check(PyApi.TupleNew(items.Length));
        for (var i = 0; i < items.Length; i++) Errors.Check(PyApi.TupleSet(tuple, i, items[i]));
        return tuple;
    }

    /// <summary>A list; the items are taken over.</summary>
    public static nint List(ReadOnlySpan<nint> items)
    {
        var list = Errors.Check(PyApi.ListNew(items.Length));
        for (var i = 0; i < items.Length; i++) Errors.Check(PyApi.ListSet(list, i, items[i]));
        return list;
    }

    /// <summary>The items of a sequence, each turned into a C# value.</summary>
    public static T[] Items<T>(nint sequence, Func<nint, T> convert)
    {
        var count = PyApi.SequenceSize(sequence);
        if (count < 0) throw new PythonErrorException();
        var items = new T[count];
        for (var i = 0; i < items.Length; i++)
        {
            var item = Errors.Check(PyApi.SequenceGet(sequence, i));
            try
            {
                items[i] = convert(item);
            }
            finally
            {
                PyApi.DecRef(item);
            }
        }
        return items;
    }

    /// <summary>The entries of a dict, borrowed.</summary>
    public static List<(nint Key, nint Value)> Entries(nint dict)
    {
        if (!IsDict(dict)) throw new ArgumentTypeException($"expected dict, found {TypeName(dict)}");
        var entries = new List<(nint, nint)>();
        nint at = 0, key, value;
        while (PyApi.DictNext(dict, &at, &key, &value) != 0) entries.Add((key, value));
        return entries;
    }

    /// <summary>Calls an object with borrowed arguments.</summary>
    public static nint Call(nint callable, params ReadOnlySpan<nint> arguments)
    {
        var tuple = Errors.Check(PyApi.TupleNew(arguments.Length));
        for (var i = 0; i < arguments.Length; i++) PyApi.TupleSet(tuple, i, New(arguments[i]));
        var result = PyApi.Call(callable, tuple, 0);
        PyApi.DecRef(tuple);
        return Errors.Check(result);
    }

    /// <summary>The address of an ASCII literal, which ends in a zero byte and never moves.</summary>
    public static byte* Ascii(ReadOnlySpan<byte> literal) => (byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in literal[0]));

    private static bool Is(nint o, int flag) => (PyApi.TypeFlags(Type(o)) >> flag & 1) != 0;
}
