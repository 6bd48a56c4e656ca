using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Distributed.Architecture.Tests;

/// <summary>Who may use whom. Compiled assemblies list exactly what their code names, whatever the project files promise.</summary>
public sealed class RoomTests
{
    internal static readonly Dictionary<string, string> Assemblies = new()
    {
        ["Core"] = "Distributed.Core",
        ["Training"] = "Distributed.Training",
        ["Grains"] = "Distributed.Grains",
        ["Silo"] = "dtrain-silo",
        ["Client"] = "dtrain",
        ["Bench"] = "dtrain-bench",
    };

    private static IReadOnlyList<string> References(string room)
    {
        using var stream = File.OpenRead(Checkout.Assembly(room, Assemblies[room]));
        using PEReader image = new(stream);
        var metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }

    [Fact]
    public void Core_References_NothingButTheFramework()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.NotEmpty(References("Core"));
        Assert.All(References("Core"), name => Assert.True(
            File.Exists(Path.Combine(framework, $"{name}.dll")), $"Core references {name}, which is no part of .NET itself."));
    }

    [Fact]
    public void Core_Project_HasNoReferences()
    {
        var project = XDocument.Load(Checkout.Project("Core"));
        Assert.DoesNotContain(project.Descendants(), element =>
            element.Name.LocalName is "PackageReference" or "ProjectReference" or "FrameworkReference" or "Reference");
    }

    [Theory]
    [InlineData("Training", "Distributed.Core")]
    [InlineData("Grains", "Distributed.Core")]
    [InlineData("Silo", "Distributed.Core", "Distributed.Training", "Distributed.Grains")]
    [InlineData("Client", "Distributed.Core")]
    [InlineData("Bench", "Distributed.Core", "Distributed.Training", "Distributed.Grains", "dtrain-silo")]
    public void Room_UsesOnlyTheRoomsBelowIt(string room, params string[] rooms) =>
        Assert.Subset(rooms.ToHashSet(), References(room).Intersect(Assemblies.Values).ToHashSet());

    [Theory]
    [InlineData("Training", "Orleans", "Grpc", "Google.Protobuf", "Microsoft.AspNetCore", "Microsoft.Extensions")]
    [InlineData("Grains", "TorchSharp", "Grpc", "Google.Protobuf", "Microsoft.AspNetCore")]
    [InlineData("Silo", "TorchSharp")]
    [InlineData("Client", "Orleans", "TorchSharp", "Microsoft.AspNetCore")]
    public void Room_DoesNotName(string room, params string[] families) =>
        Assert.DoesNotContain(References(room), name => families.Any(family => name.StartsWith(family, StringComparison.Ordinal)
            || name.StartsWith($"Microsoft.{family}", StringComparison.Ordinal)));

    [Fact]
    public void TorchSharp_IsNamedByTrainingAndByTheLoopsItIsMeasuredAgainst() =>
        Assert.Equal(["Training", "Bench"], Assemblies.Keys.Where(room => References(room).Contains("TorchSharp")));

    [Fact]
    public void Client_Output_HoldsNoSiloAndNoTorch()
    {
        var files = Directory.GetFiles(Path.GetDirectoryName(Checkout.Assembly("Client", "dtrain"))!, "*", SearchOption.AllDirectories)
            .Select(Path.GetFileName).ToList();
        Assert.Contains("dtrain", files);
        Assert.DoesNotContain(files, name => name!.Contains("torch", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("Orleans", StringComparison.Ordinal));
    }
}
