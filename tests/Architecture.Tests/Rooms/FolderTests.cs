namespace Distributed.Architecture.Tests.Rooms;

/// <summary>The folders of each project form a graph without cycles, as the table draws it.</summary>
public sealed class FolderTests
{
    private const string Head = """
        # Rooms

        For people who read or change the code. The folders of each project are its rooms. An arrow leads
        from a room to one that it uses; arrows that follow from others are left out. There are no cycles.

        `tests/Architecture.Tests/Rooms/RoomTable.cs` says which room may use which, and a test holds the
        compiled code to it. The same test writes this page:
        `DTRAIN_WRITE_DOCS=1 dotnet test tests/Architecture.Tests --filter Page_ShowsTheTable`.

        """;

    public static TheoryData<string> Projects => [.. RoomTable.Of.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Rooms_UseOnlyWhatTheTableLetsThem(string project)
    {
        var problems = RoomTable.Of[project].Problems(
            RoomGraph.Read(Checkout.Assembly(project, RoomTests.Assemblies[project]), $"Distributed.{project}")).ToList();
        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    /// <summary><c>DTRAIN_WRITE_DOCS=1</c> draws it anew.</summary>
    [Fact]
    public void Page_ShowsTheTable()
    {
        var page = Path.Combine(Checkout.Root, "docs", "architecture", "rooms.md");
        var drawn = Head + string.Concat(RoomTable.Of.Select(project => $"\n## {project.Key}\n\n{project.Value.Draw()}\n"));
        if (Environment.GetEnvironmentVariable("DTRAIN_WRITE_DOCS") == "1") File.WriteAllText(page, drawn);
        Assert.Equal(drawn, File.ReadAllText(page));
    }

    [Fact]
    public void Table_HasEveryProject() =>
        Assert.Equal(
            Directory.GetDirectories(Path.Combine(Checkout.Root, "src")).Select(folder => Path.GetFileName(folder)!).Append("Bench")
                .Order(StringComparer.Ordinal),
            RoomTable.Of.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Graph_SeesBodiesGenericsAndAttributes()
    {
        var graph = RoomGraph.Read(typeof(FolderTests).Assembly.Location, "Distributed.Architecture.Tests.Planted");
        Assert.Equal(
            ["Body", "Generic", "Marking", "Member"], graph.Arrows.Keys.Where(arrow => arrow.To == "Target").Select(arrow => arrow.From));
    }

    [Theory]
    [InlineData("Target:\nMember: Target\nBody: Target\nGeneric: Target\nMarking: Target", 0)]
    // A cycle, an arrow that nothing draws, and a room that is not in the table.
    [InlineData("Target: Member\nMember: Target\nBody: Target\nGeneric: Target\nMarking: Target", 2)]
    [InlineData("Target:\nMember: Target\nBody: Target, Member\nGeneric: Target\nMarking: Target", 1)]
    [InlineData("Target:\nMember: Target\nBody: Target\nGeneric: Target", 2)]
    [InlineData("Target:\nMember:\nBody: Target\nGeneric: Target\nMarking: Target", 1)]
    public void Table_WithSomethingWrong_SaysSo(string table, int problems) =>
        Assert.Equal(problems, RoomTable.Read(table)
            .Problems(RoomGraph.Read(typeof(FolderTests).Assembly.Location, "Distributed.Architecture.Tests.Planted")).Count());
}
