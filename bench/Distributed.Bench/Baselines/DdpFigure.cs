namespace Distributed.Bench.Baselines;

/// <summary>Steps of PyTorch DDP.</summary>
/// <param name="Precision">As job files name it.</param>
/// <param name="Samples">Of one step, over all ranks.</param>
/// <param name="Seconds">Of each step, warm-up too: as long as its slowest rank.</param>
/// <param name="Tuned">What was tuned, and what could not be; empty: nothing.</param>
internal sealed record DdpFigure(
    string Model, string Precision, int Samples, IReadOnlyList<double> Seconds, IReadOnlyList<string> Tuned);
