namespace Distributed.Testing;

/// <summary>The folder that holds the solution, and what may be beside it.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    /// <value>The folder <c>shared</c> beside the checkout; null where there is none.</value>
    public static string? Shared { get; } = Beside("shared");

    /// <value>Real data, in <c>shared/data</c>; null where there are none.</value>
    public static string? SharedData { get; } = Beside(Path.Combine("shared", "data"));

    public static string ReadMe { get; } = Path.Combine(Root, "README.md");

    /// <summary>Text of a file, by its path in the checkout.</summary>
    public static string Read(params string[] path) => File.ReadAllText(Path.Combine([Root, .. path]));

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Distributed.sln")))
            directory = Path.GetDirectoryName(directory)
                ?? throw new DirectoryNotFoundException($"No Distributed.sln above {AppContext.BaseDirectory}.");
        return directory;
    }

    private static string? Beside(string name)
    {
        var folder = Path.GetFullPath(Path.Combine(Root, "..", name));
        return Directory.Exists(folder) ? folder : null;
    }
}

/// <summary>A test on what is in <c>shared</c> beside the checkout; skipped in plain sight where that is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute()
    {
        if (Checkout.SharedData is null) Skip = "no ../shared/data beside the checkout";
    }
}

/// <summary>A theory on what is in <c>shared</c> beside the checkout; skipped in plain sight where that is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute()
    {
        if (Checkout.SharedData is null) Skip = "no ../shared/data beside the checkout";
    }
}
