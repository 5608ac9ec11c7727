using System.Globalization;
using System.Text;
using Iced.Intel;

namespace AiOptix.Kernels.Jit;

/// <summary>A generated kernel to be looked at.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Code">Its machine code.</param>
public sealed record KernelListing(string Name, byte[] Code)
{
    private const int MostBytesAnInstruction = 15;

    /// <summary>The instructions, one a line: offset, bytes, assembler as NASM writes it.</summary>
    public string Disassemble()
    {
        var text = new StringBuilder();
        var formatter = new NasmFormatter();
        var output = new StringOutput();
        foreach (var instruction in Decode())
        {
            formatter.Format(instruction, output);
            var bytes = Convert.ToHexStringLower(Code, (int)instruction.IP, instruction.Length).PadRight(2 * MostBytesAnInstruction);
            text.Append(instruction.IP.ToString("x4", CultureInfo.InvariantCulture)).Append("  ").Append(bytes).Append("  ").Append(output.ToStringAndReset()).Append('\n');
        }
        return text.ToString();
    }

    internal List<Instruction> Decode()
    {
        var decoder = Iced.Intel.Decoder.Create(64, new ByteArrayCodeReader(Code));
        var all = new List<Instruction>();
        while (decoder.IP < (ulong)Code.Length) all.Add(decoder.Decode());
        return all;
    }
}
