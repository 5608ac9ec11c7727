namespace Microsoft.CodeAnalysis;

/// <summary>Keeps a type that several rooms compile from one file to each of them: compilers take no notice of it in other assemblies, even those that see internals.</summary>
[AttributeUsage(AttributeTargets.All)]
internal sealed class EmbeddedAttribute : Attribute;
