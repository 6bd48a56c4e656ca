namespace Distributed.Client.Tests;

/// <summary>A test over the data set beside the checkout; skipped in plain sight where that is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute()
    {
        if (SharedData.Root is null) Skip = "No folder 'shared' beside the checkout.";
    }
}

internal static class SharedData
{
    public static string? Root { get; } = Find(AppContext.BaseDirectory);

    private static string? Find(string? directory)
    {
        while (directory is not null && !File.Exists(Path.Combine(directory, "Distributed.sln"))) directory = Path.GetDirectoryName(directory);
        if (directory is null) return null;
        var shared = Path.GetFullPath(Path.Combine(directory, "..", "shared"));
        return Directory.Exists(shared) ? shared : null;
    }
}
