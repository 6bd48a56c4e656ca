using System.Collections.Immutable;
using System.Globalization;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Silo.Gateway;

/// <summary>
/// Deals out the list of jobs in pages, the newest first; no page is larger than a client takes, however many jobs there are and
/// however long their names.
/// </summary>
internal static class JobPages
{
    public const int DefaultSize = 100;
    public const int MostSize = 500;

    /// <summary>Jobs that are asked where they stand for one page; where few of them match, the page is short.</summary>
    public const int MostAsked = 1000;

    /// <summary>Far below what clients take, 4 MiB.</summary>
    public const int MostBytes = 1 << 20;

    private const int AskedAtOnce = 100;

    public static IReadOnlyList<string> States { get; } = ["queued", "running", "completed", "stopped", "failed", "unknown"];

    /// <param name="ids">All jobs, the oldest first.</param>
    /// <param name="ask">Where a job stands; null: it is gone.</param>
    /// <exception cref="RpcException">Something in the request is wrong.</exception>
    public static async Task<ListReply> Read(ListRequest request, ImmutableArray<JobId> ids, Func<JobId, Task<JobStatus?>> ask)
    {
        Check(request);
        ListReply reply = new();
        var wanted = request.PageSize == 0 ? DefaultSize : Math.Min(request.PageSize, MostSize);
        var next = Begin(request.PageToken, ids);
        var (asked, bytes) = (0, 0);
        while (next > 0 && asked < MostAsked)
        {
            var count = Math.Min(next, Math.Min(AskedAtOnce, wanted - reply.Jobs.Count));
            var statuses = await Task.WhenAll(Enumerable.Range(1, count).Select(back => ask(ids[next - back])));
            asked += count;
            foreach (var status in statuses)
            {
                if (status is not null && Matches(request, status))
                {
                    var size = status.CalculateSize();
                    if (reply.Jobs.Count > 0 && bytes + size > MostBytes) return Continued(reply, next, ids);
                    bytes += size;
                    reply.Jobs.Add(status);
                }

                next--;
            }

            if (reply.Jobs.Count == wanted) break;
        }

        return Continued(reply, next, ids);
    }

    private static void Check(ListRequest request)
    {
        if (request.PageSize < 0)
            throw Refusal.Of(StatusCode.InvalidArgument, $"page_size: found {request.PageSize}, expected 0 (the server's choice) or more.");
        if (request.States.FirstOrDefault(state => !States.Contains(state)) is { } unknown)
            throw Refusal.Of(
                StatusCode.InvalidArgument,
                $"state: found '{Core.Values.PlainText.Show(unknown)}', expected one of {string.Join(", ", States)}.");
    }

    private static bool Matches(ListRequest request, JobStatus status) =>
        (request.States.Count == 0 || request.States.Contains(status.State)) && (request.User.Length == 0 || request.User == status.User);

    /// <summary>
    /// The token names the place and the job before it, so that jobs that are added or deleted meanwhile neither hide nor double others.
    /// </summary>
    private static ListReply Continued(ListReply reply, int next, ImmutableArray<JobId> ids)
    {
        if (next > 0) reply.NextPageToken = string.Create(CultureInfo.InvariantCulture, $"{next}:{ids[next - 1]}");
        return reply;
    }

    /// <returns>How many jobs are still to be looked at.</returns>
    private static int Begin(string token, ImmutableArray<JobId> ids)
    {
        if (token.Length == 0) return ids.Length;
        if (token.Split(':', 2) is not [var place, var text] || !JobId.TryParse(text, out var id)
            || !int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var next) || next < 1)
            throw Refusal.Of(
                StatusCode.InvalidArgument, "page_token: found no token of this call, expected the next_page_token of the page before.");
        // Only jobs before it can have gone, so it can have moved to the front alone.
        return ids.LastIndexOf(id, Math.Min(next, ids.Length) - 1) is >= 0 and var at ? at + 1 : Math.Min(next - 1, ids.Length);
    }
}
