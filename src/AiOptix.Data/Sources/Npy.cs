using AiOptix.Tensors;

namespace AiOptix.Data;

public static partial class Datasets
{
    /// <summary>NPY files. Files of rows are mapped, never read whole; files that are one sample each are opened when they are read.</summary>
    /// <param name="paths">Files, folders, patterns.</param>
    /// <param name="name">The name of the field.</param>
    /// <param name="content">What a file holds.</param>
    /// <exception cref="IOException">A file is not there or cannot be opened.</exception>
    /// <exception cref="ModelFormatException">A file of rows is damaged.</exception>
    /// <exception cref="InvalidInputException">Files of rows have rows of different types or shapes.</exception>
    public static IndexedDataset Npy(IEnumerable<string> paths, string name, FileContent content = FileContent.Rows)
    {
        var files = DataFiles.Find(paths, ".npy");
        string[] names = [name];
        return content == FileContent.Sample
            ? new FilesDataset(files, (index, context) => new(names, [NpyFile.Load(files[(int)index], context.Limits, context.Rent)]))
            : Rows(names, files, file => [NpyFile.Read(file)]);
    }

    /// <summary>A data set of files of rows; those that were opened are closed when one fails.</summary>
    private static RowsDataset Rows(IReadOnlyList<string> names, IReadOnlyList<string> files, Func<string, IReadOnlyList<Tensor>> open)
    {
        var shards = new List<RowsShard>(files.Count);
        try
        {
            foreach (var file in files) shards.Add(new(file, open(file)));
            return new(names, shards, DataFiles.Identity(files));
        }
        catch
        {
            foreach (var column in shards.SelectMany(s => s.Columns)) column.Dispose();
            throw;
        }
    }
}
