using AiOptix.Onnx.Proto;
using Google.Protobuf;

namespace AiOptix.Mutation.Tests;

/// <summary>A damaged model: which one it is follows from its number alone.</summary>
/// <param name="Seed">What was damaged.</param>
/// <param name="Bytes">The file.</param>
/// <param name="Changes">What was done, in words.</param>
/// <param name="Random">What its inputs are drawn from.</param>
internal sealed record Mutant(Seed Seed, byte[] Bytes, IReadOnlyList<string> Changes, Random Random)
{
    /// <summary>Makes a mutant. Those of even numbers are damaged as messages, those of odd numbers as bytes.</summary>
    public static Mutant Make(Seeds seeds, int series, int number)
    {
        var random = new Random(unchecked((series * 1_000_003) + number));
        var seed = seeds.Draw(random);
        var changes = new List<string>();
        if (number % 2 == 1) return new(seed, Damage(seed.Bytes, random, changes), changes, random);
        var model = ModelProto.Parser.ParseFrom(seed.Bytes);
        var mutation = new Structure(model, seed, random);
        var wanted = random.Next(4) > 0 ? 1 : random.Next(2, 5);
        for (var tries = 0; changes.Count < wanted && tries < 20; tries++)
            if (mutation.Change() is { } change) changes.Add(change);
        return new(seed, model.ToByteArray(), changes, random);
    }

    private static byte[] Damage(byte[] bytes, Random random, List<string> changes)
    {
        if (random.Next(16) == 0)
        {
            var length = random.Next(bytes.Length);
            changes.Add($"cut to {length} bytes");
            return bytes[..length];
        }
        var damaged = (byte[])bytes.Clone();
        for (var n = random.Next(4) > 0 ? 1 : random.Next(2, 5); n > 0; n--) damaged = DamageOnce(damaged, random, changes);
        return damaged;
    }

    private static byte[] DamageOnce(byte[] bytes, Random random, List<string> changes)
    {
        var at = random.Next(bytes.Length);
        switch (random.Next(8))
        {
            case 0:
                var value = (byte)random.Next(256);
                changes.Add($"byte {at} set to {value}");
                bytes[at] = value;
                return bytes;
            case 1:
                var count = Math.Min(random.Next(1, 16), bytes.Length - at);
                changes.Add($"{count} bytes at {at} left out");
                return [.. bytes[..at], .. bytes[(at + count)..]];
            case 2:
                var repeated = Math.Min(random.Next(1, 16), bytes.Length - at);
                changes.Add($"{repeated} bytes at {at} repeated");
                return [.. bytes[..(at + repeated)], .. bytes[at..]];
            default:
                var bit = random.Next(8);
                changes.Add($"bit {bit} of byte {at} flipped");
                bytes[at] ^= (byte)(1 << bit);
                return bytes;
        }
    }
}
