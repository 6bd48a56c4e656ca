namespace Distributed.Silo.Ranks;

/// <summary>Jobs with ranks on this silo.</summary>
internal interface IRankJobs
{
    IReadOnlyCollection<string> Jobs { get; }
}
