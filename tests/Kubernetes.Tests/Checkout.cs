namespace Distributed.Kubernetes.Tests;

/// <summary>The folder that holds the solution.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    public static string Manifests { get; } = Path.Combine(Root, "k8s");

    public static string Read(params string[] path) => File.ReadAllText(Path.Combine([Root, .. path]));

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Distributed.sln")))
            directory = Path.GetDirectoryName(directory)
                ?? throw new DirectoryNotFoundException($"No Distributed.sln above {AppContext.BaseDirectory}.");
        return directory;
    }
}
