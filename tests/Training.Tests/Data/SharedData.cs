namespace Distributed.Training.Tests.Data;

internal static class SharedData
{
    /// <value>Null when there is none.</value>
    public static string? Root { get; } = Find();

    public static string File(string name) => Path.Combine(Root!, name);

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!System.IO.File.Exists(Path.Combine(folder.FullName, "Distributed.sln"))) continue;
            var shared = Path.Combine(folder.FullName, "..", "shared", "data");
            return Directory.Exists(shared) ? Path.GetFullPath(shared) : null;
        }

        return null;
    }
}
