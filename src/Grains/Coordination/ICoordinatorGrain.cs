using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Orleans.Concurrency;

namespace Distributed.Grains.Coordination;

/// <summary>Joins the silos of a job at every step; the key is the job id.</summary>
public interface ICoordinatorGrain : IGrainWithStringKey
{
    /// <summary>Begins a generation; the same one again changes nothing, an older one is ignored.</summary>
    Task Open(GenerationSetup setup);

    /// <summary>Takes where a silo can be reached and answers once all silos of the generation have come, or the deadline is over.</summary>
    /// <param name="endpoint">Address and port of the silo's exchange socket; empty when it has none.</param>
    /// <param name="fingerprint">What must be equal in all silos for equal bits; a difference refuses all of them.</param>
    [ResponseTimeout("1.00:00:00")]
    Task<MeetReply> Meet(int generation, string silo, string endpoint, string fingerprint);

    /// <summary>Takes a silo's vote and answers once all silos have voted, or the step's deadline is over.</summary>
    /// <param name="totalSteps">Steps the job will run, as this silo counts them.</param>
    [ResponseTimeout("1.00:00:00")]
    Task<VoteReply> Vote(string silo, long totalSteps, [Immutable] StepVote vote);

    /// <summary>Lets the next decision carry a wish; kept until the generation ends.</summary>
    Task RequestStop(int generation, StepControl control);

    /// <summary>Ends a generation: votes that wait, and all to come, are answered with the reason.</summary>
    Task Close(int generation, JobError reason);
}
