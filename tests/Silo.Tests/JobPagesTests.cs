using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Distributed.Silo.Gateway;
using Grpc.Core;

namespace Distributed.Silo.Tests;

public sealed class JobPagesTests
{
    private static readonly ImmutableArray<JobId> Ids = [.. Enumerable.Range(0, 2345).Select(n => JobId.Parse($"job-{n}"))];

    [Fact]
    public async Task Read_NothingAsked_IsTheHundredNewest()
    {
        var page = await JobPages.Read(new ListRequest(), Ids, Status);
        Assert.Equal(Ids.Reverse().Take(100), page.Jobs.Select(job => JobId.Parse(job.Id)));
        Assert.NotEmpty(page.NextPageToken);
    }

    [Fact]
    public async Task Read_PageAfterPage_EachJobOnce() =>
        Assert.Equal(Ids.Reverse(), (await All(new ListRequest { PageSize = 77 }, Ids)).Select(job => JobId.Parse(job.Id)));

    [Fact]
    public async Task Read_Filters_MatchAndEndThoughPagesAreShort()
    {
        var few = await All(new ListRequest { User = "user-7", States = { "failed", "stopped" } }, Ids);
        Assert.Equal(Ids.Where((_, n) => n % 10 == 7 && n % 3 == 0).Reverse(), few.Select(job => JobId.Parse(job.Id)));
        Assert.Empty(await All(new ListRequest { User = "nobody" }, Ids));
    }

    [Fact]
    public async Task Read_LongNames_NoPageIsLargerThanClientsTake()
    {
        var asked = 0;
        ListRequest request = new() { PageSize = 500 };
        do
        {
            var page = await JobPages.Read(
                request, Ids, async id => await Status(id) is { } status ? new JobStatus(status) { Name = new string('n', 4096) } : null);
            Assert.InRange(page.CalculateSize(), 1, JobPages.MostBytes + 10_000);
            asked += page.Jobs.Count;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(Ids.Length, asked);
    }

    [Fact]
    public async Task Read_JobsComeAndGoBetweenPages_NoneIsHiddenOrDoubled()
    {
        var first = await JobPages.Read(new ListRequest { PageSize = 3 }, Ids[..10], Status);
        // The last one shown, two before it and one after it are deleted, and one comes.
        ImmutableArray<JobId> later =
            [.. Ids[..10].Where(id => id.ToString() is not ("job-7" or "job-2" or "job-3" or "job-8")), JobId.Parse("new")];
        var second = await JobPages.Read(new ListRequest { PageSize = 100, PageToken = first.NextPageToken }, later, Status);
        Assert.Equal(["job-9", "job-8", "job-7"], first.Jobs.Select(job => job.Id));
        Assert.Equal(["job-6", "job-5", "job-4", "job-1", "job-0"], second.Jobs.Select(job => job.Id));
        Assert.Empty(second.NextPageToken);
    }

    [Theory]
    [InlineData("state", "runing")]
    [InlineData("state", "a\u001b[2J")]
    [InlineData("token", "x")]
    [InlineData("token", "-1:job-2")]
    [InlineData("size", "-1")]
    public async Task Read_WrongRequest_IsRefusedByItsField(string field, string value)
    {
        ListRequest request = field switch
        {
            "state" => new() { States = { value } },
            "token" => new() { PageToken = value },
            _ => new() { PageSize = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) },
        };
        var refused = await Assert.ThrowsAsync<RpcException>(() => JobPages.Read(request, Ids, Status));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains(field, refused.Status.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', refused.Status.Detail);
    }

    private static async Task<List<JobStatus>> All(ListRequest request, ImmutableArray<JobId> ids)
    {
        List<JobStatus> all = [];
        do
        {
            var page = await JobPages.Read(request, ids, Status);
            all.AddRange(page.Jobs);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }

    private static Task<JobStatus?> Status(JobId id)
    {
        var number = id.ToString() == "new" ? 0 : int.Parse(id.ToString()[4..], System.Globalization.CultureInfo.InvariantCulture);
        return Task.FromResult<JobStatus?>(
            new JobStatus { Id = id.ToString(), State = number % 3 == 0 ? "failed" : "running", User = $"user-{number % 10}" });
    }
}
