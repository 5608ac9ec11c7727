using System.Runtime.CompilerServices;

namespace AiOptix;

/// <summary>How code that runs once an element or once a task asks to be compiled.</summary>
internal static class HotCode
{
    /// <summary>
    /// With full optimisation at once, which the JIT would else reach only after many calls. Ready-to-run images never hold a method that asks for it, so
    /// builds that are compiled ahead leave it out: there the code is optimised as it is.
    /// </summary>
#if COMPILED_AHEAD
    internal const MethodImplOptions Optimized = default;
#else
    internal const MethodImplOptions Optimized = MethodImplOptions.AggressiveOptimization;
#endif
}
