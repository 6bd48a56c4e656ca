using System.Text.RegularExpressions;
using Distributed.Core;
using Distributed.Core.Jobs;
using Distributed.Grains.Devices;
using Distributed.Grains.Jobs;
using Distributed.Protocol.V1;
using Distributed.Silo.Ranks;
using Grpc.Core;

namespace Distributed.Silo.Jobs;

/// <summary>The gRPC door: checks what comes in, asks the job's grain, words what goes out.</summary>
internal sealed partial class JobsService(IGrainFactory grains, JobPaths paths, IHostApplicationLifetime lifetime) : Protocol.V1.Jobs.JobsBase
{
    public const int LargestRequestBytes = 1 << 20;
    private const int EventsPerPage = 512;
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(10);

    public override async Task<SubmitReply> Submit(SubmitRequest request, ServerCallContext context)
    {
        var spec = SpecText.Parse(request.SpecJson);
        var id = request.Id.Length > 0 ? Valid(request.Id) : NewId(spec.Name);
        paths.Resolve(spec, id);
        var outcome = await grains.GetGrain<IJobGrain>(id).Submit(new JobSubmission(JobSpecJson.Write(spec), OptionsOf(request.Options)));
        return outcome.Result switch
        {
            SubmitResult.Created => new SubmitReply { Id = id, Created = true },
            SubmitResult.AlreadyThere => new SubmitReply { Id = id, Created = false },
            SubmitResult.IdTaken => throw Refuse(StatusCode.AlreadyExists, outcome.Message!),
            _ => throw Refuse(StatusCode.InvalidArgument, outcome.Message!),
        };
    }

    public override async Task<JobStatus> Get(GetRequest request, ServerCallContext context) =>
        StatusOf(await Job(request.Id).Status() ?? throw NoSuchJob(request.Id));

    public override async Task<ListReply> List(ListRequest request, ServerCallContext context)
    {
        var ids = await grains.GetGrain<IJobQueueGrain>(0).List();
        var reports = await Task.WhenAll(ids.Select(id => grains.GetGrain<IJobGrain>(id).Status()));
        return new ListReply { Jobs = { reports.OfType<JobReport>().Select(StatusOf) } };
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<JobEvent> responseStream, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var job = Job(request.Id);
        var next = request.From;
        while (true)
        {
            var page = await job.ReadEvents(next, EventsPerPage, LongPoll).WaitAsync(ended.Token) ?? throw NoSuchJob(request.Id);
            for (var i = 0; i < page.Events.Length; i++)
            {
                // Hints let a page leave in few packets; its last event flushes.
                responseStream.WriteOptions = i + 1 < page.Events.Length ? new WriteOptions(WriteFlags.BufferHint) : WriteOptions.Default;
                await responseStream.WriteAsync(new JobEvent { Number = page.Events[i].Number, Json = page.Events[i].Json }, ended.Token);
                next = page.Events[i].Number + 1;
            }

            if (page.Final) return;
        }
    }

    public override async Task<JobStatus> Stop(StopRequest request, ServerCallContext context) =>
        StatusOf(await Job(request.Id).Stop(request.Checkpoint) ?? throw NoSuchJob(request.Id));

    private IJobGrain Job(string id) => grains.GetGrain<IJobGrain>(Valid(id));

    private static Grains.Jobs.RunOptions OptionsOf(Protocol.V1.RunOptions? options) => options is null ? new() : new()
    {
        Ranks = options.Ranks,
        Resume = options.Resume,
        StopAt = options.StopAt,
        Silos = options.Silos,
    };

    private static JobStatus StatusOf(JobReport report) => new()
    {
        Id = report.Id,
        Name = report.Name,
        State = report.Phase switch
        {
            JobPhase.Queued => "queued",
            JobPhase.Running => "running",
            JobPhase.Completed => "completed",
            JobPhase.Stopped => "stopped",
            _ => "failed",
        },
        Step = report.Step,
        Steps = report.Steps,
        Generation = report.Generation,
        Message = report.Message,
    };

    private static string NewId(string name)
    {
        var slug = string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return $"{(slug.Length == 0 ? "job" : slug[..Math.Min(slug.Length, 40)])}-{Guid.NewGuid().ToString("N")[..8]}";
    }

    private static string Valid(string id) => IdPattern().IsMatch(id) ? id : throw Refuse(
        StatusCode.InvalidArgument, "The job id is no valid one: expected 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit.");

    private static RpcException NoSuchJob(string id) => Refuse(StatusCode.NotFound, $"There is no job {id}; 'dtrain list' shows those there are.");

    private static RpcException Refuse(StatusCode code, string message) => new(new Status(code, message));

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex IdPattern();
}
