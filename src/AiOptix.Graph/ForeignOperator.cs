namespace AiOptix.Graphs;

/// <summary>An operator that files name and no room here defines. It keeps its attributes as they were read, and is written back with them.</summary>
/// <param name="Domain">The operator set's domain; empty for the default one.</param>
/// <param name="OpType">The operator's name in the file.</param>
/// <param name="Version">The version of the operator set that the file imports.</param>
/// <param name="Attributes">The attributes, by name: long, float, string, Tensor, arrays of them, and what only the file format reads.</param>
public abstract record ForeignOperator(string Domain, string OpType, long Version, IReadOnlyDictionary<string, object> Attributes) : Operator
{
    /// <inheritdoc/>
    public override string Name => Domain.Length == 0 ? OpType : $"{Domain}::{OpType}";
}
