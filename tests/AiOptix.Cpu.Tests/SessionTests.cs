using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Kernels;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

public class SessionTests
{
    private static Graph SmallNet()
    {
        var g = new Graph("small");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("batch"), 3, 12, 10));
        var c = g.Add(new Conv([1, 1], [1, 1, 1, 1]), x, g.AddConstant(PlanCheck.Random(1, 8, 3, 3, 3)), g.AddConstant(PlanCheck.Random(2, 8)));
        var r = g.Add(new Relu(), c);
        var d = g.Add(new Conv([2, 2], [1, 1, 1, 1]), r, g.AddConstant(PlanCheck.Random(3, 8, 8, 3, 3)));
        var p = g.Add(new Conv([2, 2]), r, g.AddConstant(PlanCheck.Random(4, 8, 8, 1, 1)));
        var s = g.Add(new Relu(), g.Add(new Add(), d, p));
        var f = g.Add(new Flatten(), g.Add(new GlobalAveragePool(), s));
        g.AddOutput(g.Add(new Gemm(TransB: true), f, g.AddConstant(PlanCheck.Random(5, 10, 8)), g.AddConstant(PlanCheck.Random(6, 10))));
        return g;
    }

    [Fact]
    public void ConvolutionsWithResidualAndActivationAgreeWithTheReference()
    {
        var g = SmallNet();
        PlanCheck.Same(g, PlanCheck.Random(9, 2, 3, 12, 10));
        Assert.Equal(["Conv+Relu", "Conv", "Conv+Add+Relu", "ReduceMean", "Gemm"], PlanCheck.Compile(g).Steps.Select(s => s.Operation).OrderBy(s => Array.IndexOf(["Conv+Relu", "Conv", "Conv+Add+Relu", "ReduceMean", "Gemm"], s)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ASessionBindsForExtentsOfOneAndOpensWhenTheModelHasNoUseForThem(bool fits)
    {
        var g = new Graph("open");
        var x = g.AddInput("x", PlanCheck.F32(1, 3, Dim.Symbol("height"), Dim.Symbol("width")));
        g.AddOutput(g.Add(new Conv([1, 1], fits ? [1, 1, 1, 1] : [0, 0, 0, 0]), x, g.AddConstant(PlanCheck.Random(1, 8, 3, 3, 3))));
        var backend = new CpuBackend(HostTarget.Current);
        var program = backend.Compile(g, Limits.Default);
        using (new Session(program, backend.CreateRunner(1)))
        {
            if (fits) Assert.True(Binding(program, 1) < Binding(program, 2), "the binding was not there");
            else Assert.ThrowsAny<AiOptixException>(() => Binding(program, 1));
        }
        PlanCheck.Same(g, PlanCheck.Random(9, 1, 3, 5, 7));
    }

    [Fact]
    public void ASteadyRunIntoTheCallersMemoryAllocatesNothing()
    {
        foreach (var threads in new[] { 1, 2 })
        {
            using var session = PlanCheck.Open(SmallNet(), threads);
            Tensor[] inputs = [PlanCheck.Random(9, 2, 3, 12, 10)];
            Tensor[] outputs = [Tensor.Allocate(DType.Float32, new Shape(2, 10))];
            for (var i = 0; i < 50; i++) session.Run(inputs, outputs);
            Settle();
            // Other threads of the test host may allocate now and then; ten batches in a row they do not.
            var least = Enumerable.Range(0, 10).Select(_ => Allocated(() => session.Run(inputs, outputs))).ToArray();
            Assert.Equal((0, 0), (least.Min(b => b.Managed), least.Min(b => b.Native)));
        }
    }

    /// <summary>How much finding or making a binding allocates.</summary>
    private static long Binding(Program program, long extent)
    {
        var symbols = new Dictionary<string, long> { ["height"] = extent, ["width"] = extent };
        var before = GC.GetAllocatedBytesForCurrentThread();
        program.Bind(0, symbols);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static (long Managed, long Native) Allocated(Action run)
    {
        var (managed, native) = (GC.GetTotalAllocatedBytes(precise: true), MemoryBlock.OwnedBytes);
        for (var i = 0; i < 100; i++) run();
        return (GC.GetTotalAllocatedBytes(precise: true) - managed, MemoryBlock.OwnedBytes - native);
    }

    /// <summary>Waits, at most two seconds, until no thread allocates: the test host does while it starts.</summary>
    private static void Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        long before;
        var tries = 0;
        do
        {
            before = GC.GetTotalAllocatedBytes(precise: true);
            Thread.Sleep(20);
        }
        while (GC.GetTotalAllocatedBytes(precise: true) != before && ++tries < 100);
    }

    [Fact]
    public void WorkOfAFewMicrosecondsStaysOnItsThread()
    {
        foreach (var (n, isShort) in new[] { (1L, true), (40, true), (2000, false) })
        {
            var g = new Graph("product");
            var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), 32));
            g.AddOutput(g.Add(new MatMul(), x, g.AddConstant(PlanCheck.Random(2, 32, 64))));
            Assert.Equal(isShort, Assert.Single(PlanCheck.Compile(g).Bind(0, new Dictionary<string, long> { ["n"] = n }).Steps)!.IsShort);
        }
    }

    /// <summary>Waking a thread takes longer than moving a few bytes: however many pieces there are, they are one task.</summary>
    [Fact]
    public void ASplitOfFewBytesIsOneTask()
    {
        var g = new Graph("split");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("n"), 12));
        foreach (var piece in g.Add(new Split(1), [x, g.AddConstant(Tensor.Vector<long>(3, 4, 5))], [null, null, null]).Outputs) g.AddOutput(piece);
        var program = PlanCheck.Compile(g);
        Assert.Equal(1, Assert.Single(program.Bind(0, new Dictionary<string, long> { ["n"] = 9 }).Steps)!.Tasks);
        Assert.InRange(Assert.Single(program.Bind(0, new Dictionary<string, long> { ["n"] = 9000 }).Steps)!.Tasks, 3, int.MaxValue);
        PlanCheck.Same(g, PlanCheck.Random(1, 9, 12));
        PlanCheck.Same(g, PlanCheck.Random(1, 9000, 12));
    }

    [Fact]
    public void OutputsComeBackToThePool()
    {
        using var session = PlanCheck.Open(SmallNet());
        Tensor[] inputs = [PlanCheck.Random(9, 2, 3, 12, 10)];
        session.Run(inputs)[0].Dispose();
        Settle();
        var native = MemoryBlock.OwnedBytes;
        for (var i = 0; i < 10; i++) session.Run(inputs)[0].Dispose();
        Assert.Equal(native, MemoryBlock.OwnedBytes);
    }

    [Fact]
    public void ForgottenOutputsComeBackUnharmed()
    {
        using var session = PlanCheck.Open(SmallNet());
        Tensor[] inputs = [PlanCheck.Random(9, 64, 3, 12, 10)];
        using var expected = (Tensor)session.Run(inputs)[0];
        for (var i = 0; i < 30; i++)
        {
            session.Run(inputs);
            Settle();
            using var y = (Tensor)session.Run(inputs)[0];
            Assert.True(y.BitEquals(expected));
        }
    }

    [Fact]
    public async Task ManyCallersShareASession()
    {
        using var session = PlanCheck.Open(SmallNet(), 2);
        var inputs = Enumerable.Range(0, 8).Select(i => PlanCheck.Random(i, i % 3 + 1, 3, 12, 10)).ToArray();
        var expected = inputs.Select(x => (Tensor)session.Run([x])[0]).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            for (var n = 0; n < 50; n++)
            {
                using var y = (Tensor)session.Run([inputs[i]])[0];
                Assert.True(y.BitEquals(expected[i]));
            }
        })));
    }

    [Fact]
    public void WrongInputsAreNamed()
    {
        using var session = PlanCheck.Open(SmallNet());
        Assert.Contains("takes 1 inputs", Assert.Throws<InvalidInputException>(() => session.Run(ReadOnlySpan<RuntimeValue>.Empty)).Message, StringComparison.Ordinal);
        Assert.Contains("'x' must have rank 4", Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 3, 12, 10)])).Message, StringComparison.Ordinal);
        Assert.Contains("axis 1 should be 3", Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 1, 4, 12, 10)])).Message, StringComparison.Ordinal);
        Assert.Contains("must be float32, found int64", Assert.Throws<InputTypeException>(() => session.Run([Tensor.Allocate(DType.Int64, new Shape(1, 3, 12, 10))])).Message, StringComparison.Ordinal);
        Assert.Contains("no input 'y'", Assert.Throws<InvalidInputException>(() => session.Run(new Dictionary<string, RuntimeValue> { ["x"] = PlanCheck.Random(1, 1, 3, 12, 10), ["y"] = PlanCheck.Random(1, 1) })).Message, StringComparison.Ordinal);
        var e = Assert.Throws<InvalidInputException>(() => session.Run([PlanCheck.Random(1, 1, 3, 12, 10)], [Tensor.Allocate(DType.Float32, new Shape(2, 10))]));
        Assert.Contains("must have shape [1,10], found [2,10]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ShapesThatDependOnDataEndASegment()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(Dim.Symbol("n")));
        var at = g.Add(new NonZero(), x);
        var taken = g.Add(new Gather(), g.Add(new Abs(), x), g.Add(new Squeeze(), at, g.AddConstant(Tensor.Vector(0L))));
        g.AddOutput(g.Add(new Add(), taken, taken));
        var program = PlanCheck.Compile(g);
        Assert.True(program.Segments.Count > 1);
        using var session = PlanCheck.Open(g);
        foreach (var values in new float[][] { [1, 0, -2, 0, 3], [0, 0], [], [4] })
        {
            using var y = (Tensor)session.Run([Tensor.Vector<float>(values)])[0];
            Assert.Equal(values.Where(v => v != 0).Select(v => 2 * MathF.Abs(v)), y.Span<float>().ToArray());
        }
    }

    [Fact]
    public void InputsConstantsAndDoublesMayBeOutputs()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(4));
        var c = g.AddConstant(Tensor.Vector(7f, 8f));
        var y = g.Add(new Relu(), x);
        g.AddOutput(x);
        g.AddOutput(c);
        g.AddOutput(y);
        g.AddOutput(y);
        g.AddOutput(g.Add(new Reshape(), y, g.AddConstant(Tensor.Vector(2L, 2L))));
        PlanCheck.Same(g, PlanCheck.Random(1, 4));
    }

    [Fact]
    public void CancellationEndsARunAndLeavesTheSessionUsable()
    {
        using var session = PlanCheck.Open(SmallNet());
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var x = PlanCheck.Random(9, 2, 3, 12, 10);
        Assert.Throws<OperationCanceledException>(() => session.Run([x], cancelled.Token));
        Assert.Single(session.Run([x]));
    }

    [Fact]
    public void WeightsThatFollowFromConstantsArePackedWhenTheModelIsOpened()
    {
        var g = new Graph("g");
        var x = g.AddInput("x", PlanCheck.F32(1, 3, 8, 8));
        var flat = g.Add(new ConstantOfShape(Tensor.Vector(0.25f)), g.AddConstant(Tensor.Vector(108L)));
        var w = g.Add(new Reshape(), flat, g.AddConstant(Tensor.Vector(4L, 3L, 3L, 3L)));
        g.AddOutput(g.Add(new Conv(), x, w));
        Assert.Equal(["Conv", "Transpose"], PlanCheck.Compile(g).Steps.Select(s => s.Operation));
        PlanCheck.Same(g, PlanCheck.Random(1, 1, 3, 8, 8));
        Assert.Equal(3, g.Nodes.Count);
    }

    public static TheoryData<Operator> Divisions => [new Div(), new Mod(), new Mod(Truncated: true)];

    [Theory]
    [MemberData(nameof(Divisions))]
    public void AnIntegerDividedByZeroIsRefusedAsByTheReference(Operator division)
    {
        Refuses<long>(division, DType.Int64);
        Refuses<int>(division, DType.Int32);
        Refuses<short>(division, DType.Int16);
        Refuses<byte>(division, DType.UInt8);
    }

    [Fact]
    public void AFloatDividedByZeroIsInfinite()
    {
        var g = Division(new Div(), DType.Float32);
        using var session = PlanCheck.Open(g);
        Assert.Equal([float.PositiveInfinity, 2f], ((Tensor)session.Run([Tensor.Vector(1f, 2f), Tensor.Vector(0f, 1f)])[0]).Span<float>());
    }

    private static void Refuses<T>(Operator division, DType type) where T : unmanaged, System.Numerics.INumber<T>
    {
        var g = Division(division, type);
        var (zero, two) = (T.Zero, T.CreateChecked(2));
        var values = Tensor.Vector(two, T.One);
        PlanCheck.Same(g, values, Tensor.Vector(two, T.One));
        PlanCheck.Same(g, values, Tensor.Vector(two));
        PlanCheck.Same(g, Tensor.Allocate(type, new Shape(0L)), Tensor.Vector(zero));
        Tensor[] inputs = [values, Tensor.Vector(two, zero)];
        var reference = Assert.Throws<InvalidInputException>(() => ReferenceEvaluator.Run(g, g.Inputs.Zip(inputs).ToDictionary(p => p.First.Name, p => (RuntimeValue)p.Second)));
        using var session = PlanCheck.Open(g);
        var compiled = Assert.Throws<InvalidInputException>(() => session.Run(inputs));
        Assert.All([reference.Message, compiled.Message], m => Assert.Contains("input 1 holds 0: an integer cannot be divided by 0", m, StringComparison.Ordinal));
    }

    private static Graph Division(Operator division, DType type)
    {
        var g = new Graph("division");
        var a = g.AddInput("a", new TensorType(type, new SymbolicShape([Dim.Symbol("n")])));
        var b = g.AddInput("b", new TensorType(type, new SymbolicShape([Dim.Symbol("m")])));
        g.AddOutput(g.Add(division, a, b));
        return g;
    }
}
