namespace Distributed.Architecture.Tests;

/// <summary>The source tree, and the outputs of the configuration that this test was built in.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <summary>Folder of all outputs, one a project.</summary>
    public static string Outputs { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));

    /// <summary>The project of a room: the benches are next to what they measure with, all others in <c>src</c>.</summary>
    public static string Project(string room) => Path.Combine(Folder(room), $"{room}.csproj");

    public static string Folder(string room) =>
        room == "Bench" ? Path.Combine(Root, "bench", "Distributed.Bench") : Path.Combine(Root, "src", room);

    /// <summary>A room's assembly where the build put it.</summary>
    public static string Assembly(string room, string name) =>
        Path.Combine(Outputs, room, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), $"{name}.dll");

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Distributed.sln")))
            directory = Path.GetDirectoryName(directory)
                ?? throw new DirectoryNotFoundException($"No Distributed.sln above {AppContext.BaseDirectory}.");
        return directory;
    }
}
