namespace Distributed.Core.Samples;

/// <summary>What a job read of its data.</summary>
/// <param name="Train">Samples of the training split.</param>
/// <param name="Test">Samples of the test split; 0: there is none.</param>
/// <param name="Classes">0 where labels are no class numbers.</param>
/// <param name="Vocabulary">Different tokens that samples may hold; 0 where they hold none.</param>
/// <param name="Sha256">
/// Of the content of all files that were read, or of the parameters of generated data: equal samples, equal value.
/// </param>
public sealed record DataSummary(long Train, long Test, int Classes, int Vocabulary, string Sha256)
{
    private const int ShortDigits = 16;

    /// <summary>Same samples, in the same order.</summary>
    public bool IsSameAs(DataSummary other) => (Train, Test, Sha256) == (other.Train, other.Test, other.Sha256);

    /// <summary>For messages and tables.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Train} training and {Test} test samples")
        + (Classes > 0 ? FormattableString.Invariant($", {Classes} classes") : "")
        + (Vocabulary > 0 ? FormattableString.Invariant($", vocabulary of {Vocabulary}") : "")
        + $", sha256 {(Sha256.Length > ShortDigits ? Sha256[..ShortDigits] : Sha256)}";
}
