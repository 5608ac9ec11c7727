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
