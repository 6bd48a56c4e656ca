namespace Distributed.Architecture.Tests;

/// <summary>Rules of the source text itself.</summary>
public sealed class SourceTests
{
    private const int MostLines = 400;

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.cs", SearchOption.AllDirectories);

    [Fact]
    public void Files_StayReadable()
    {
        var sources = Sources("src").ToList();
        Assert.NotEmpty(sources);
        Assert.All(sources, file => Assert.True(File.ReadLines(file).Count() <= MostLines, $"{file} is longer than {MostLines} lines; split it as Type.Concern.cs."));
    }

    [Fact]
    public void Namespaces_FollowTheFolders()
    {
        foreach (var file in Sources("src"))
        {
            if (File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal)) is not { } line) continue;
            var folder = Path.GetRelativePath(Path.Combine(Checkout.Root, "src"), Path.GetDirectoryName(file)!).Replace('/', '.');
            Assert.True(line == $"namespace Distributed.{folder};", $"{file}: {line}, expected namespace Distributed.{folder};");
        }
    }

    [Fact]
    public void Solution_HoldsEveryProject()
    {
        var solution = File.ReadAllText(Path.Combine(Checkout.Root, "Distributed.sln"));
        var projects = new[] { "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.csproj", SearchOption.AllDirectories)).ToList();
        Assert.NotEmpty(projects);
        Assert.All(projects, project => Assert.Contains($"\"{Path.GetRelativePath(Checkout.Root, project).Replace('/', '\\')}\"", solution, StringComparison.Ordinal));
    }
}
