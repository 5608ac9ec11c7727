using System.Runtime.InteropServices;

namespace AiOptix.Python;

/// <summary>Where Python enters: <c>_host.py</c> calls <see cref="Initialize"/> once the .NET runtime has started.</summary>
public static unsafe class Entry
{
    private static nint module;
    private static long interpreter;

    /// <summary>Makes the module <c>ai_optix._native</c>. A second call from the same interpreter gives the same module.</summary>
    /// <param name="python">The library that holds CPython (<c>ctypes.pythonapi._handle</c>).</param>
    /// <param name="mainThread">The identity of Python's main thread (<c>threading.main_thread().ident</c>).</param>
    /// <returns>A new reference; null with an error set when it cannot be made.</returns>
    [UnmanagedCallersOnly]
    public static nint Initialize(nint python, nuint mainThread)
    {
        try
        {
            if (module == 0) PyApi.Load(python);
            var current = PyApi.InterpreterId(PyApi.InterpreterGet());
            if (module == 0)
            {
                interpreter = current;
                Blocking.MainThread = mainThread;
                module = NativeModule.Create();
            }
            if (current == interpreter) return Py.New(module);
            Errors.Set("RuntimeError", "ai_optix cannot be imported in a subinterpreter: another interpreter of this process uses it already");
        }
        catch (Exception e)
        {
            Errors.Raise(e);
        }
        return 0;
    }
}
