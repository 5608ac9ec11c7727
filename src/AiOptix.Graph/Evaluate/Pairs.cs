using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

/// <summary>A function of two numbers of one type.</summary>
public interface INumericPair
{
    /// <summary>The function.</summary>
    static abstract T Apply<T>(T a, T b) where T : INumber<T>;
}

/// <summary>A function of two integers of one type.</summary>
public interface IIntegerPair
{
    /// <summary>The function.</summary>
    static abstract T Apply<T>(T a, T b) where T : IBinaryInteger<T>;
}

/// <summary>A question about two numbers of one type.</summary>
public interface IPairTest
{
    /// <summary>The question.</summary>
    static abstract bool Holds<T>(T a, T b) where T : INumber<T>;
}

/// <summary>
/// Applies a function of two numbers to two tensors of one element type under broadcasting. Types without arithmetic of their own are widened and the results rounded back.
/// </summary>
public static class Pairs
{
    /// <summary>The results for numbers of any kind, in the operands' type and in <paramref name="shape"/>, to which both operands broadcast.</summary>
    public static Tensor Numeric<TFunction>(Tensor a, Tensor b, Shape shape) where TFunction : INumericPair
    {
        using var left = ElementTypes.Widen(a);
        using var right = ElementTypes.Widen(b);
        var loop = new NumericLoop<TFunction>(left, right, Tensor.Allocate(left.DType, shape));
        NumericTypes.Dispatch(left.DType, ref loop);
        return Narrow(loop.Result, a.DType);
    }

    /// <summary>The results for integers, in the operands' type and in <paramref name="shape"/>, to which both operands broadcast.</summary>
    public static Tensor Integer<TFunction>(Tensor a, Tensor b, Shape shape) where TFunction : IIntegerPair
    {
        using var left = ElementTypes.Widen(a);
        using var right = ElementTypes.Widen(b);
        var loop = new IntegerLoop<TFunction>(left, right, Tensor.Allocate(left.DType, shape));
        NumericTypes.DispatchInteger(left.DType, ref loop);
        return Narrow(loop.Result, a.DType);
    }

    /// <summary>The answers, as bool, in <paramref name="shape"/>, to which both operands broadcast.</summary>
    public static Tensor Test<TTest>(Tensor a, Tensor b, Shape shape) where TTest : IPairTest
    {
        using var left = ElementTypes.Widen(a);
        using var right = ElementTypes.Widen(b);
        var loop = new TestLoop<TTest>(left, right, Tensor.Allocate(DType.Bool, shape));
        NumericTypes.Dispatch(left.DType, ref loop);
        return loop.Result;
    }

    private static Tensor Narrow(Tensor result, DType type)
    {
        if (result.DType == type) return result;
        using (result) return ElementTypes.Convert(result, type);
    }

    private readonly record struct NumericLoop<TFunction>(Tensor A, Tensor B, Tensor Result) : INumericAction where TFunction : INumericPair
    {
        public void Invoke<T>() where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var walk = new Broadcast(Result.Shape, A.Shape, B.Shape);
            Span<T> a = A.Span<T>(), b = B.Span<T>(), r = Result.Span<T>();
            while (walk.NextRow())
            {
                int x = walk.Offset(0), y = walk.Offset(1);
                foreach (ref var v in r.Slice(walk.OutputOffset, walk.RowLength))
                {
                    v = TFunction.Apply(a[x], b[y]);
                    x += walk.Step(0);
                    y += walk.Step(1);
                }
            }
        }
    }

    private readonly record struct IntegerLoop<TFunction>(Tensor A, Tensor B, Tensor Result) : IIntegerAction where TFunction : IIntegerPair
    {
        public void Invoke<T>() where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
        {
            var walk = new Broadcast(Result.Shape, A.Shape, B.Shape);
            Span<T> a = A.Span<T>(), b = B.Span<T>(), r = Result.Span<T>();
            while (walk.NextRow())
            {
                int x = walk.Offset(0), y = walk.Offset(1);
                foreach (ref var v in r.Slice(walk.OutputOffset, walk.RowLength))
                {
                    v = TFunction.Apply(a[x], b[y]);
                    x += walk.Step(0);
                    y += walk.Step(1);
                }
            }
        }
    }

    private readonly record struct TestLoop<TTest>(Tensor A, Tensor B, Tensor Result) : INumericAction where TTest : IPairTest
    {
        public void Invoke<T>() where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var walk = new Broadcast(Result.Shape, A.Shape, B.Shape);
            Span<T> a = A.Span<T>(), b = B.Span<T>();
            var r = Result.Bytes;
            while (walk.NextRow())
            {
                int x = walk.Offset(0), y = walk.Offset(1);
                foreach (ref var v in r.Slice(walk.OutputOffset, walk.RowLength))
                {
                    v = TTest.Holds(a[x], b[y]) ? (byte)1 : (byte)0;
                    x += walk.Step(0);
                    y += walk.Step(1);
                }
            }
        }
    }
}
