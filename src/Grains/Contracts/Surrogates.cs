using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Stepping;
using Orleans.Concurrency;

// Core knows nothing of Orleans: these carry its values over grain calls, bit for bit (NaN and infinity too).
namespace Distributed.Grains.Contracts;

[GenerateSerializer, Immutable]
internal struct TrainerStateSurrogate
{
    [Id(0)] public long Step;
    [Id(1)] public long Updates;
    [Id(2)] public float Scale;
    [Id(3)] public int GrowthTracker;
    [Id(4)] public int Hysteresis;
    [Id(5)] public int LastOverflow;
    [Id(6)] public int ConsecutiveSkips;
    [Id(7)] public long UnexplainedSkips;
    [Id(8)] public long FirstUnexplainedSkip;
    [Id(9)] public string? FirstUnexplainedParameter;
    [Id(10)] public double RecentSkips;
}

[RegisterConverter]
internal sealed class TrainerStateConverter : IConverter<TrainerState, TrainerStateSurrogate>
{
    public TrainerState ConvertFromSurrogate(in TrainerStateSurrogate s) =>
        new(
            s.Step, s.Updates, new LossScaleState(s.Scale, s.GrowthTracker, s.Hysteresis, s.LastOverflow, s.ConsecutiveSkips),
            new SkipTally(s.UnexplainedSkips, s.FirstUnexplainedSkip, s.FirstUnexplainedParameter))
        {
            RecentSkips = s.RecentSkips,
        };

    public TrainerStateSurrogate ConvertToSurrogate(in TrainerState v) => new()
    {
        Step = v.Step,
        Updates = v.Updates,
        Scale = v.LossScale.Scale,
        GrowthTracker = v.LossScale.GrowthTracker,
        Hysteresis = v.LossScale.Hysteresis,
        LastOverflow = v.LossScale.LastOverflow,
        ConsecutiveSkips = v.LossScale.ConsecutiveSkips,
        UnexplainedSkips = v.Skips.Unexplained,
        FirstUnexplainedSkip = v.Skips.FirstStep,
        FirstUnexplainedParameter = v.Skips.FirstParameter,
        RecentSkips = v.RecentSkips,
    };
}

[GenerateSerializer, Immutable]
internal struct StepVoteSurrogate
{
    [Id(0)] public Generation Generation;
    [Id(1)] public TrainerState Before;
    [Id(2)] public bool FoundInf;
    [Id(3)] public double NormSquared;
    [Id(4)] public double LossSum;
    [Id(5)] public long Items;
    [Id(6)] public string? NonFinite;
}

[RegisterConverter]
internal sealed class StepVoteConverter : IConverter<StepVote, StepVoteSurrogate>
{
    public StepVote ConvertFromSurrogate(in StepVoteSurrogate s) =>
        new(s.Generation, s.Before, s.FoundInf, s.NormSquared, s.LossSum, s.Items, s.NonFinite);

    public StepVoteSurrogate ConvertToSurrogate(in StepVote v) => new()
    {
        Generation = v.Generation,
        Before = v.Before,
        FoundInf = v.FoundInf,
        NormSquared = v.NormSquared,
        LossSum = v.LossSum,
        Items = v.Items,
        NonFinite = v.NonFinite,
    };
}

[GenerateSerializer, Immutable]
internal struct StepDecisionSurrogate
{
    [Id(0)] public long Step;
    [Id(1)] public bool Commit;
    [Id(2)] public TrainerState After;
    [Id(3)] public float ClipCoefficient;
    [Id(4)] public double LearningRate;
    [Id(5)] public StepControl Control;
    [Id(6)] public string? Failure;
}

[RegisterConverter]
internal sealed class StepDecisionConverter : IConverter<StepDecision, StepDecisionSurrogate>
{
    public StepDecision ConvertFromSurrogate(in StepDecisionSurrogate s) =>
        new(s.Step, s.Commit, s.After, s.ClipCoefficient, s.LearningRate, s.Control, s.Failure);

    public StepDecisionSurrogate ConvertToSurrogate(in StepDecision v) => new()
    {
        Step = v.Step,
        Commit = v.Commit,
        After = v.After,
        ClipCoefficient = v.ClipCoefficient,
        LearningRate = v.LearningRate,
        Control = v.Control,
        Failure = v.Failure,
    };
}

[GenerateSerializer, Immutable]
internal struct JobErrorSurrogate
{
    [Id(0)] public string Code;
    [Id(1)] public string Message;
    [Id(2)] public Rank? Rank;
    [Id(3)] public string? Silo;
    [Id(4)] public string? Phase;
    [Id(5)] public long? Step;
}

[RegisterConverter]
internal sealed class JobErrorConverter : IConverter<JobError, JobErrorSurrogate>
{
    public JobError ConvertFromSurrogate(in JobErrorSurrogate s) => new(s.Code, s.Message, s.Rank, s.Silo, s.Phase, s.Step);

    public JobErrorSurrogate ConvertToSurrogate(in JobError v) => new()
    {
        Code = v.Code,
        Message = v.Message,
        Rank = v.Rank,
        Silo = v.Silo,
        Phase = v.Phase,
        Step = v.Step,
    };
}
