namespace Distributed.Client.Runs;

/// <summary>What the user typed after <c>dtrain train</c>.</summary>
internal sealed record TrainOptions
{
    public required string File { get; init; }

    /// <value>Null: one per core, as far as the job allows.</value>
    public int? Ranks { get; init; }

    /// <summary>Silo processes that hold the ranks.</summary>
    public int Silos { get; init; } = 1;

    public IReadOnlyList<string> Set { get; init; } = [];

    /// <value>The run's directory; null: runs/ID under the current one.</value>
    public string? Out { get; init; }

    public bool Resume { get; init; }

    /// <value>0: run to the end.</value>
    public long StopAt { get; init; }

    /// <value>Port of the silo's gRPC endpoint on 127.0.0.1; 0: any free one.</value>
    public int Port { get; init; }

    public bool Json { get; init; }
}
