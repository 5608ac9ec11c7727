using System.Numerics;
using AiOptix.Tensors;

namespace AiOptix.Graphs.Evaluate;

/// <summary>A piece of code that is written once for every number type.</summary>
public interface INumericAction
{
    /// <summary>Runs it for one type.</summary>
    void Invoke<T>() where T : unmanaged, INumber<T>, IMinMaxValue<T>;
}

/// <summary>A piece of code that is written once for every integer type.</summary>
public interface IIntegerAction
{
    /// <summary>Runs it for one type.</summary>
    void Invoke<T>() where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>;
}

/// <summary>From an element type to the C# type that stands for it. Types without arithmetic of their own are widened first (<see cref="ElementTypes.Widen"/>).</summary>
public static class NumericTypes
{
    /// <summary>Runs the action with the C# type of an integer, float16, float32 or float64 element type.</summary>
    /// <exception cref="ArgumentException">Any other type.</exception>
    public static void Dispatch<TAction>(DType type, ref TAction action) where TAction : INumericAction, allows ref struct
    {
        switch (type)
        {
            case DType.Float32: action.Invoke<float>(); break;
            case DType.Float64: action.Invoke<double>(); break;
            case DType.Float16: action.Invoke<Half>(); break;
            case DType.Int64: action.Invoke<long>(); break;
            case DType.Int32: action.Invoke<int>(); break;
            case DType.Int16: action.Invoke<short>(); break;
            case DType.Int8: action.Invoke<sbyte>(); break;
            case DType.UInt64: action.Invoke<ulong>(); break;
            case DType.UInt32: action.Invoke<uint>(); break;
            case DType.UInt16: action.Invoke<ushort>(); break;
            case DType.UInt8: action.Invoke<byte>(); break;
            default: throw new ArgumentException($"{type.Name()} has no arithmetic of its own; widen it first", nameof(type));
        }
    }

    /// <summary>Runs the action with the C# type of an integer element type of 8 bits or more.</summary>
    /// <exception cref="ArgumentException">Any other type.</exception>
    public static void DispatchInteger<TAction>(DType type, ref TAction action) where TAction : IIntegerAction, allows ref struct
    {
        switch (type)
        {
            case DType.Int64: action.Invoke<long>(); break;
            case DType.Int32: action.Invoke<int>(); break;
            case DType.Int16: action.Invoke<short>(); break;
            case DType.Int8: action.Invoke<sbyte>(); break;
            case DType.UInt64: action.Invoke<ulong>(); break;
            case DType.UInt32: action.Invoke<uint>(); break;
            case DType.UInt16: action.Invoke<ushort>(); break;
            case DType.UInt8: action.Invoke<byte>(); break;
            default: throw new ArgumentException($"{type.Name()} is no integer of 8 bits or more", nameof(type));
        }
    }

    /// <summary>True for every type with arithmetic: integers of 8 bits or more, float16, bfloat16, float32, float64.</summary>
    public static bool IsNumeric(DType type) => (type.IsInteger() && !type.IsPacked()) || IsFloat(type);

    /// <summary>True for float16, bfloat16, float32, float64: what ONNX calls the float tensors.</summary>
    public static bool IsFloat(DType type) => type is DType.Float32 or DType.Float64 or DType.Float16 or DType.BFloat16;

    /// <summary>True for integers of 8 bits or more.</summary>
    public static bool IsInteger(DType type) => type.IsInteger() && !type.IsPacked();
}
