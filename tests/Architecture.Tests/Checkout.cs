namespace Distributed.Architecture.Tests;

/// <summary>The source tree, and the outputs of the configuration that this test was built in.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <summary>Folder of all outputs, one a project.</summary>
    public static string Outputs { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));

    public static string Project(string room) => Path.Combine(Root, "src", room, $"{room}.csproj");

    /// <summary>A room's assembly where the build put it.</summary>
    public static string Assembly(string room, string name) =>
        Path.Combine(Outputs, room, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), $"{name}.dll");

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Distributed.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException($"No Distributed.sln above {AppContext.BaseDirectory}.");
        return directory;
    }
}
