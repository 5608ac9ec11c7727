using AiOptix.Kernels.Choice;
using AiOptix.Kernels.Conv;
using AiOptix.Kernels.Gemm;
using AiOptix.Kernels.QuantizedConv;
using AiOptix.Tensors;

namespace AiOptix.Kernels.Tests.Choice;

/// <summary>Problems, their texts, and the choice among their candidates.</summary>
public sealed class ChoiceTests
{
    private static readonly Target everything = new((Isa)255);

    private static readonly Target[] machines = [everything, everything.Cap(IsaCap.Avx2), everything.Cap(IsaCap.None), everything with { Isa = Isa.Avx2 | Isa.Avx512 }, everything with { L1Bytes = 8 << 10, L2Bytes = 64 << 10 }];

    public static TheoryData<string> Texts =>
    [
        "gemm:M=128,N=768,K=3072",
        "gemm:M=1,N=10,K=128,turned",
        "gemm:M=7,N=5,K=3,batch=2,b=inplace",
        "gemm:M=7,N=5,K=3,b=packed,turned",
        "conv:1x64x56x56,64x64x3x3,pad=1,stride=1,group=1",
        "conv:2x3x9x8,4x3x3x2,pad=0:1x2,stride=2x1,dilation=1x2,group=1,first",
        "conv:1x8x20,8x1x5,pad=2,stride=1,group=8",
        "conv:1x4x3x5x6,6x4x1x3x3,pad=0x1x1,stride=1,group=1",
        "conv_int8:1x96x61x61,24x96x1x1,pad=0,stride=1,group=1",
        "conv_int8:1x8x9x9,8x1x3x3,pad=1,stride=1,group=8,signed,result=s8",
        "gemm_int8:M=16,N=40,K=33,dynamic,addends,result=f32,parts=2",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void ATextIsReadAndWrittenTheSame(string text)
    {
        var problem = KernelProblem.Parse(text);
        Assert.Equal(text, problem.Key);
        Assert.Equal(problem, KernelProblem.Parse(problem.Key));
        Assert.True(problem is { CanTry: true, Operations: > 0 });
    }

    [Theory]
    [InlineData("")]
    [InlineData("gemm")]
    [InlineData("gemm:")]
    [InlineData("gemm:M=0,N=1,K=1")]
    [InlineData("gemm:M=1,N=1,K=-1")]
    [InlineData("gemm:M=1,N=1,K=1,M=2")]
    [InlineData("gemm:M=1,N=1,K=99999999999999999999")]
    [InlineData("gemm:M=268435456,N=268435456,K=1")]
    [InlineData("gemm:M=1,N=1,K=1,b=twice")]
    [InlineData("gemm:M=1,N=1,K=1,sideways")]
    [InlineData("gemm_int8:M=1,N=1,K=1,result=f64")]
    [InlineData("gemm_int8:M=1,N=1,K=1,parts=4,result=f32")]
    [InlineData("conv:1x3x8x8")]
    [InlineData("conv:1x3x8x8,4x3x3")]
    [InlineData("conv:1x3x8x8,4x2x3x3")]
    [InlineData("conv:1x3x8x8,4x3x9x9")]
    [InlineData("conv:1x3x8x8,4x3x3x3,pad=1:2:3")]
    [InlineData("conv:1x3x8x8,4x3x3x3,stride=0")]
    [InlineData("conv:1x3x8x8,4x3x3x3,stride=1x1x1")]
    [InlineData("conv:1x3x100000x100000,4x3x3x3")]
    [InlineData("conv:1x3x8x8,4x3x3x3,pad=268435456")]
    [InlineData("conv:1x3x8x8,4x3x268435456x268435456,dilation=268435456")]
    [InlineData("pool:1x3x8x8")]
    public void AnythingElseIsRefusedWithAReason(string text) => Assert.Contains("is no problem for kernels: ", Assert.Throws<FormatException>(() => KernelProblem.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void ALongTextIsRefused() => Assert.Throws<FormatException>(() => KernelProblem.Parse("gemm:M=1,N=1,K=1," + new string('x', 100_000)));

    [Fact]
    public void TheChoiceIsTotalAndAFunctionOfProblemAndTarget()
    {
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var problem = Draw(random, i);
            foreach (var target in machines)
            {
                var candidates = problem.Candidates(target);
                Assert.Equal(candidates, candidates.Distinct());
                var pick = problem.Pick(target);
                Assert.Contains(pick, candidates);
                Assert.Equal(pick, KernelProblem.Parse(problem.Key).Pick(target with { }));
                foreach (var candidate in candidates)
                {
                    var work = problem.Work(candidate, target);
                    for (var figure = 0; figure < KernelWork.Figures; figure++) Assert.True(work[figure] >= 0 && double.IsFinite(work[figure]), $"{problem} {candidate} {work}");
                }
                Assert.Subset(candidates.ToHashSet(), problem.Contenders(target).ToHashSet());
                Assert.All(problem.Contenders(target), c => Assert.True(problem.Seconds(pick, target) <= problem.Seconds(c, target) * (1 + KernelProblem.Doubt)));
            }
        }
    }

    [Fact]
    public void EveryRowThatCanBeChosenHasACost()
    {
        Assert.All(GemmTable.Rows.SkipLast(1).Select(r => r.Name), HasCost);
        Assert.All(GemvTable.Rows.SkipLast(1).SelectMany(r => (string[])[r.Name, $"{r.Name}_inplace"]), HasCost);
        Assert.All(ConvTable.Rows.SkipLast(1).Select(r => r.Name), HasCost);
        Assert.All(QuantizedConvTable.Rows.SkipLast(1).Select(r => r.Name), HasCost);

        static void HasCost(string row)
        {
            var cost = KernelCost.Of(row);
            Assert.NotNull(cost);
            Assert.True(Enumerable.Range(0, KernelWork.Figures).Any(i => cost[i] > 0), row);
        }
    }

    [Fact]
    public void ARowWithoutCostIsChosenOnlyAlone()
    {
        Assert.Null(KernelCost.Of("conv_f32_scalar"));
        Assert.Equal("conv_f32_4x8_v128", new ConvProblem(new(1, 3, 5, 1, ConvAxis.None, ConvAxis.None, new(9, 3))).Pick(everything.Cap(IsaCap.None)));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void EveryCandidateCanBeTried(string text)
    {
        var problem = KernelProblem.Parse(text.Replace("N=768,K=3072", "N=70,K=65", StringComparison.Ordinal).Replace("64x56x56,64x64", "32x25x25,33x32", StringComparison.Ordinal));
        foreach (var candidate in problem.Candidates(HostTarget.Current))
        {
            using var trial = problem.Try(candidate, HostTarget.Current);
            for (var i = 0; i < 20; i++) trial.Run();
        }
    }

    [Fact]
    public void CandidatesOfAProductSayHowBIsHad()
    {
        Assert.Contains(new GemmProblem(8, 8, 8).Candidates(everything), c => c.EndsWith("_inplace", StringComparison.Ordinal));
        Assert.All(new GemmProblem(8, 8, 8, B: GemmOperand.Packed).Candidates(everything), c => Assert.True(GemmProblem.Form(c).IsPacked));
        Assert.All(new GemmProblem(8, 8, 8, B: GemmOperand.InPlace).Candidates(everything), c => Assert.False(GemmProblem.Form(c).IsPacked));
    }

    private static KernelProblem Draw(Random random, int i)
    {
        if (i % 3 == 0)
        {
            return new GemmProblem(random.Next(1, i % 2 == 0 ? 20 : 400), random.Next(1, 400), random.Next(1, 3000), i % 12 == 0 ? random.Next(1, 9) : 1, i % 12 == 0 ? GemmOperand.InPlace : (GemmOperand)random.Next(3), random.Next(2) == 0);
        }
        int groups = random.Next(4) == 0 ? random.Next(1, 70) : 1, inner = random.Next(3) == 0 ? 1 : random.Next(1, 80), outer = random.Next(3) == 0 ? 1 : random.Next(1, 80);
        var three = new ConvAxis(random.Next(3, 60), 3, random.Next(1, 3), 1, 1, 1);
        var shape = new ConvShape(random.Next(1, 3), groups * inner, groups * outer, groups, i % 10 == 1 ? new(random.Next(1, 5)) : ConvAxis.None, i % 4 == 1 ? new(random.Next(1, 30)) : three, i % 4 == 1 ? new(random.Next(1, 30)) : three)
        {
            ReadsChannelsFirst = groups == 1 && inner < 8 && random.Next(2) == 0,
        };
        if (i % 3 == 1) return new ConvProblem(shape);
        var result = (QuantizedResult)random.Next(4);
        return new QuantizedProblem(new(shape, result) { IsSigned = random.Next(2) == 0, WeightParts = random.Next(1, 4), IsDynamic = random.Next(2) == 0, HasAddends = result == QuantizedResult.Float32 && random.Next(2) == 0 });
    }
}
