namespace Distributed.Architecture.Tests;

/// <summary>Rules of the source text itself.</summary>
public sealed class SourceTests
{
    private const int MostLines = 400;
    private const int MostColumns = 140;

    /// <summary>Source files with the namespace that their folder asks for.</summary>
    private static List<(string File, string Namespace)> Sources() =>
    [
        .. from room in RoomTests.Assemblies.Keys
           from file in Directory.EnumerateFiles(Checkout.Folder(room), "*.cs", SearchOption.AllDirectories)
           select (file, string.Join(
               '.',
               ((string[])["Distributed", room, .. Path.GetRelativePath(Checkout.Folder(room), Path.GetDirectoryName(file)!).Split('/')])
                   .Where(part => part != "."))),
    ];

    [Fact]
    public void Files_StayReadable()
    {
        var sources = Sources().ConvertAll(source => source.File);
        Assert.NotEmpty(sources);
        Assert.All(sources, file => Assert.True(
            File.ReadLines(file).Count() <= MostLines, $"{file} is longer than {MostLines} lines; split it as Type.Concern.cs."));
    }

    /// <summary>But for the text of raw strings, which is data, and names of functions that others made.</summary>
    [Fact]
    public void Lines_EndByColumn140()
    {
        var tests = Directory.EnumerateFiles(Path.Combine(Checkout.Root, "tests"), "*.cs", SearchOption.AllDirectories);
        foreach (var file in Sources().ConvertAll(source => source.File).Concat(tests)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)))
        {
            var isRaw = false;
            foreach (var (i, line) in File.ReadLines(file).Index())
            {
                Assert.True(
                    isRaw || line.Length <= MostColumns || line.Contains("EntryPoint = ", StringComparison.Ordinal),
                    $"{file}, line {i + 1}: {line.Length} columns, expected at most {MostColumns}.");
                if (RawQuotes(line) % 2 == 1) isRaw = !isRaw;
            }
        }

        static int RawQuotes(string line) => line.Split("\"\"\"").Length - 1;
    }

    [Fact]
    public void Namespaces_FollowTheFolders()
    {
        foreach (var (file, expected) in Sources())
        {
            if (File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal)) is not { } line)
                continue;
            Assert.True(line == $"namespace {expected};", $"{file}: {line}, expected namespace {expected};");
        }
    }

    [Fact]
    public void Solution_HoldsEveryProject()
    {
        var solution = File.ReadAllText(Path.Combine(Checkout.Root, "Distributed.sln"));
        var projects = new[] { "src", "bench", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .ToList();
        Assert.NotEmpty(projects);
        Assert.All(projects, project => Assert.Contains(
            $"\"{Path.GetRelativePath(Checkout.Root, project).Replace('/', '\\')}\"", solution, StringComparison.Ordinal));
    }
}
