using Distributed.Protocol.V1;

namespace Distributed.Client.Cluster;

/// <summary>The jobs of a cluster, page by page.</summary>
internal static class JobListing
{
    private const int PageSize = 500;

    /// <param name="request">Which jobs; size and token of the page are filled in.</param>
    /// <param name="limit">Null: all.</param>
    /// <returns>The newest jobs, the oldest of them first, and whether there are more.</returns>
    public static async Task<(IReadOnlyList<JobStatus> Jobs, bool More)> ReadAsync(
        Jobs.JobsClient jobs, ListRequest request, int? limit, TimeProvider time)
    {
        List<JobStatus> newest = [];
        var token = "";
        do
        {
            var size = limit is { } most ? Math.Min(PageSize, most - newest.Count) : PageSize;
            var page = await jobs.ListAsync(
                new ListRequest(request) { PageSize = size, PageToken = token }, JobsConnection.Within(time, CancellationToken.None));
            newest.AddRange(page.Jobs.Take(limit is { } bound ? bound - newest.Count : page.Jobs.Count));
            token = page.NextPageToken;
        }
        while (token.Length > 0 && (limit is null || newest.Count < limit));
        newest.Reverse();
        return (newest, token.Length > 0);
    }
}
