using System.Runtime.InteropServices;
using System.Text;
using AiOptix.Data;
using AiOptix.Optimization;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>Thrown where a call into Python failed: the Python error is set already and goes on as it is.</summary>
internal sealed class PythonErrorException : Exception;

/// <summary>A wrong argument of a call: Python's TypeError.</summary>
internal sealed class ArgumentTypeException(string message) : Exception(message);

/// <summary>An exception that Python code raised on a thread of C#: it can travel there, and be raised again on the caller's.</summary>
internal sealed unsafe class PythonCallException : Exception, IDisposable
{
    private nint value;

    private PythonCallException(nint value, string message) : base(message) => this.value = value;

    /// <summary>Takes the Python error that is set, which is then no longer set. One that is no Exception (KeyboardInterrupt, SystemExit) ends what is going on.</summary>
    public static Exception Of()
    {
        var isException = PyApi.ErrExceptionMatches(PyApi.Exception("Exception")) != 0;
        var value = Take();
        var call = new PythonCallException(value, $"{Py.TypeName(value)}: {Text(value)}");
        return isException ? call : new PythonInterruptException(call);
    }

    /// <summary>The exception object that is set, with its traceback; owned, and no longer set.</summary>
    public static nint Take()
    {
        nint kind, value, trace;
        PyApi.ErrFetch(&kind, &value, &trace);
        PyApi.ErrNormalize(&kind, &value, &trace);
        if (trace != 0)
        {
            _ = PyApi.SetTraceback(value, trace);
            PyApi.DecRef(trace);
        }
        PyApi.DecRef(kind);
        return value;
    }

    /// <summary>Sets the exception again.</summary>
    public void Restore()
    {
        PyApi.ErrSetObject(Py.Type(value), value);
        Dispose();
    }

    public void Dispose()
    {
        var held = Interlocked.Exchange(ref value, 0);
        if (held != 0) Deferred.Drop(held);
        GC.SuppressFinalize(this);
    }

    ~PythonCallException()
    {
        var held = Interlocked.Exchange(ref value, 0);
        if (held != 0) Deferred.Drop(held);
    }

    private static string Text(nint value)
    {
        var text = PyApi.Str(value);
        if (text == 0)
        {
            PyApi.ErrClear();
            return "an exception without a text";
        }
        var message = Py.ToText(text);
        PyApi.DecRef(text);
        return message;
    }
}

/// <summary>Python code on a thread of C# raised what is to end the program, such as KeyboardInterrupt.</summary>
internal sealed class PythonInterruptException(PythonCallException call) : OperationCanceledException(call.Message)
{
    public PythonCallException Call => call;
}

/// <summary>Python's exceptions for those of C#. No C# exception leaves the bridge: every entry ends in <see cref="Raise"/>.</summary>
internal static unsafe class Errors
{
    private static readonly Dictionary<Type, nint> types = [];
    private static nint cancelled;

    /// <summary>Creates the exception types of the package and adds them to the module.</summary>
    public static void Register(nint module)
    {
        var root = Create(module, "Error", "The root of every error that AI Optix reports on purpose.", PyApi.Exception("Exception"));
        types[typeof(AiOptixException)] = root;
        Add<ModelFormatException>("ModelFormatError", "ValueError", "A model or tensor file is damaged, truncated, or not what it claims to be.");
        Add<InvalidGraphException>("InvalidGraphError", "ValueError", "A graph is not valid: types, shapes, edges or attributes contradict each other.");
        Add<UnsupportedModelException>("UnsupportedModelError", "NotImplementedError", "The model uses operators, or types of operators, that are not supported; all are named.");
        Add<InvalidInputException>("InvalidInputError", "ValueError", "An input of a run has the wrong name, rank, shape or value.");
        Add<InputTypeException>("InputTypeError", "TypeError", "An input of a run has the wrong element type.");
        Add<LimitExceededException>("LimitExceededError", "MemoryError", "A model asks for more memory, depth, trips or time than its limits allow.");
        Add<SampleException>("SampleError", "ValueError", "A sample could not be read, and the loader was told to raise; the reason is its __cause__.");
        Add<ProofFailedException>("ProofFailedError", "ArithmeticError", "A proof failed: an optimised model does not give the answers of its baseline.");
        Add<NotEnoughDataException>("NotEnoughDataError", "ValueError", "There are too few samples for the claim that a budget asks for.");
        cancelled = Create(module, "CancelledError", "A run was ended by its Cancellation.", root, PyApi.Exception("RuntimeError"));

        void Add<T>(string name, string builtIn, string doc) => types[typeof(T)] = Create(module, name, doc, root, PyApi.Exception(builtIn));
    }

    /// <summary>Sets the Python error for an exception.</summary>
    public static void Raise(Exception exception)
    {
        switch (exception)
        {
            case PythonErrorException: break;
            case PythonCallException call: call.Restore(); break;
            case PythonInterruptException interrupt: Raise(interrupt.Call); break;
            case AggregateException { InnerException: { } inner }: Raise(inner); break;
            case OperationCanceledException or AiOptixClosedException when Blocking.Closing.IsCancellationRequested && !Blocking.OnMainThread:
                PyApi.ErrSetObject(PyApi.Exception("SystemExit"), PyApi.None);
                break;
            case OperationCanceledException: Set(cancelled, "the run was cancelled"); break;
            case FileNotFoundException or DirectoryNotFoundException: SetSystem(2, exception); break;
            case UnauthorizedAccessException: SetSystem(13, exception); break;
            case IOException: Set("OSError", exception.Message); break;
            case OutOfMemoryException or InsufficientMemoryException: Set("MemoryError", exception.Message); break;
            case ObjectDisposedException: Set("ValueError", "the session is closed"); break;
            case BufferException: Set("BufferError", exception.Message); break;
            case ArgumentTypeException: Set("TypeError", exception.Message); break;
            case OverflowException: Set("OverflowError", exception.Message); break;
            case ArgumentException: Set("ValueError", exception.Message); break;
            case AiOptixClosedException: Set("RuntimeError", exception.Message); break;
            case NotSupportedException: Set("NotImplementedError", exception.Message); break;
            case SampleException { InnerException: { } cause }:
                Raise(cause);
                Chain(types[typeof(SampleException)], exception.Message);
                break;
            case AiOptixException: Set(types.GetValueOrDefault(exception.GetType(), types[typeof(AiOptixException)]), exception.Message); break;
            default: Set("RuntimeError", $"{exception.GetType().Name}: {exception.Message} (a defect of AI Optix, please report it){Environment.NewLine}{exception.StackTrace}"); break;
        }
    }

    /// <summary>Sets an error of a built-in type.</summary>
    public static void Set(string builtIn, string message) => Set(PyApi.Exception(builtIn), message);

    /// <summary>Goes on with the Python error when a call failed.</summary>
    public static nint Check(nint result) => result != 0 ? result : throw new PythonErrorException();

    /// <summary>Goes on with the Python error when a call failed.</summary>
    public static void Check(int status)
    {
        if (status < 0) throw new PythonErrorException();
    }

    /// <summary>Sets an error whose cause is the one that is set.</summary>
    private static void Chain(nint type, string message)
    {
        var cause = PythonCallException.Take();
        Set(type, message);
        nint kind, value, trace;
        PyApi.ErrFetch(&kind, &value, &trace);
        PyApi.ErrNormalize(&kind, &value, &trace);
        PyApi.SetCause(value, cause);
        PyApi.ErrRestore(kind, value, trace);
    }

    private static void Set(nint type, string message)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(message.Replace('\0', ' ') + '\0')) PyApi.ErrSetString(type, text);
    }

    // OSError(errno, text, file name) turns itself into FileNotFoundError and its kin.
    private static void SetSystem(int code, Exception exception)
    {
        var arguments = PyApi.TupleNew(2);
        if (arguments == 0) return;
        PyApi.TupleSet(arguments, 0, PyApi.LongFrom(code));
        PyApi.TupleSet(arguments, 1, Py.Text(exception.Message));
        PyApi.ErrSetObject(PyApi.Exception("OSError"), arguments);
        PyApi.DecRef(arguments);
    }

    private static nint Create(nint module, string name, string doc, params ReadOnlySpan<nint> bases)
    {
        var tuple = Check(PyApi.TupleNew(bases.Length));
        for (var i = 0; i < bases.Length; i++)
        {
            PyApi.IncRef(bases[i]);
            Check(PyApi.TupleSet(tuple, i, bases[i]));
        }
        fixed (byte* full = Encoding.UTF8.GetBytes("ai_optix." + name + '\0'), text = Encoding.UTF8.GetBytes(doc + '\0'))
        {
            var type = Check(PyApi.ErrNewException(full, text, tuple, 0));
            PyApi.DecRef(tuple);
            Check(PyApi.ModuleAdd(module, (byte*)Marshal.StringToCoTaskMemUTF8(name), type));
            return type;
        }
    }
}
