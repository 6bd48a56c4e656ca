using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>One undisturbed run of <see cref="Jobs.Mixed"/> that other runs are compared with and damaged copies are made of.</summary>
public sealed class CalmRun : IAsyncLifetime, IDisposable
{
    public const int Ranks = 2;

    private readonly TemporaryDirectory directory = new();
    private DtrainResult? result;

    internal string JobFile { get; private set; } = "";

    /// <value>The run's directory; not to be changed.</value>
    internal string Directory => directory.File("run");

    internal string Checkpoints => directory.File("run", "checkpoints");

    internal DtrainResult Result => result!;

    internal string Hash => Result.Hash;

    public async Task InitializeAsync()
    {
        JobFile = directory.Write("job.yaml", Jobs.Mixed);
        result = (await DtrainProcess.RunAsync("train", JobFile, "--ranks", $"{Ranks}", "--json", "--out", Directory)).Exits(0);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => directory.Dispose();
}

[CollectionDefinition(nameof(CalmRun))]
public sealed class CalmRunDefinition : ICollectionFixture<CalmRun>;
