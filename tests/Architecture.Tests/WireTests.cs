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
        "SubmitReply: string id = 1",
        "SubmitReply: bool created = 2",
        "GetRequest: string id = 1",
        "ListReply: repeated JobStatus jobs = 1",
        "JobStatus: string id = 1",
        "JobStatus: string name = 2",
        "JobStatus: string state = 3",
        "JobStatus: int64 step = 4",
        "JobStatus: int64 steps = 5",
        "JobStatus: int32 generation = 6",
        "JobStatus: string message = 7",
        "WatchRequest: string id = 1",
        "WatchRequest: int64 from = 2",
        "JobEvent: int64 number = 1",
        "JobEvent: string json = 2",
        "StopRequest: string id = 1",
        "StopRequest: bool checkpoint = 2",
    ];

    private static readonly string[] PinnedCalls =
    [
        "Submit(SubmitRequest) returns (SubmitReply)",
        "Get(GetRequest) returns (JobStatus)",
        "List(ListRequest) returns (ListReply)",
        "Watch(WatchRequest) returns (stream JobEvent)",
        "Stop(StopRequest) returns (JobStatus)",
    ];

    private static readonly string Proto = Comment().Replace(File.ReadAllText(Path.Combine(Checkout.Root, "protos", "dtrain", "v1", "dtrain.proto")), "");

    [Fact]
    public void Fields_KeepNameTypeAndNumber()
    {
        var fields = Message().Matches(Proto).SelectMany(
            message => Field().Matches(message.Groups["body"].Value).Select(field => $"{message.Groups["name"].Value}: {field.Value.Trim()}")).ToList();
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
