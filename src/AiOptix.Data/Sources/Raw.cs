using AiOptix.Tensors;

namespace AiOptix.Data;

public static partial class Datasets
{
    /// <summary>Raw little-endian elements, sample after sample, mapped.</summary>
    /// <param name="paths">Files, patterns.</param>
    /// <param name="name">The name of the field.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The shape of one sample.</param>
    /// <param name="offset">Bytes in front of the first sample of each file.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    /// <exception cref="ModelFormatException">A file's length is no whole number of samples.</exception>
    public static IndexedDataset Raw(IEnumerable<string> paths, string name, DType type, Shape shape, long offset = 0)
    {
        if (type.Bits() < 8) throw new ArgumentException($"elements of {type.Name()} cannot be read raw", nameof(type));
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var bytes = type.ByteLength(shape.Count);
        if (bytes == 0) throw new ArgumentException($"a sample of shape {shape} has no bytes, so a file does not say how many there are", nameof(shape));
        return Rows([name], DataFiles.Find(paths), file =>
        {
            var block = MemoryBlock.MapFile(file);
            try
            {
                var data = block.Length - offset;
                if (data < 0 || data % bytes != 0)
                    throw new ModelFormatException($"{file} has {block.Length} bytes; {offset} and then a whole number of samples {type.Name()}{shape} of {bytes} bytes were expected");
                return [Tensor.Over(block, offset, type, new Shape([data / bytes, .. shape.Dims]))];
            }
            finally
            {
                block.LetGo();
            }
        });
    }
}
