using System.Text;
using AiOptix.Tensors;

namespace AiOptix.Tests;

public class ChecksumTests
{
    /// <summary>Values that the reference implementation of XXH64 gives with seed 0.</summary>
    [Theory]
    [InlineData("", 0xEF46DB3751D8E999UL)]
    [InlineData("a", 0xD24EC4F1A98C6E5BUL)]
    [InlineData("abc", 0x44BC2CF5AD770999UL)]
    [InlineData("Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1UL)]
    public void ItIsXxh64(string text, ulong sum) => Assert.Equal(sum, Checksum.Of(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 31)]
    [InlineData((3 << 20) + 7)]
    [InlineData((1 << 20) - 1)]
    public void LongStretchesHaveTheSameSumOnEveryMachine(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        foreach (var cap in Enum.GetValues<IsaCap>()) Assert.Equal(Checksum.Of(bytes), Kernels.Checksums.LongChecksum.Of(bytes, Kernels.HostTarget.Current.Cap(cap)));
        var sum = Kernels.Checksums.LongChecksum.Of(bytes);
        foreach (var at in new[] { 0, 1, length / 2, length - 1 })
        {
            bytes[at] ^= 16;
            Assert.NotEqual(sum, Kernels.Checksums.LongChecksum.Of(bytes));
            bytes[at] ^= 16;
        }
    }

    [Fact]
    public void EveryBitCounts()
    {
        var bytes = new byte[101];
        new Random(1).NextBytes(bytes);
        var sums = new HashSet<ulong> { Checksum.Of(bytes) };
        for (var bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(sums.Add(Checksum.Of(bytes)));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }
}
