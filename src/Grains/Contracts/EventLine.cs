using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>One event in its JSON form, with what the job grain needs to know of it.</summary>
/// <param name="Json">One object, no line break.</param>
/// <param name="Ending">The phase this event announces; null for all but completed, stopped and failed.</param>
/// <param name="Step">The step it is about; 0 for none.</param>
[GenerateSerializer, Immutable]
public sealed record EventLine(
    [property: Id(0)] string Json, [property: Id(1)] JobPhase? Ending, [property: Id(2)] long Step)
{
    public static EventLine Of(JobEvent jobEvent) => new(
        JobEventJson.Write(jobEvent),
        jobEvent switch
        {
            CompletedEvent => JobPhase.Completed,
            StoppedEvent => JobPhase.Stopped,
            FailedEvent => JobPhase.Failed,
            _ => null,
        },
        jobEvent switch
        {
            StepEvent step => step.Step,
            CompletedEvent completed => completed.Steps,
            StoppedEvent stopped => stopped.Step,
            _ => 0,
        });

    /// <summary>The line tells what was read of the data.</summary>
    public static bool IsData(EventLine line) => line.Json.StartsWith("{\"event\":\"data\"", StringComparison.Ordinal);
}

/// <summary>Events of one silo in the order they happened.</summary>
/// <param name="Source">The silo that sends; with the generation it names one sequence.</param>
/// <param name="First">Number of the first line within that sequence, so that a repeated batch is not logged twice.</param>
/// <param name="TotalSteps">Steps the job will run; 0 while unknown.</param>
[GenerateSerializer, Immutable]
public sealed record EventBatch(
    [property: Id(0)] Generation Generation,
    [property: Id(1)] string Source,
    [property: Id(2)] long First,
    [property: Id(3)] ImmutableArray<EventLine> Lines,
    [property: Id(4)] long TotalSteps);

/// <param name="Number">0, 1, 2, ... within the job.</param>
[GenerateSerializer, Immutable]
public readonly record struct NumberedEvent([property: Id(0)] long Number, [property: Id(1)] string Json);

/// <param name="Final">The job has ended and this page holds the last of its events.</param>
[GenerateSerializer, Immutable]
public sealed record EventPage([property: Id(0)] ImmutableArray<NumberedEvent> Events, [property: Id(1)] bool Final);
