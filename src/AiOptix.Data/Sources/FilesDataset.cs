namespace AiOptix.Data;

/// <summary>Files that are one sample each, opened when they are read.</summary>
internal sealed class FilesDataset(IReadOnlyList<string> files, Func<long, SampleContext, Sample> read) : IndexedDataset
{
    private readonly Lazy<string> identity = new(() => DataFiles.Identity(files));

    public override long Count => files.Count;

    public override string Identity => identity.Value;

    public override string Locate(long index) => files[(int)index];

    public override Sample Read(long index, SampleContext context) => read(index, context);
}
