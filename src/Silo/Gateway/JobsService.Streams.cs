using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Grpc.Core;

namespace Distributed.Silo.Gateway;

internal sealed partial class JobsService
{
    /// <summary>Sends lines as they come, until the last of a job that has ended.</summary>
    private async Task Follow<T>(
        string key, JobId id, PageRead read, long from, IServerStreamWriter<T> to, Func<NumberedEvent, T> form, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        if (await grains.GetJob(id).Status() is null) throw NoSuchJob(id);
        // Before the first line, which may be long in coming: the client knows that it is served.
        await context.WriteResponseHeadersAsync([]);
        using var reader = relay.Follow(key, read);
        var next = Math.Max(0, from);
        while (true)
        {
            var page = await reader.Read(next, ended.Token) ?? throw NoSuchJob(id);
            next = await Send(page, next, to, form, ended.Token);
            if (page.Final) return;
        }
    }

    /// <summary>Sends the lines that there are.</summary>
    private static async Task Copy<T>(
        JobId id, PageRead read, long from, IServerStreamWriter<T> to, Func<NumberedEvent, T> form, ServerCallContext context)
    {
        var next = Math.Max(0, from);
        while (true)
        {
            var page = await read(next, EventRelay.PageSize, TimeSpan.Zero).WaitAsync(context.CancellationToken) ?? throw NoSuchJob(id);
            next = await Send(page, next, to, form, context.CancellationToken);
            if (page.Final || page.Events.Length == 0) return;
        }
    }

    /// <returns>Number of the next line wanted.</returns>
    private static async Task<long> Send<T>(
        EventPage page, long next, IServerStreamWriter<T> to, Func<NumberedEvent, T> form, CancellationToken cancel)
    {
        for (var i = 0; i < page.Events.Length; i++)
        {
            // Hints let a page leave in few packets; its last line flushes.
            to.WriteOptions = i + 1 < page.Events.Length ? new WriteOptions(WriteFlags.BufferHint) : WriteOptions.Default;
            await to.WriteAsync(form(page.Events[i]), cancel);
            next = page.Events[i].Number + 1;
        }

        return next;
    }
}
