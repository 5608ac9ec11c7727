using System.Text;
using AiOptix.Compiled;
using AiOptix.Graphs;
using AiOptix.Graphs.Ops;
using AiOptix.Tensors;

namespace AiOptix.Tests;

/// <summary>Programs that are saved and opened again: the same bits, and none that is stale, foreign or damaged is trusted.</summary>
public sealed class SavedProgramTests : IDisposable
{
    private static readonly CompileOptions one = new() { Threads = 1 };
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("aioptix-");
    private readonly string model;
    private readonly string saved;
    private readonly Tensor[] inputs;

    public SavedProgramTests()
    {
        model = Path.Combine(folder.FullName, "model.onnx");
        saved = Path.Combine(folder.FullName, "compiled");
        File.Copy(Repository.Digits, model);
        inputs = FirstModelsTests.Inputs(Model.Load(model), "digits");
    }

    private string Program => Path.Combine(saved, ProgramFile.Name);

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(FirstModelsTests.Names), MemberType = typeof(FirstModelsTests))]
    public void OpenedItGivesTheBitsOfAFreshlyCompiledOne(string name)
    {
        var fresh = FirstModelsTests.Open(name);
        var values = FirstModelsTests.Inputs(fresh, name);
        foreach (var options in new[] { one, one with { Rewrite = false }, one with { Isa = IsaCap.None }, one with { Threads = 2 } })
        {
            fresh.SaveCompiled(saved, options);
            var opened = Model.Load(saved);
            using var session = opened.Compile(options);
            Assert.Null(opened.Notice);
            Assert.Equal(fresh.Inputs.Select(i => i.Name), opened.Inputs.Select(i => i.Name));
            using var expected = fresh.Compile(options);
            Same(expected.Run(values)[0], session.Run(values)[0]);
            Assert.Equal([ProgramFile.Name], Directory.GetFileSystemEntries(saved).Select(Path.GetFileName));
        }
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.FullName), e => e.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("gpt2-toy-past")]
    [InlineData("silero-vad")]
    [InlineData("gtcrn-stream")]
    [InlineData("deeplabv3-mobile")]
    public void RealModelsAreSavedToo(string name)
    {
        Skip.IfNot(File.Exists(Repository.SharedModel(name)), $"the shared model {name} is not here");
        Model.Load(Repository.SharedModel(name)).SaveCompiled(saved, one);
        var found = Verification.CaseVerifier.Verify(Assert.Single(Verification.ModelCases.Find(saved)), Verification.VerificationLevel.Plan,
            new() { Threads = 1, Tolerance = new(1e-3, 1e-7, 1e-4) });
        Assert.Null(found.Failure);
        Assert.Null(found.Notice);
    }

    [Fact]
    public void OtherOptionsCompileTheModelAnew()
    {
        Model.Load(model).SaveCompiled(saved, one);
        var opened = Model.Load(saved);
        using var session = opened.Compile(one with { Rewrite = false });
        Assert.Contains("other options", opened.Notice, StringComparison.Ordinal);
    }

    [Fact]
    public void AChangedModelIsCompiledAnew()
    {
        Model.Load(model).SaveCompiled(saved, one);
        File.SetLastWriteTimeUtc(model, DateTime.UtcNow.AddHours(-1));
        Assert.Null(Model.Load(saved).Notice);
        var written = File.GetLastWriteTimeUtc(model);
        var bytes = File.ReadAllBytes(model);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(model, bytes);
        File.SetLastWriteTimeUtc(model, written);
        var opened = Model.Load(saved);
        Assert.Contains("has changed since", opened.Notice, StringComparison.Ordinal);
        using var session = opened.Compile(one);
        using var expected = Model.Load(model).Compile(one);
        Same(expected.Run(inputs)[0], session.Run(inputs)[0]);
    }

    [Fact]
    public void AnotherBuildOrCpuIsNotTrusted()
    {
        Model.Load(model).SaveCompiled(saved, one);
        Rewrite(m => m with { Build = "0.0.0-other" });
        Assert.Contains("0.0.0-other", Model.Load(saved).Notice, StringComparison.Ordinal);
        Model.Load(model).SaveCompiled(saved, one);
        Rewrite(m => m with { Target = m.Target with { L2Bytes = m.Target.L2Bytes + 4096 } });
        Assert.Contains("another CPU", Model.Load(saved).Notice, StringComparison.Ordinal);
        File.Delete(model);
        Assert.Contains(model, Assert.Throws<ModelFormatException>(() => Model.Load(saved)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutItsModelItOpensAllTheSame()
    {
        using var expected = Model.Load(model).Compile(one);
        Model.Load(model).SaveCompiled(saved, one);
        File.Delete(model);
        var opened = Model.Load(saved);
        using var session = opened.Compile(one);
        Same(expected.Run(inputs)[0], session.Run(inputs)[0]);
        Assert.Throws<ModelFormatException>(() => opened.Rewrite());
    }

    [Fact]
    public void ADamagedFileIsNeverUsed()
    {
        Model.Load(model).SaveCompiled(saved, one);
        using var expected = Model.Load(model).Compile(one);
        var answer = expected.Run(inputs)[0];
        var good = File.ReadAllBytes(Program);
        var random = new Random(5);
        for (var i = 0; i < 120; i++)
        {
            var bad = i % 3 == 0 ? good[..random.Next(good.Length)] : (byte[])good.Clone();
            if (i % 3 != 0) bad[i % 3 == 1 ? random.Next(64) : random.Next(good.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(Program, bad);
            try
            {
                var opened = Model.Load(saved);
                using var session = opened.Compile(one);
                Same(answer, session.Run(inputs)[0]);
                Assert.True(opened.Notice is not null || bad.AsSpan(ProgramFile.HeadBytes).SequenceEqual(good.AsSpan(ProgramFile.HeadBytes)));
            }
            catch (ModelFormatException e)
            {
                Assert.Contains("optix compile", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void WhatManifestsClaimIsHeldAgainstTheFile()
    {
        Model.Load(model).SaveCompiled(saved, one);
        File.Delete(model);
        var good = File.ReadAllBytes(Program);
        Func<Manifest, Manifest>[] claims =
        [
            m => m with { Graph = (m.Graph.Offset, long.MaxValue) },
            m => m with { Graph = (0, 10) },
            m => m with { Blocks = [.. m.Blocks.Select(b => b with { Length = b.Length + (1L << 40) })] },
            m => m with { Blocks = [.. m.Blocks.Select(b => b with { Offset = b.Offset + 4 })] },
            m => m with { Blocks = [.. m.Blocks.Select(b => b with { Length = b.Length - 4 })] },
            m => m with { Blocks = [.. m.Blocks.Select(b => b with { Form = "another form" })] },
            m => m with { Asked = [.. m.Asked.Skip(1)] },
            m => m with { Asked = [.. m.Asked.Select(_ => 1000)] },
            m => m with { Sums = [] },
        ];
        foreach (var claim in claims)
        {
            File.WriteAllBytes(Program, good);
            Rewrite(claim);
            Assert.Throws<ModelFormatException>(() => Model.Load(saved).Compile(one));
        }
    }

    [Fact]
    public void SessionsOfOneModelAndOfOneFileShareWeights()
    {
        var path = Wide(folder.FullName, 512, 4);
        var before = OwnedBySomebody();
        var first = Model.Load(path);
        using var a = first.Compile(one);
        var packed = MemoryBlock.OwnedBytes - before;
        Assert.True(packed >= a.Program.OwnedBytes && a.Program.OwnedBytes >= 4 * 512 * 512 * sizeof(float));
        using var b = first.Compile(one with { Threads = 2 });
        using var c = Model.Load(path).Compile(one);
        Assert.Same(a.Program, b.Program);
        Assert.Same(a.Program, c.Program);
        Assert.InRange(MemoryBlock.OwnedBytes - before, packed, packed + (64 << 10));
    }

    [Fact]
    public void WeightsThatPassesMadeDoNotStayBesideTheirPackedForm()
    {
        var graph = new Graph("scaled");
        var x = graph.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(2, 64, 8, 8)));
        var w = graph.AddConstant(Random(1, 64, 64, 3, 3), "w");
        var y = graph.Add(new Conv(Pads: [1, 1, 1, 1]), x, w);
        graph.AddOutput(graph.Add(new Mul(), y, graph.AddConstant(Random(2, 64, 1, 1), "s")));
        var before = OwnedBySomebody();
        using var session = Model.Of(graph).Compile(one);
        Assert.DoesNotContain(session.Program.Steps, s => s.Operation == "Mul");
        Assert.InRange(MemoryBlock.OwnedBytes - before, session.Program.OwnedBytes, session.Program.OwnedBytes + (32 << 10));
    }

    /// <summary>Bytes of the process's blocks after what earlier tests left has been collected: else a finalizer of theirs would lower the count in the middle of a test.</summary>
    private static long OwnedBySomebody()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return MemoryBlock.OwnedBytes;
    }

    [SkippableFact]
    public void AModelLoadsWithinAFifthMoreThanItsSize()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the kernel says how much memory a process took at most");
        Console.WriteLine(Memory(100, 2));
    }

    /// <summary>Opens a model with external data in a process of its own, and holds the memory that it took against its size. Gives the figures as a sentence.</summary>
    internal static string Memory(int megabytes, int threads)
    {
        var folder = Directory.CreateTempSubdirectory("aioptix-").FullName;
        try
        {
            var bare = Peak(Wide(folder, 32, megabytes / 10));
            var path = Wide(folder, 1600, megabytes / 10);
            var size = Directory.GetFiles(folder, Path.GetFileName(path) + "*").Sum(f => new FileInfo(f).Length);
            var peak = Peak(path) - bare;
            var figures = $"a model of {size / 1e6:F0} MB with external data: {peak / 1e6:F0} MB of memory at most, {(double)peak / size:F2} times its size";
            Assert.True(peak <= 1.2 * size, figures);
            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        long Peak(string path) => long.Parse(OwnProcess.Start("peak", path, threads)[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>A chain of products with weights in a file of their own.</summary>
    internal static string Wide(string folder, int width, int layers)
    {
        var graph = new Graph("wide");
        var x = graph.AddInput("x", new TensorType(DType.Float32, new SymbolicShape(4, width)));
        for (var i = 0; i < layers; i++) x = graph.Add(new MatMul(), x, graph.AddConstant(Random(i, width, width), $"w{i}"));
        graph.AddOutput(x);
        var path = Path.Combine(folder, $"wide{width}.onnx");
        Onnx.OnnxFile.Write(graph, path, new() { ExternalDataThreshold = 0 });
        return path;
    }

    private static Tensor Random(int seed, params long[] shape)
    {
        var tensor = Tensor.Allocate(DType.Float32, new Shape(shape));
        var random = new Random(seed);
        foreach (ref var v in tensor.Span<float>()) v = random.NextSingle() - 0.5f;
        GC.KeepAlive(tensor);
        return tensor;
    }

    /// <summary>Puts another manifest into the file, whose checksum is right.</summary>
    private void Rewrite(Func<Manifest, Manifest> change)
    {
        var bytes = File.ReadAllBytes(Program);
        var at = (int)BitConverter.ToInt64(bytes, 8);
        var text = Encoding.UTF8.GetBytes(change(Manifest.Read(Encoding.UTF8.GetString(bytes.AsSpan(at)))).Write());
        File.WriteAllBytes(Program, [.. ProgramFile.Head(at, text, model), .. bytes[ProgramFile.HeadBytes..at], .. text]);
    }

    private static void Same(RuntimeValue expected, RuntimeValue found) => Assert.True(((Tensor)expected).BitEquals((Tensor)found), "other bits");
}
