using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Users;
using Distributed.Grains.Contracts;
using Distributed.Protocol.V1;
using Distributed.Silo.Folders;
using Distributed.Silo.Settings;
using Grpc.Core;

namespace Distributed.Silo.Gateway;

/// <summary>The gRPC endpoint: checks what comes in, asks the job's grain, words what goes out.</summary>
internal sealed partial class JobsService(
    IGrainFactory grains, CallLog log, JobPaths paths, ServeSettings settings, EventRelay relay, SiloDrains drains,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<JobsService> logger) : Protocol.V1.Jobs.JobsBase
{
    public const int LargestRequestBytes = 1 << 20;

    public override async Task<SubmitReply> Submit(SubmitRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        var options = JobMessages.OptionsOf(request.Options) with { Requeue = !settings.HasOneClient };
        CheckPriority(options.Priority, caller);
        var spec = SpecText.Parse(request.SpecJson);
        var id = request.Id.Length > 0 ? IdOf(request.Id) : JobId.New(spec.Name);
        paths.Resolve(spec, id);
        var outcome = await grains.GetJob(id).Submit(new JobSubmission(JobSpecJson.Write(spec), options, caller.Name));
        return outcome.Result switch
        {
            SubmitResult.Created => new SubmitReply { Id = id.ToString(), Created = true },
            SubmitResult.AlreadyThere => new SubmitReply { Id = id.ToString(), Created = false },
            SubmitResult.IdTaken => throw Refuse(StatusCode.AlreadyExists, outcome.Message!),
            SubmitResult.OverQuota => throw Refusal.Of(StatusCode.ResourceExhausted, outcome.Message!, ErrorCodes.Quota),
            _ => throw Refuse(StatusCode.InvalidArgument, outcome.Message!),
        };
    }

    public override async Task<JobStatus> Get(GetRequest request, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        return JobMessages.StatusOf(await Ask(grains.GetJob(id).Status, context) ?? throw NoSuchJob(id));
    }

    public override async Task<ListReply> List(ListRequest request, ServerCallContext context)
    {
        var ids = await Ask(grains.GetGrain<IJobQueueGrain>(0).List, context);
        return await JobPages.Read(request, [.. JobId.Of(ids)], StatusOf);
    }

    public override Task Watch(WatchRequest request, IServerStreamWriter<JobEvent> responseStream, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        return Follow(
            $"events {id}", id, grains.GetJob(id).ReadEvents, request.From, responseStream,
            line => new JobEvent { Number = line.Number, Json = line.Json }, context);
    }

    public override Task Logs(LogsRequest request, IServerStreamWriter<LogLine> responseStream, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        PageRead read = grains.GetJob(id).ReadLog;
        return request.Follow
            ? Follow($"log {id}", id, read, request.From, responseStream, JobMessages.LineOf, context)
            : Copy(id, read, request.From, responseStream, JobMessages.LineOf, context);
    }

    public override async Task<WhyReply> Why(WhyRequest request, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        return JobMessages.WhyOf(await Ask(grains.GetJob(id).Why, context) ?? throw NoSuchJob(id));
    }

    public override async Task<ClusterReply> Cluster(ClusterRequest request, ServerCallContext context) =>
        JobMessages.ClusterOf(await Ask(grains.GetGrain<IJobQueueGrain>(0).Describe, context));

    public override async Task<ClusterReply> Drain(DrainRequest request, ServerCallContext context)
    {
        await drains.Drain(request.Silo, request.Undo);
        return JobMessages.ClusterOf(await grains.GetGrain<IJobQueueGrain>(0).Describe());
    }

    public override async Task<JobStatus> Stop(StopRequest request, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        return JobMessages.StatusOf(Done(await grains.GetJob(id).Stop(request.Checkpoint, By(context)), id));
    }

    public override async Task<JobStatus> Resume(ResumeRequest request, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        return JobMessages.StatusOf(Done(await grains.GetJob(id).Resume(By(context)), id));
    }

    public override async Task<JobStatus> Scale(ScaleRequest request, ServerCallContext context)
    {
        if (request.Workers < 1) throw Refuse(StatusCode.InvalidArgument, $"workers: found {request.Workers}, expected 1 or more.");
        var id = IdOf(request.Id);
        return JobMessages.StatusOf(Done(await grains.GetJob(id).Scale(request.Workers, By(context)), id));
    }

    public override async Task<DeleteReply> Delete(DeleteRequest request, ServerCallContext context)
    {
        var id = IdOf(request.Id);
        Done(await grains.GetJob(id).Delete(By(context)), id);
        return new DeleteReply();
    }

    /// <summary>One job that cannot answer hides no other.</summary>
    private async Task<JobStatus?> StatusOf(JobId id)
    {
        try
        {
            return await grains.GetJob(id).Status() is { } report ? JobMessages.StatusOf(report) : null;
        }
#pragma warning disable CA1031 // Whatever keeps it from answering, such as a journal that cannot be read, is for its owner to see.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (log.May()) LogSilent(e, id);
            return new JobStatus
            {
                Id = id.ToString(),
                State = "unknown",
                Message = e is StorageException ? e.Message : "does not answer; see the log of the silo that was asked",
            };
        }
    }

    private Task<T> Ask<T>(Func<Task<T>> question, ServerCallContext context) => Question.Ask(question, time, context.CancellationToken);

    /// <summary>The caller, for the job's grain to check: only there is the job known to be the one that is changed.</summary>
    private static JobCaller By(ServerCallContext context) => Caller.Of(context).ForJobs();

    private static void CheckPriority(int priority, Caller caller)
    {
        if (priority is < UserEntry.LeastPriority or > UserEntry.MostPriority)
            throw Refuse(
                StatusCode.InvalidArgument, $"priority: found {priority}, expected {UserEntry.LeastPriority} to {UserEntry.MostPriority}.");
        if (priority > caller.MaxPriority)
            throw Refuse(
                StatusCode.InvalidArgument,
                $"priority: found {priority}, and user {caller.Name} may ask for {caller.MaxPriority} at most; "
                + "ask the cluster's operator for more.");
    }

    private static JobReport Done(JobChange? change, JobId id) => change switch
    {
        null => throw NoSuchJob(id),
        { IsDenied: true, Refusal: { } denied } => throw Refuse(StatusCode.PermissionDenied, denied),
        { Refusal: { } refusal } =>
            throw Refusal.Of(StatusCode.FailedPrecondition, refusal, change.IsPassing ? ErrorCodes.StillEnding : null),
        _ => change.Report,
    };

    private static JobId IdOf(string text) =>
        JobId.TryParse(text, out var id) ? id : throw Refuse(StatusCode.InvalidArgument, $"id: {JobId.Misfit(text)}.");

    private static RpcException NoSuchJob(JobId id) => Refuse(StatusCode.NotFound, $"There is no job {id}.");

    private static RpcException Refuse(StatusCode code, string message) => Refusal.Of(code, message);

    [LoggerMessage(
        4003, LogLevel.Warning, "Job {Job} did not report its state; look at its record, its journal and the silo that holds it.")]
    private partial void LogSilent(Exception error, JobId job);
}
