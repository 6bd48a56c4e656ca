using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Training.Checkpoints;

namespace Distributed.Training.Loop;

/// <summary>The whole state of a job to and from a checkpoint, so that a resumed run is bitwise the run that never stopped.</summary>
internal static class TrainingCheckpoint
{
    private static readonly TensorDtype[] Stored = [TensorDtype.F32];

    /// <summary>Writes weights, moments and state; the checkpoint appears whole or not at all.</summary>
    /// <param name="confirm">Throws when another generation has taken the job over; the checkpoint is then dropped.</param>
    /// <returns>Its directory.</returns>
    public static string Save(CheckpointStore store, JobRuntime job, string fingerprint, Action? confirm = null)
    {
        using var writer = store.Begin(job.State.Step);
        writer.WriteFile(CheckpointFiles.Model, stream => TensorFiles.Write(stream, job.Layout, job.Device, [("", job.Replica.Master)]));
        writer.WriteFile(
            CheckpointFiles.Optimizer,
            stream => TensorFiles.Write(stream, job.Layout, job.Device, [.. job.Optimizer.Moments.Select(m => (m.Name + ".", m.Flat))]));
        var snapshot = new TrainingSnapshot
        {
            State = job.State,
            Seed = job.Spec.Seed,
            ParameterSteps = job.Layout.Slots.ToDictionary(
                s => s.Spec.Name, s => job.Optimizer.ParameterUpdates[s.Index], StringComparer.Ordinal),
            SpecJson = JobSpecJson.Write(job.Spec),
            Fingerprint = fingerprint,
            Data = job.Data.Summary,
        };
        writer.WriteFile(CheckpointFiles.State, stream => TrainingStateFile.Write(stream, snapshot));
        return writer.Commit(confirm).Path;
    }

    /// <summary>Restores the state of a checkpoint that its manifest vouches for.</summary>
    /// <returns>The fingerprint it was written under.</returns>
    /// <exception cref="JobException">
    /// The checkpoint is of another job, lacks what the model needs, or holds values that are not finite.
    /// </exception>
    public static string Load(Checkpoint checkpoint, JobRuntime job)
    {
        var snapshot = TrainingStateFile.Read(checkpoint.StateFile);
        RefuseAnotherJob(checkpoint, snapshot, job.Spec);
        RefuseOtherData(checkpoint, snapshot, job.Data.Summary);
        using (var model = SafetensorsFile.Open(checkpoint.ModelFile))
            TensorFiles.Read(model, job.Layout, job.Replica.Master, name => name, Stored, ErrorCodes.CheckpointInvalid);
        using (var optimizer = SafetensorsFile.Open(checkpoint.OptimizerFile))
            foreach (var (moment, flat) in job.Optimizer.Moments)
                TensorFiles.Read(optimizer, job.Layout, flat, name => $"{moment}.{name}", Stored, ErrorCodes.CheckpointInvalid);
        foreach (var slot in job.Layout.Slots)
            job.Optimizer.ParameterUpdates[slot.Index] = snapshot.ParameterSteps.TryGetValue(slot.Spec.Name, out var updates)
                ? updates
                : throw new JobException(
                    ErrorCodes.CheckpointInvalid, $"{checkpoint.StateFile} does not say how often {slot.Spec.Name} was updated.");
        job.State = snapshot.State;
        return snapshot.Fingerprint;
    }

    private static void RefuseOtherData(Checkpoint checkpoint, TrainingSnapshot snapshot, DataSummary now)
    {
        if (snapshot.Data is not { } saved || saved.IsSameAs(now)) return;
        throw new JobException(
            ErrorCodes.ResumeMismatch,
            $"{checkpoint.Path} was trained on other data: {saved} in the checkpoint, {now} now. Put the old data back; "
            + "to train its weights on the new data, start a new job with model.weights.");
    }

    private static void RefuseAnotherJob(Checkpoint checkpoint, TrainingSnapshot snapshot, JobSpec spec)
    {
        var saved = JobSpecJson.Read(snapshot.SpecJson).Spec
            ?? throw new JobException(ErrorCodes.CheckpointInvalid, $"{checkpoint.StateFile}: its job cannot be read by this version.");
        var differences = JobSpecDiff.ForResume(saved, spec);
        if (differences.Count == 0) return;
        throw new JobException(
            ErrorCodes.ResumeMismatch,
            $"{checkpoint.Path} belongs to a job that differs: {string.Join("; ", differences)}. Only steps, epochs, workers, exchange, "
            + "checkpoint, evaluate and limits may change on resume; to start from its weights, set model.weights.");
    }
}
