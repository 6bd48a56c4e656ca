using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>Joins the silos of one generation of a job at every step; its key is a <see cref="CoordinatorKey"/>.</summary>
/// <remarks>It lives on the silo of rank 0, with which the generation ends anyway: the silo that follows the job may come and go.</remarks>
public interface ICoordinatorGrain : IGrainWithStringKey
{
    /// <summary>Begins a generation; the same one again changes nothing, an older one is ignored.</summary>
    [ResponseTimeout("00:00:05")]
    Task Open(GenerationSetup setup);

    /// <summary>
    /// Takes where a silo can be reached and answers once all silos of the generation have come, or the deadline is over.
    /// </summary>
    /// <param name="endpoint">Address and port of the silo's exchange socket; empty when it has none.</param>
    /// <param name="fingerprint">What must be equal in all silos for equal bits; a difference refuses all of them.</param>
    [ResponseTimeout("1.00:00:00")]
    [Alias("21145921")]
    Task<MeetReply> Meet(Generation generation, string silo, string endpoint, string fingerprint);

    /// <summary>Takes a silo's vote and answers once all silos have voted, or the step's deadline is over.</summary>
    /// <param name="totalSteps">Steps the job will run, as this silo counts them.</param>
    [ResponseTimeout("1.00:00:00")]
    Task<VoteReply> Vote(string silo, long totalSteps, [Immutable] StepVote vote);

    /// <summary>Lets the next decision carry a wish; kept until the generation ends.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("26426822")]
    Task RequestStop(Generation generation, StepControl control);

    /// <summary>Whether it joins the votes of this generation; false also for one that was closed, or lost with its silo.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("9B2286B4")]
    Task<bool> IsOpen(Generation generation);

    /// <summary>Ends a generation: votes that wait are answered with the reason, and the grain goes.</summary>
    [ResponseTimeout("00:00:05")]
    [Alias("23335B60")]
    Task Close(Generation generation, JobError reason);
}
