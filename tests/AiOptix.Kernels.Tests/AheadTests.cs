using System.Reflection;
using AiOptix.Kernels.Vectors;

namespace AiOptix.Kernels.Tests;

/// <summary>What keeps a kernel out of ahead-compiled images.</summary>
public class AheadTests
{
    [Fact]
    public void VectorsGoByReferenceWhereACallIsMade()
    {
        var kernels = typeof(HostTarget).Assembly.GetTypes().SelectMany(t => t.GetMethods(BindingFlags.DeclaredOnly | BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(m => m.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveOptimization)).ToArray();
        Assert.NotEmpty(kernels);
        Assert.Empty(kernels.Where(m => m.GetParameters().Any(p => IsVector(p.ParameterType))).Select(m => $"{m.DeclaringType}.{m.Name}"));
    }

    private static bool IsVector(Type type) =>
        type.IsGenericMethodParameter && type.GetGenericParameterConstraints().Any(c => c.IsGenericType && c.GetGenericTypeDefinition() == typeof(IVec<>));
}
