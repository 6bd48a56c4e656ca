namespace Distributed.Training.Exchange;

/// <summary>Numbers that silos tell each other along with their losses: how long their ranks took, for the lead silo to report.</summary>
public sealed class SiloReports
{
    /// <value>Numbers that a silo may send in a step.</value>
    public const int Most = 6 * 64;

    internal SiloReports(int ranksHere, int silos)
    {
        Own = new double[silos > 1 ? 6 * Math.Min(ranksHere, Most / 6) : 0];
        BySilo = [.. Enumerable.Range(0, silos).Select(_ => Array.Empty<double>())];
    }

    /// <summary>This silo's, six for each of its ranks; what is written here leaves with the losses of the next step.</summary>
    internal double[] Own { get; }

    /// <summary>By silo: what came with its last losses; empty before, and for this silo.</summary>
    internal double[][] BySilo { get; }
}
