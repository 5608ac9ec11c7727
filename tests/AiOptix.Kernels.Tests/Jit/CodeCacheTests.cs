using System.Globalization;
using System.Runtime.CompilerServices;
using AiOptix.Kernels.Jit;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Jit;

public unsafe class CodeCacheTests
{
    /// <summary>A kernel that stores a number where its argument points.</summary>
    private sealed record Constant(int Number) : IKernelCode
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"constant_{Number}");

        public KernelGenerator Generator() => new ConstantGenerator(Number);
    }

    private sealed class ConstantGenerator(int number) : KernelGenerator(32)
    {
        protected override void Body()
        {
            Code.Move(Gpr.Rax, number);
            Code.Store(new(Arguments), Gpr.Rax);
        }
    }

    private static long Run(GeneratedKernel kernel)
    {
        long result;
        ((delegate* unmanaged[SuppressGCTransition]<long*, void>)kernel.Address)(&result);
        GC.KeepAlive(kernel);
        return result;
    }

    [SkippableFact]
    public void Equal_code_is_made_once()
    {
        Sweep.Require(Isa.Jit);
        var cache = new CodeCache(1 << 20);
        Assert.Same(cache.Get(new Constant(7)), cache.Get(new Constant(7)));
        Assert.NotSame(cache.Get(new Constant(7)), cache.Get(new Constant(8)));
        Assert.Equal((7, 8), (Run(cache.Get(new Constant(7))), Run(cache.Get(new Constant(8)))));
        Assert.Equal(["constant_7", "constant_8"], cache.Kernels().Select(k => k.Name));
    }

    [SkippableFact]
    public void Ten_thousand_kernels_leave_memory_flat_and_what_is_held_runs_on()
    {
        Sweep.Require(Isa.Jit);
        const int most = 64 << 10, beside = 4 << 20;
        var cache = new CodeCache(most);
        var held = cache.Get(new Constant(-1 >>> 1));
        var before = CodeMemory.LiveBytes;
        Fill(cache, most);
        for (var i = 0; i < 5 && CodeMemory.LiveBytes > before + beside; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        // Other tests make tiles meanwhile, a tenth of what these kernels would take.
        Assert.InRange(CodeMemory.LiveBytes, 0, before + beside);
        Assert.Equal(int.MaxValue, Run(held));
        Assert.NotSame(held, cache.Get(new Constant(int.MaxValue)));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fill(CodeCache cache, long most)
    {
        for (var i = 0; i < 10_000; i++)
        {
            Assert.Equal(i, Run(cache.Get(new Constant(i))));
            Assert.InRange(cache.Bytes, 1, most);
        }
    }

    [SkippableFact]
    public void Threads_may_ask_at_once()
    {
        Sweep.Require(Isa.Jit);
        var cache = new CodeCache(16 << 10);
        Parallel.For(0, 2000, i => Assert.Equal(i % 40, Run(cache.Get(new Constant(i % 40)))));
    }

    [SkippableFact]
    public void Pages_are_never_writable_and_executable()
    {
        Sweep.Require(Isa.Jit);
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/maps");
        var kernel = new CodeCache(1 << 20).Get(new Constant(3));
        var line = File.ReadLines("/proc/self/maps").Single(l => Contains(l, kernel.Address));
        Assert.Equal("r-xp", line.Split(' ')[1]);
        GC.KeepAlive(kernel);
    }

    private static bool Contains(string mapping, nint address)
    {
        var ends = mapping[..mapping.IndexOf(' ', StringComparison.Ordinal)].Split('-').Select(e => long.Parse(e, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
        return ends[0] <= address && address < ends[1];
    }
}
