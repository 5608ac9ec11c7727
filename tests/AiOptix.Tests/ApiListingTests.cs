using System.Reflection;
using System.Text;

namespace AiOptix.Tests;

/// <summary>The public API as text, one member a line; a change shows in the diff of <c>docs/api.txt</c>. <c>AIOPTIX_UPDATE_API=1</c> writes it anew.</summary>
public class ApiListingTests
{
    [Fact]
    public void TheListingIsTheApi()
    {
        var file = Path.Combine(Repository.Root, "docs", "api.txt");
        var listing = List();
        if (Environment.GetEnvironmentVariable("AIOPTIX_UPDATE_API") == "1") File.WriteAllText(file, listing);
        Assert.Equal(File.ReadAllText(file), listing);
    }

    private static string List()
    {
        var text = new StringBuilder();
        Assembly[] assemblies = [typeof(Model).Assembly, typeof(Runtime.Session).Assembly, typeof(Tensors.Tensor).Assembly, typeof(Optimization.Optimizer).Assembly, typeof(Data.DataLoader).Assembly];
        foreach (var type in assemblies.SelectMany(a => a.GetExportedTypes()).OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(type.FullName).Append(type.IsEnum ? " enum" : type.IsValueType ? " struct" : type.IsInterface ? " interface" : " class").Append('\n');
            var members = type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Where(m => m is not MethodInfo { IsSpecialName: true } && !m.Name.Contains('<', StringComparison.Ordinal) && m is not Type)
                .Select(m => $"  {m.MemberType.ToString().ToLowerInvariant()} {m}");
            foreach (var m in members.Order(StringComparer.Ordinal)) text.Append(m).Append('\n');
        }
        return text.ToString();
    }
}
