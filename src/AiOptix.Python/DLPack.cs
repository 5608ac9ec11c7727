using System.Runtime.InteropServices;
using AiOptix.Tensors;

namespace AiOptix.Python;

/// <summary>
/// Exchange by DLPack (the unversioned <c>DLManagedTensor</c> in a capsule named <c>dltensor</c>, which every consumer understands). The producer's memory is held
/// until the consumer calls the deleter, on any thread, with or without the GIL.
/// </summary>
internal static unsafe class DLPack
{
    private const int Cpu = 1;
    private static readonly int endStub = ForkGuard.Add((delegate* unmanaged<ManagedTensor*, void>)&End, SlotKind.Nothing);
    private static readonly int dropStub = ForkGuard.Add((delegate* unmanaged<nint, void>)&Drop, SlotKind.Nothing);

    /// <summary>Asks for the stubs, before they are sealed.</summary>
    public static void Prepare() => _ = endStub + dropStub;

    [UnmanagedCallersOnly]
    public static nint Device(nint self, nint* arguments, nint count)
    {
        try
        {
            return Py.Tuple(Py.Integer(Cpu), Py.Integer(0));
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    public static nint Export(nint self, nint arguments, nint keywords)
    {
        try
        {
            foreach (var (key, value) in keywords == 0 ? [] : Py.Entries(keywords)) CheckOption(Py.ToText(key), value);
            var o = PyTensor.Object(self);
            if (o.IsReadOnly) throw new BufferException("the tensor is read-only, which DLPack cannot say; copy it first");
            if (DTypeFormat.ToDLPack(o.Tensor.DType) is not { } type) throw new BufferException($"DLPack has no type for {o.Tensor.DType.Name()}");
            var managed = Describe(o.Tensor, type);
            var capsule = PyApi.CapsuleNew(managed, Py.Ascii("dltensor"u8), ForkGuard.Address(dropStub));
            if (capsule == 0) EndNow(managed);
            return Errors.Check(capsule);
        }
        catch (Exception e)
        {
            Errors.Raise(e);
            return 0;
        }
    }

    /// <summary>True when an object offers DLPack.</summary>
    public static bool IsProducer(nint o)
    {
        var method = PyApi.GetAttr(o, Py.Ascii("__dlpack__"u8));
        if (method == 0) PyApi.ErrClear();
        else PyApi.DecRef(method);
        return method != 0;
    }

    /// <summary>A tensor over the memory of a producer.</summary>
    /// <exception cref="ArgumentTypeException">It is no producer, or lies elsewhere than in main memory.</exception>
    public static Tensor Import(nint producer)
    {
        if (!IsProducer(producer)) throw new ArgumentTypeException($"expected an object with __dlpack__, found {Py.TypeName(producer)}");
        var method = Errors.Check(PyApi.GetAttr(producer, Py.Ascii("__dlpack__"u8)));
        var empty = Py.Tuple();
        var capsule = PyApi.Call(method, empty, 0);
        PyApi.DecRef(empty);
        PyApi.DecRef(method);
        Errors.Check(capsule);
        try
        {
            var managed = (ManagedTensor*)PyApi.CapsulePointer(capsule, Py.Ascii("dltensor"u8));
            if (managed == null) throw new PythonErrorException();
            var tensor = Borrow(managed);
            Errors.Check(PyApi.CapsuleSetName(capsule, Py.Ascii("used_dltensor"u8)));
            return tensor;
        }
        finally
        {
            PyApi.DecRef(capsule);
        }
    }

    private static Tensor Borrow(ManagedTensor* managed)
    {
        if (managed->DeviceType != Cpu) throw new ArgumentTypeException($"the tensor lies on device {managed->DeviceType} of DLPack's list; bring it to the CPU first");
        var type = managed->Lanes == 1 ? DTypeFormat.FromDLPack(managed->Code, managed->Bits) : DType.Undefined;
        if (type == DType.Undefined) throw new ArgumentTypeException($"DLPack's type (code {managed->Code}, {managed->Bits} bits, {managed->Lanes} lanes) is no element type of ONNX");
        var shape = new Shape(new ReadOnlySpan<long>(managed->Shape, managed->Rank));
        long step = 1;
        for (var i = shape.Rank - 1; i >= 0 && managed->Strides != null && shape.Count > 0; i--)
        {
            if (shape[i] != 1 && managed->Strides[i] != step) throw new BufferException("the tensor is strided; make it contiguous first");
            step *= shape[i];
        }
        return Tensor.Borrow(managed->Data + managed->Offset, type, shape, () => Delete(managed));
    }

    private static void Delete(ManagedTensor* managed)
    {
        if (managed->Deleter != null) managed->Deleter(managed);
    }

    private static void CheckOption(string name, nint value)
    {
        switch (name)
        {
            case "stream" when !Py.IsNone(value): throw new BufferException("a tensor on the CPU has no stream");
            case "copy" when !Py.IsNone(value) && Py.ToBool(value): throw new BufferException("the tensor is lent, never copied; copy what you get");
            case "dl_device" when !Py.IsNone(value) && Py.Items(value, Py.ToInteger)[0] != Cpu: throw new BufferException("the tensor lies on the CPU");
            case "stream" or "copy" or "dl_device" or "max_version": break;
            default: throw new ArgumentTypeException($"__dlpack__() has no argument '{name}'");
        }
    }

    private static ManagedTensor* Describe(Tensor tensor, (byte Code, byte Bits) type)
    {
        var rank = tensor.Shape.Rank;
        var managed = (ManagedTensor*)NativeMemory.AllocZeroed((nuint)(sizeof(ManagedTensor) + 2 * rank * sizeof(long)));
        managed->Data = tensor.Pointer;
        managed->DeviceType = Cpu;
        managed->Rank = rank;
        (managed->Code, managed->Bits, managed->Lanes) = (type.Code, type.Bits, 1);
        managed->Shape = (long*)(managed + 1);
        managed->Strides = managed->Shape + rank;
        long step = 1;
        for (var i = rank - 1; i >= 0; i--)
        {
            managed->Shape[i] = tensor.Shape[i];
            managed->Strides[i] = step;
            step *= Math.Max(1, tensor.Shape[i]);
        }
        managed->Context = GCHandle.ToIntPtr(GCHandle.Alloc(tensor.Share()));
        managed->Deleter = (delegate* unmanaged<ManagedTensor*, void>)ForkGuard.Address(endStub);
        return managed;
    }

    [UnmanagedCallersOnly]
    private static void End(ManagedTensor* managed) => EndNow(managed);

    private static void EndNow(ManagedTensor* managed)
    {
        var handle = GCHandle.FromIntPtr(managed->Context);
        ((Tensor)handle.Target!).Dispose();
        handle.Free();
        NativeMemory.Free(managed);
    }

    /// <summary>The end of a capsule that nobody consumed.</summary>
    [UnmanagedCallersOnly]
    private static void Drop(nint capsule)
    {
        var name = Py.Ascii("dltensor"u8);
        if (PyApi.CapsuleIsValid(capsule, name) != 0) Delete((ManagedTensor*)PyApi.CapsulePointer(capsule, name));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ManagedTensor
    {
        public byte* Data;
        public int DeviceType;
        public int DeviceId;
        public int Rank;
        public byte Code;
        public byte Bits;
        public ushort Lanes;
        public long* Shape;
        public long* Strides;
        public long Offset;
        public nint Context;
        public delegate* unmanaged<ManagedTensor*, void> Deleter;
    }
}
