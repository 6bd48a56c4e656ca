using Distributed.Core.Stepping;
using Distributed.Training.Exchange;

namespace Distributed.Training.Loop;

/// <summary>Joins all silos at a step: hands in this silo's vote and waits for the decision that holds for all.</summary>
/// <remarks>Called on a rank thread and blocks it; asking again with the same vote gives the same decision.</remarks>
public interface IStepDecider
{
    /// <param name="totalSteps">Steps the job will run, as this silo counts them from its data; schedules depend on it.</param>
    /// <exception cref="Core.Jobs.JobException">A missed deadline, unequal votes or a stale generation.</exception>
    StepDecision Decide(StepVote vote, long totalSteps);

    /// <summary>Before a checkpoint of this step becomes visible: makes sure that this generation is still the job's.</summary>
    /// <exception cref="JobErrorException">It is not.</exception>
    void Confirm(long step)
    {
    }
}
