using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Training.Exchange;
using Distributed.Training.Ranks;

namespace Distributed.Training.Loop;

/// <summary>Turns what a rank thread threw into the job's error.</summary>
internal static class RankFailure
{
    public static JobError Describe(Exception error, Rank rank, string silo, RankPhase phase)
    {
        long? step = phase.Step > 0 ? phase.Step : null;
        return error switch
        {
            AggregateException { InnerException: { } inner } => Describe(inner, rank, silo, phase),
            JobErrorException known => known.Error,
            StalledRankException stalled => new JobError(ErrorCodes.Deadline, stalled.Message, stalled.Rank, silo, phase.Name, step),
            // Another silo may have the file, the space or the library.
            JobException { Code: ErrorCodes.PathMissing or ErrorCodes.Storage } job =>
                new JobError(job.Code, job.Message, null, silo, null, step),
            DllNotFoundException or BadImageFormatException or EntryPointNotFoundException =>
                new JobError(ErrorCodes.Native, FirstLine(error.Message), rank, silo, phase.Name, step),
            TypeInitializationException { InnerException: { } inner } => Describe(inner, rank, silo, phase),
            // What is wrong with the job itself is no rank's fault.
            JobException { Code: not (ErrorCodes.Internal or ErrorCodes.Native or ErrorCodes.Deadline) } job =>
                new JobError(job.Code, job.Message, null, null, null, step),
            JobException job => new JobError(job.Code, job.Message, rank, silo, phase.Name, step),
            _ when IsOutOfMemory(error) => new JobError(
                ErrorCodes.Memory,
                $"Out of memory: {FirstLine(error.Message)} Use a smaller microBatch, a smaller model or fewer ranks on a silo.", rank,
                silo, phase.Name, step),
            IOException or UnauthorizedAccessException => new JobError(ErrorCodes.Storage, error.Message, rank, silo, phase.Name, step),
            _ => new JobError(ErrorCodes.Internal, $"{error.GetType().Name}: {FirstLine(error.Message)}", rank, silo, phase.Name, step),
        };
    }

    /// <summary>libtorch, oneDNN and the C++ library each have words of their own.</summary>
    private static bool IsOutOfMemory(Exception error) =>
        error is OutOfMemoryException || (error is System.Runtime.InteropServices.ExternalException && Array.Exists(
            ["can't allocate memory", "Cannot allocate memory", "not enough memory", "could not create a memory", "out of memory",
                "bad_alloc"],
            words => error.Message.Contains(words, StringComparison.OrdinalIgnoreCase)));

    private static string FirstLine(string text) => text.Split('\n')[0];
}
