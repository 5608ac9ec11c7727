using AiOptix.Graphs;
using AiOptix.Kernels;
using AiOptix.Runtime;
using AiOptix.Tensors;

namespace AiOptix.Cpu.Tests;

/// <summary>Runs a graph compiled and by the reference evaluation, on the same inputs, under every ISA cap and with one and two threads.</summary>
internal static class PlanCheck
{
    public static readonly IsaCap[] Caps = [IsaCap.None, IsaCap.Avx2, IsaCap.Avx512];

    /// <summary>Ways in which a test's targets differ from this machine.</summary>
    public delegate Target Change(Target target);

    public static Program Compile(Graph graph, IsaCap cap = IsaCap.Avx512) => new CpuBackend(HostTarget.Current.Cap(cap)).Compile(graph, Limits.Default);

    public static Session Open(Graph graph, int threads = 1, IsaCap cap = IsaCap.Avx512, Change? change = null)
    {
        var target = HostTarget.Current.Cap(cap);
        var backend = new CpuBackend(change is null ? target : change(target));
        return new(backend.Compile(graph, Limits.Default), backend.CreateRunner(threads));
    }

    public static void Same(Graph graph, params Tensor[] inputs) => Same(graph, null, inputs);

    public static void Same(Graph graph, Change? change, params Tensor[] inputs)
    {
        var named = graph.Inputs.Zip(inputs).ToDictionary(p => p.First.Name, p => (RuntimeValue)p.Second);
        var expected = ReferenceEvaluator.Run(graph, named);
        foreach (var cap in Caps)
        {
            RuntimeValue[]? first = null;
            foreach (var threads in new[] { 1, 2 })
            {
                using var session = Open(graph, threads, cap, change);
                for (var round = 0; round < 2; round++)
                {
                    var found = session.Run(inputs);
                    for (var i = 0; i < found.Length; i++) Close((Tensor)expected[i], (Tensor)found[i], $"{cap} {threads} threads output {i}");
                    first ??= found;
                    for (var i = 0; i < found.Length; i++) Assert.True(((Tensor)first[i]).BitEquals((Tensor)found[i]), $"{cap} {threads} threads: other bits");
                }
            }
        }
    }

    public static Tensor Random(int seed, params long[] shape)
    {
        var t = Tensor.Allocate(DType.Float32, new Shape(shape));
        var random = new Random(seed);
        foreach (ref var v in t.Span<float>()) v = (float)(random.NextDouble() * 4 - 2);
        GC.KeepAlive(t);
        return t;
    }

    public static TensorType F32(params Dim[] dims) => new(DType.Float32, new SymbolicShape(dims));

    private static void Close(Tensor expected, Tensor found, string what)
    {
        Assert.Equal(expected.DType, found.DType);
        Assert.Equal(expected.Shape, found.Shape);
        if (expected.DType != DType.Float32)
        {
            Assert.True(expected.BitEquals(found), what);
            return;
        }
        var (a, b) = (expected.Span<float>().ToArray(), found.Span<float>().ToArray());
        var scale = a.Where(float.IsFinite).Select(MathF.Abs).DefaultIfEmpty(0).Max();
        for (var i = 0; i < a.Length; i++)
            Assert.True(a[i].Equals(b[i]) || MathF.Abs(a[i] - b[i]) <= 1e-5f * MathF.Abs(a[i]) + 2e-6f * scale, $"{what}: element {i} is {b[i]}, expected {a[i]}");
        GC.KeepAlive(expected);
        GC.KeepAlive(found);
    }
}
