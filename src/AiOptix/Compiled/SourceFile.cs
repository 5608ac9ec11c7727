using AiOptix.Tensors;

namespace AiOptix.Compiled;

/// <summary>A file that a model was read from, and what tells its content.</summary>
/// <param name="Stamp">Path, length and time.</param>
/// <param name="Sample">The checksum of pages spread over it: cheap, and different for weights trained anew even where tools set all times alike.</param>
/// <param name="Content">The checksum of all of it.</param>
internal sealed record SourceFile(FileStamp Stamp, ulong Sample, ulong Content)
{
    private const int Pages = 32;
    private const int PageBytes = 4096;

    /// <summary>Looks at a file that was just read.</summary>
    /// <exception cref="IOException">It cannot be read, or changed meanwhile.</exception>
    public static SourceFile Of(FileStamp stamp)
    {
        var block = MemoryBlock.MapFile(stamp.Path);
        try
        {
            if (block.MappedFile != stamp) throw new IOException($"'{stamp.Path}' changed while the model was compiled; compile it again");
            return new(stamp, SampleOf(block), ContentOf(block));
        }
        finally
        {
            block.LetGo();
        }
    }

    /// <summary>Whether the file under that name still has the content; one that is not there any more cannot have changed.</summary>
    public bool IsUnchanged()
    {
        if (!File.Exists(Stamp.Path)) return true;
        var block = MemoryBlock.MapFile(Stamp.Path);
        try
        {
            if (block.Length != Stamp.Length || SampleOf(block) != Sample) return false;
            return block.MappedFile!.Written == Stamp.Written || ContentOf(block) == Content;
        }
        finally
        {
            block.LetGo();
        }
    }

    /// <summary>The checksum of pages spread over a file.</summary>
    public static ulong SampleOf(FileStamp stamp)
    {
        var block = MemoryBlock.MapFile(stamp.Path);
        try
        {
            return SampleOf(block);
        }
        finally
        {
            block.LetGo();
        }
    }

    private static ulong SampleOf(MemoryBlock block)
    {
        Span<ulong> sums = stackalloc ulong[Pages];
        for (var i = 0; i < Pages; i++)
        {
            var at = block.Length / Pages * i / PageBytes * PageBytes;
            sums[i] = Checksum.Of(block.Slice(at, (int)Math.Min(PageBytes, block.Length - at)));
        }
        return Checksum.Of(sums);
    }

    private static ulong ContentOf(MemoryBlock block) => Checksum.Of(Chunks.Sums(block, 0, block.Length));
}
