using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Data.Tests;

/// <summary>Beside no other tests: the memory that is counted is the process's.</summary>
[Collection("life")]
public sealed class NpyFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<DType> Types =>
    [
        DType.Float16, DType.Float32, DType.Float64, DType.Int8, DType.Int16, DType.Int32, DType.Int64,
        DType.UInt8, DType.UInt16, DType.UInt32, DType.UInt64, DType.Bool, DType.Complex64, DType.Complex128,
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void WhatIsWrittenReadsBack(DType type)
    {
        foreach (var shape in new[] { Shape.Scalar, new Shape(5), new Shape(2, 3), new Shape(2, 0, 3), new Shape(1, 2, 1, 3) })
        {
            using var tensor = Tensor.Allocate(type, shape);
            new Random(1).NextBytes(tensor.Bytes);
            if (type == DType.Bool) foreach (ref var b in tensor.Bytes) b &= 1;
            NpyFile.Write(folder.File("a.npy"), tensor);
            using var read = NpyFile.Read(folder.File("a.npy"));
            Assert.True(read.BitEquals(tensor), $"{tensor} became {read}");
        }
    }

    [Fact]
    public void TextReadsBack()
    {
        var tensor = Tensor.FromStrings(["a", "", "grün", "😀!"], new Shape(2, 2));
        NpyFile.Write(folder.File("t.npy"), tensor);
        Assert.True(NpyFile.Read(folder.File("t.npy")).BitEquals(tensor));
    }

    [Fact]
    public void TheFormIsThatOfNumPy()
    {
        NpyFile.Write(folder.File("a.npy"), Tensor.From<float>([1, 2, 3], new Shape(3)));
        var bytes = File.ReadAllBytes(folder.File("a.npy"));
        Assert.Equal(128 + 12, bytes.Length);
        Assert.Equal("\u0093NUMPY\u0001\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", Encoding.Latin1.GetString(bytes, 0, 128).TrimEnd());
        Assert.Equal((byte)'\n', bytes[127]);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.tmp"));
    }

    [Theory]
    [InlineData("<f4", false, new byte[] { 0, 0, 128, 63, 0, 0, 0, 64 })]
    [InlineData(">f4", false, new byte[] { 63, 128, 0, 0, 64, 0, 0, 0 })]
    [InlineData("=f4", true, new byte[] { 0, 0, 128, 63, 0, 0, 0, 64 })]
    public void EitherByteOrderIsRead(string descriptor, bool fortran, byte[] data)
    {
        using var tensor = NpyFile.Read(Npy(1, descriptor, fortran, "(2,)", data));
        Assert.Equal([1f, 2f], tensor.Span<float>().ToArray());
    }

    [Fact]
    public void FortranOrderBecomesRowMajor()
    {
        using var little = NpyFile.Read(Npy(2, "<i2", true, "(2, 3)", [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]));
        Assert.Equal([1, 2, 3, 4, 5, 6], little.Span<short>().ToArray());
        using var big = NpyFile.Read(Npy(3, ">i2", true, "(2, 3)", [0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]));
        Assert.Equal([1, 2, 3, 4, 5, 6], big.Span<short>().ToArray());
    }

    [Fact]
    public void ComplexPartsAreTurnedApart()
    {
        using var tensor = NpyFile.Read(Npy(1, ">c8", false, "(1,)", [63, 128, 0, 0, 64, 0, 0, 0]));
        Assert.Equal(new byte[] { 0, 0, 128, 63, 0, 0, 0, 64 }, tensor.Bytes.ToArray());
    }

    [Fact]
    public void ALittleEndianArrayIsMappedNotCopied()
    {
        var path = Npy(1, "<f4", false, "(1048576,)", new byte[4 << 20]);
        var before = MemoryBlock.OwnedBytes;
        using var tensor = NpyFile.Read(path);
        Assert.InRange(MemoryBlock.OwnedBytes, 0, before);
    }

    [Theory]
    [InlineData("<f4", "(3,)")]
    [InlineData("<f4", "(1,)")]
    [InlineData("<f4", "(9223372036854775807, 9223372036854775807)")]
    [InlineData("<f4", "(4611686018427387904, 4, 0, 2)")]
    [InlineData("<f4", "(-2,)")]
    [InlineData("<f4", "(2")]
    [InlineData("<f4", "(99999999999999999999,)")]
    [InlineData("<f16", "(1,)")]
    [InlineData("|O", "(1,)")]
    [InlineData("<U0", "(1000000000,)")]
    [InlineData("<U2000000000", "(1,)")]
    [InlineData("<M8[ns]", "(1,)")]
    public void ALyingHeaderIsAnError(string descriptor, string shape)
    {
        var error = Assert.Throws<ModelFormatException>(() => NpyFile.Read(Npy(1, descriptor, false, shape, new byte[8])));
        Assert.Contains("bad.npy", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryCutAndEveryFlippedByteIsAnErrorOrATensor()
    {
        var good = File.ReadAllBytes(Npy(1, "<f4", false, "(2, 3)", new byte[24]));
        for (var length = 0; length < good.Length; length++)
            Assert.Throws<ModelFormatException>(() => NpyFile.Read(folder.File("bad.npy", good[..length])));
        for (var i = 0; i < good.Length - 24; i++)
        {
            var bytes = (byte[])good.Clone();
            bytes[i] ^= 0x15;
            try
            {
                NpyFile.Read(folder.File("bad.npy", bytes)).Dispose();
            }
            catch (ModelFormatException e)
            {
                Assert.Contains("bad.npy", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void WhatNumPyLacksIsNotWritten()
    {
        Assert.False(NpyFile.CanHold(DType.BFloat16));
        Assert.Throws<InputTypeException>(() => NpyFile.Write(folder.File("a.npy"), Tensor.Allocate(DType.BFloat16, new Shape(2))));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    private string Npy(byte version, string descriptor, bool fortran, string shape, byte[] data)
    {
        var header = Encoding.UTF8.GetBytes($"{{'descr': '{descriptor}', 'fortran_order': {(fortran ? "True" : "False")}, 'shape': {shape}, }}\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return folder.File("bad.npy", [0x93, .. "NUMPY"u8, version, 0, .. length, .. header, .. data]);
    }
}
