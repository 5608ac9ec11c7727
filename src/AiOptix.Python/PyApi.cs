using System.Runtime.InteropServices;

namespace AiOptix.Python;

/// <summary>
/// The functions of CPython's stable ABI (limited API, version 3.11 and up) that the bridge uses, found by name in the running interpreter. References
/// follow CPython's own rules: "new" results belong to the caller, "borrowed" ones do not. All but those named in <see cref="Load"/> need the GIL.
/// </summary>
internal static unsafe class PyApi
{
    public static delegate* unmanaged[SuppressGCTransition]<nint, void> IncRef;
    public static delegate* unmanaged<nint, void> DecRef;
    public static delegate* unmanaged[SuppressGCTransition]<nint> ErrOccurred;
    public static delegate* unmanaged[SuppressGCTransition]<nint, nuint> TypeFlags;
    public static delegate* unmanaged[SuppressGCTransition]<nuint> ThreadIdent;
    public static delegate* unmanaged<nint, byte*, void> ErrSetString;
    public static delegate* unmanaged<nint, nint, void> ErrSetObject;
    public static delegate* unmanaged<void> ErrClear;
    public static delegate* unmanaged<nint, int> ErrExceptionMatches;
    public static delegate* unmanaged<nint, void> ErrWriteUnraisable;
    public static delegate* unmanaged<nint*, nint*, nint*, void> ErrFetch;
    public static delegate* unmanaged<nint*, nint*, nint*, void> ErrNormalize;
    public static delegate* unmanaged<nint, nint, nint, void> ErrRestore;
    public static delegate* unmanaged<nint, nint, int> SetTraceback;
    public static delegate* unmanaged<nint, nint, void> SetCause;
    public static delegate* unmanaged<nint, nint> Str;
    public static delegate* unmanaged<int> EnsureThread;
    public static delegate* unmanaged<int, void> ReleaseThread;
    public static delegate* unmanaged<int> ErrCheckSignals;
    public static delegate* unmanaged<byte*, byte*, nint, nint, nint> ErrNewException;
    public static delegate* unmanaged<nint> SaveThread;
    public static delegate* unmanaged<nint, void> RestoreThread;
    public static delegate* unmanaged<nint> InterpreterGet;
    public static delegate* unmanaged<nint, long> InterpreterId;
    public static delegate* unmanaged<byte*, nint> ModuleNew;
    public static delegate* unmanaged<nint, byte*, nint, int> ModuleAdd;
    public static delegate* unmanaged<nint, void*, int> ModuleAddFunctions;
    public static delegate* unmanaged<void*, nint> TypeFromSpec;
    public static delegate* unmanaged<nint, int, nint> TypeSlot;
    public static delegate* unmanaged<nint, void> Untrack;
    public static delegate* unmanaged<long, nint> LongFrom;
    public static delegate* unmanaged<nint, long> LongAs;
    public static delegate* unmanaged<double, nint> FloatFrom;
    public static delegate* unmanaged<nint, double> FloatAs;
    public static delegate* unmanaged<nint, int> IsTrue;
    public static delegate* unmanaged<byte*, nint, nint> UnicodeFrom;
    public static delegate* unmanaged<nint, nint*, byte*> UnicodeUtf8;
    public static delegate* unmanaged<nint, byte**, nint*, int> BytesAs;
    public static delegate* unmanaged<nint, nint> TupleNew;
    public static delegate* unmanaged<nint, nint, nint, int> TupleSet;
    public static delegate* unmanaged<nint, nint> ListNew;
    public static delegate* unmanaged<nint, nint, nint, int> ListSet;
    public static delegate* unmanaged<nint> DictNew;
    public static delegate* unmanaged<nint, nint, nint, int> DictSet;
    public static delegate* unmanaged<nint, nint, nint> DictGet;
    public static delegate* unmanaged<nint, nint> DictSize;
    public static delegate* unmanaged<nint, nint*, nint*, nint*, int> DictNext;
    public static delegate* unmanaged<nint, nint> SequenceSize;
    public static delegate* unmanaged<nint, nint, nint> SequenceGet;
    public static delegate* unmanaged<nint, byte*, nint> GetAttr;
    public static delegate* unmanaged<nint, nint, nint, nint> Call;
    public static delegate* unmanaged<nint, int> CheckBuffer;
    public static delegate* unmanaged<nint, PyBuffer*, int, int> GetBuffer;
    public static delegate* unmanaged<PyBuffer*, void> ReleaseBuffer;
    public static delegate* unmanaged<void*, byte*, nint, nint> CapsuleNew;
    public static delegate* unmanaged<nint, byte*, void*> CapsulePointer;
    public static delegate* unmanaged<nint, byte*, int> CapsuleIsValid;
    public static delegate* unmanaged<nint, byte*, int> CapsuleSetName;

    private static nint library;

    /// <summary>The singletons, borrowed and immortal for our purposes.</summary>
    public static nint None { get; private set; }

    /// <summary><c>True</c>, borrowed.</summary>
    public static nint True { get; private set; }

    /// <summary><c>False</c>, borrowed.</summary>
    public static nint False { get; private set; }

    /// <summary>The address of an exported function or object.</summary>
    public static nint Export(string name) => NativeLibrary.GetExport(library, name);

    /// <summary>A built-in exception type, borrowed: <c>PyExc_ValueError</c>.</summary>
    public static nint Exception(string name) => *(nint*)Export("PyExc_" + name);

    /// <summary>Finds everything. <c>PyEval_RestoreThread</c>, <c>PyGILState_Ensure</c> and <c>PyThread_get_thread_ident</c> alone are called without the GIL.</summary>
    /// <param name="handle">The library that holds CPython, as <c>dlopen</c> gives it.</param>
    public static void Load(nint handle)
    {
        library = handle;
        IncRef = (delegate* unmanaged[SuppressGCTransition]<nint, void>)Export("Py_IncRef");
        DecRef = (delegate* unmanaged<nint, void>)Export("Py_DecRef");
        ErrOccurred = (delegate* unmanaged[SuppressGCTransition]<nint>)Export("PyErr_Occurred");
        TypeFlags = (delegate* unmanaged[SuppressGCTransition]<nint, nuint>)Export("PyType_GetFlags");
        ThreadIdent = (delegate* unmanaged[SuppressGCTransition]<nuint>)Export("PyThread_get_thread_ident");
        ErrSetString = (delegate* unmanaged<nint, byte*, void>)Export("PyErr_SetString");
        ErrSetObject = (delegate* unmanaged<nint, nint, void>)Export("PyErr_SetObject");
        ErrClear = (delegate* unmanaged<void>)Export("PyErr_Clear");
        ErrExceptionMatches = (delegate* unmanaged<nint, int>)Export("PyErr_ExceptionMatches");
        ErrWriteUnraisable = (delegate* unmanaged<nint, void>)Export("PyErr_WriteUnraisable");
        ErrFetch = (delegate* unmanaged<nint*, nint*, nint*, void>)Export("PyErr_Fetch");
        ErrNormalize = (delegate* unmanaged<nint*, nint*, nint*, void>)Export("PyErr_NormalizeException");
        ErrRestore = (delegate* unmanaged<nint, nint, nint, void>)Export("PyErr_Restore");
        SetTraceback = (delegate* unmanaged<nint, nint, int>)Export("PyException_SetTraceback");
        SetCause = (delegate* unmanaged<nint, nint, void>)Export("PyException_SetCause");
        Str = (delegate* unmanaged<nint, nint>)Export("PyObject_Str");
        EnsureThread = (delegate* unmanaged<int>)Export("PyGILState_Ensure");
        ReleaseThread = (delegate* unmanaged<int, void>)Export("PyGILState_Release");
        ErrCheckSignals = (delegate* unmanaged<int>)Export("PyErr_CheckSignals");
        ErrNewException = (delegate* unmanaged<byte*, byte*, nint, nint, nint>)Export("PyErr_NewExceptionWithDoc");
        SaveThread = (delegate* unmanaged<nint>)Export("PyEval_SaveThread");
        RestoreThread = (delegate* unmanaged<nint, void>)Export("PyEval_RestoreThread");
        InterpreterGet = (delegate* unmanaged<nint>)Export("PyInterpreterState_Get");
        InterpreterId = (delegate* unmanaged<nint, long>)Export("PyInterpreterState_GetID");
        ModuleNew = (delegate* unmanaged<byte*, nint>)Export("PyModule_New");
        ModuleAdd = (delegate* unmanaged<nint, byte*, nint, int>)Export("PyModule_AddObjectRef");
        ModuleAddFunctions = (delegate* unmanaged<nint, void*, int>)Export("PyModule_AddFunctions");
        TypeFromSpec = (delegate* unmanaged<void*, nint>)Export("PyType_FromSpec");
        TypeSlot = (delegate* unmanaged<nint, int, nint>)Export("PyType_GetSlot");
        Untrack = (delegate* unmanaged<nint, void>)Export("PyObject_GC_UnTrack");
        LongFrom = (delegate* unmanaged<long, nint>)Export("PyLong_FromLongLong");
        LongAs = (delegate* unmanaged<nint, long>)Export("PyLong_AsLongLong");
        FloatFrom = (delegate* unmanaged<double, nint>)Export("PyFloat_FromDouble");
        FloatAs = (delegate* unmanaged<nint, double>)Export("PyFloat_AsDouble");
        IsTrue = (delegate* unmanaged<nint, int>)Export("PyObject_IsTrue");
        UnicodeFrom = (delegate* unmanaged<byte*, nint, nint>)Export("PyUnicode_FromStringAndSize");
        UnicodeUtf8 = (delegate* unmanaged<nint, nint*, byte*>)Export("PyUnicode_AsUTF8AndSize");
        BytesAs = (delegate* unmanaged<nint, byte**, nint*, int>)Export("PyBytes_AsStringAndSize");
        TupleNew = (delegate* unmanaged<nint, nint>)Export("PyTuple_New");
        TupleSet = (delegate* unmanaged<nint, nint, nint, int>)Export("PyTuple_SetItem");
        ListNew = (delegate* unmanaged<nint, nint>)Export("PyList_New");
        ListSet = (delegate* unmanaged<nint, nint, nint, int>)Export("PyList_SetItem");
        DictNew = (delegate* unmanaged<nint>)Export("PyDict_New");
        DictSet = (delegate* unmanaged<nint, nint, nint, int>)Export("PyDict_SetItem");
        DictGet = (delegate* unmanaged<nint, nint, nint>)Export("PyDict_GetItemWithError");
        DictSize = (delegate* unmanaged<nint, nint>)Export("PyDict_Size");
        DictNext = (delegate* unmanaged<nint, nint*, nint*, nint*, int>)Export("PyDict_Next");
        SequenceSize = (delegate* unmanaged<nint, nint>)Export("PySequence_Size");
        SequenceGet = (delegate* unmanaged<nint, nint, nint>)Export("PySequence_GetItem");
        GetAttr = (delegate* unmanaged<nint, byte*, nint>)Export("PyObject_GetAttrString");
        Call = (delegate* unmanaged<nint, nint, nint, nint>)Export("PyObject_Call");
        CheckBuffer = (delegate* unmanaged<nint, int>)Export("PyObject_CheckBuffer");
        GetBuffer = (delegate* unmanaged<nint, PyBuffer*, int, int>)Export("PyObject_GetBuffer");
        ReleaseBuffer = (delegate* unmanaged<PyBuffer*, void>)Export("PyBuffer_Release");
        CapsuleNew = (delegate* unmanaged<void*, byte*, nint, nint>)Export("PyCapsule_New");
        CapsulePointer = (delegate* unmanaged<nint, byte*, void*>)Export("PyCapsule_GetPointer");
        CapsuleIsValid = (delegate* unmanaged<nint, byte*, int>)Export("PyCapsule_IsValid");
        CapsuleSetName = (delegate* unmanaged<nint, byte*, int>)Export("PyCapsule_SetName");
        None = Export("_Py_NoneStruct");
        True = Export("_Py_TrueStruct");
        False = Export("_Py_FalseStruct");
    }
}

/// <summary><c>Py_buffer</c>, part of the stable ABI since 3.11 (PEP 3118).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PyBuffer
{
    public const int Writable = 1, Format = 4, Dimensions = 8, Strides = 0x10 | Dimensions, ContiguousC = 0x20 | Strides;
    public const int ContiguousF = 0x40 | Strides;

    public byte* Pointer;
    public nint Owner;
    public nint Length;
    public nint ItemSize;
    public int ReadOnly;
    public int Rank;
    public byte* Letters;
    public nint* Shape;
    public nint* Steps;
    public nint* Suboffsets;
    public nint Internal;
}
