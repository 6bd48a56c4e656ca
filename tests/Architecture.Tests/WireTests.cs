using System.Text.RegularExpressions;

namespace Distributed.Architecture.Tests;

/// <summary>Field numbers are forever: a client of today must understand a silo of tomorrow.</summary>
public sealed partial class WireTests
{
    /// <summary>May grow; what stands here never changes and never goes.</summary>
    private static readonly string[] Pinned =
    [
        "SubmitRequest: string id = 1",
        "SubmitRequest: string spec_json = 2",
        "SubmitRequest: RunOptions options = 3",
        "RunOptions: int32 ranks = 1",
        "RunOptions: bool resume = 2",
        "RunOptions: int64 stop_at = 3",
        "RunOptions: int32 silos = 4",
        "RunOptions: int32 priority = 5",
        "SubmitReply: string id = 1",
        "SubmitReply: bool created = 2",
        "GetRequest: string id = 1",
        "ListRequest: int32 page_size = 1",
        "ListRequest: string page_token = 2",
        "ListRequest: repeated string states = 3",
        "ListRequest: string user = 4",
        "ListReply: repeated JobStatus jobs = 1",
        "ListReply: string next_page_token = 2",
        "JobStatus: string id = 1",
        "JobStatus: string name = 2",
        "JobStatus: string state = 3",
        "JobStatus: int64 step = 4",
        "JobStatus: int64 steps = 5",
        "JobStatus: int32 generation = 6",
        "JobStatus: string message = 7",
        "JobStatus: string user = 8",
        "JobStatus: int32 priority = 9",
        "JobStatus: int32 ranks = 10",
        "JobStatus: repeated string silos = 11",
        "JobStatus: int64 events = 20",
        "JobStatus: int64 log_lines = 21",
        "WatchRequest: string id = 1",
        "WatchRequest: int64 from = 2",
        "JobEvent: int64 number = 1",
        "JobEvent: string json = 2",
        "StopRequest: string id = 1",
        "StopRequest: bool checkpoint = 2",
        "LogsRequest: string id = 1",
        "LogsRequest: int64 from = 2",
        "LogsRequest: bool follow = 3",
        "LogLine: int64 number = 1",
        "LogLine: string text = 2",
        "ResumeRequest: string id = 1",
        "ScaleRequest: string id = 1",
        "ScaleRequest: int32 workers = 2",
        "DeleteRequest: string id = 1",
        "WhyRequest: string id = 1",
        "WhyReply: JobStatus job = 1",
        "WhyReply: repeated Finding findings = 2",
        "Finding: string what = 1",
        "Finding: string remedy = 2",
        "DrainRequest: string silo = 1",
        "DrainRequest: bool undo = 2",
        "ClusterReply: repeated SiloStatus silos = 1",
        "ClusterReply: int32 waiting = 2",
        "ClusterReply: int32 running = 3",
        "SiloStatus: string name = 1",
        "SiloStatus: string state = 2",
        "SiloStatus: int32 slots = 3",
        "SiloStatus: string job = 4",
        "SiloStatus: string fault = 5",
        "SiloStatus: string fingerprint = 6",
    ];

    private static readonly string[] PinnedCalls =
    [
        "Submit(SubmitRequest) returns (SubmitReply)",
        "Get(GetRequest) returns (JobStatus)",
        "List(ListRequest) returns (ListReply)",
        "Watch(WatchRequest) returns (stream JobEvent)",
        "Stop(StopRequest) returns (JobStatus)",
        "Logs(LogsRequest) returns (stream LogLine)",
        "Resume(ResumeRequest) returns (JobStatus)",
        "Scale(ScaleRequest) returns (JobStatus)",
        "Delete(DeleteRequest) returns (DeleteReply)",
        "Why(WhyRequest) returns (WhyReply)",
        "Cluster(ClusterRequest) returns (ClusterReply)",
        "Drain(DrainRequest) returns (ClusterReply)",
    ];

    private static readonly string Proto = Comment()
        .Replace(File.ReadAllText(Path.Combine(Checkout.Root, "protos", "dtrain", "v1", "dtrain.proto")), "");

    [Fact]
    public void Fields_KeepNameTypeAndNumber()
    {
        var fields = Message().Matches(Proto).SelectMany(
            message => Field().Matches(message.Groups["body"].Value)
                .Select(field => $"{message.Groups["name"].Value}: {field.Value.Trim()}")).ToList();
        Assert.Equal(Pinned, fields);
    }

    [Fact]
    public void Calls_KeepTheirShape()
    {
        Assert.Contains("package dtrain.v1;", Proto, StringComparison.Ordinal);
        Assert.Equal(PinnedCalls, Call().Matches(Proto).Select(call => call.Groups["call"].Value));
    }

    [GeneratedRegex("//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"message (?<name>\w+) \{(?<body>[^}]*)\}")]
    private static partial Regex Message();

    [GeneratedRegex(@"[\w. ]+ = \d+(?=;)")]
    private static partial Regex Field();

    [GeneratedRegex(@"rpc (?<call>[^;]+);")]
    private static partial Regex Call();
}
