namespace Distributed.EndToEnd.Tests;

/// <summary>The folder that holds the solution, and the data that may lie beside it.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <value>Null when there is none.</value>
    public static string? SharedData { get; } = FindData();

    public static string ReadMe { get; } = Path.Combine(Root, "README.md");

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Distributed.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException($"No Distributed.sln above {AppContext.BaseDirectory}.");
        return directory;
    }

    private static string? FindData()
    {
        var data = Path.GetFullPath(Path.Combine(Root, "..", "shared", "data"));
        return Directory.Exists(data) ? data : null;
    }
}

/// <summary>A test on real data, which lies in <c>shared/data</c> beside the checkout; skipped in plain sight where that is missing.</summary>
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute()
    {
        if (Checkout.SharedData is null) Skip = "no ../shared/data beside the checkout";
    }
}

/// <summary>A test of the README and the documentation; skipped in plain sight where there is none.</summary>
internal sealed class ReadMeFactAttribute : FactAttribute
{
    public ReadMeFactAttribute()
    {
        if (!File.Exists(Checkout.ReadMe)) Skip = "no README.md in the checkout";
    }
}
