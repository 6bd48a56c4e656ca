using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>What the silos of a cluster share on disk.</summary>
internal sealed class ClusterFolder : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public ClusterFolder()
    {
        TokenFile = directory.Write("token", "a token for this test alone");
        JobsRoot = Directory.CreateDirectory(directory.File("jobs")).FullName;
        DataRoot = Directory.CreateDirectory(directory.File("data")).FullName;
    }

    public string Path => directory.Path;

    public string TokenFile { get; }

    public string JobsRoot { get; }

    public string DataRoot { get; }

    public string Write(string name, string text) => directory.Write(name, text);

    public void Dispose() => directory.Dispose();
}
