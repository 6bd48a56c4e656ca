using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>
/// Two users at the same few ids at once: what both are told is what one of the two orders gives, held against a model of who may do what.
/// </summary>
public sealed class CommandPairsTests(OneSilo silo) : IClassFixture<OneSilo>
{
    private const int Pairs = 500;
    private const string Nobody = "";
    private static readonly string[] Calls = ["Submit", "Submit", "Stop", "Resume", "Scale", "Delete", "Delete", "Get", "Why"];
    private static readonly (string Name, string Token)[] Users = [("ann", OneSilo.Ann), ("bob", OneSilo.Bob), ("admin", OneSilo.Admin)];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AnyTwoCommandsAtOnce_AnswerAsInOneOfTheTwoOrders(int seed)
    {
        Random random = new(seed);
        string[] ids = [$"pair-{seed}-0", $"pair-{seed}-1"];
        var clients = Users.Select(user => (user.Name, Client: silo.Client(user.Token))).ToArray();
        // Of each id: who may own it, as far as the answers tell.
        var owners = ids.ToDictionary(id => id, _ => new HashSet<string> { Nobody });
        for (var pair = 0; pair < Pairs; pair++)
        {
            var id = ids[random.Next(ids.Length)];
            var commands = Enumerable.Range(0, 2).Select(_ => (User: clients[random.Next(clients.Length)],
                Call: Calls[random.Next(Calls.Length)], Steps: random.Next(2) == 0 ? 1 : 1_000_000L)).ToArray();
            var answers = await Task.WhenAll(commands.Select(c => Task.Run(() => Ask(c.User.Client, c.Call, id, c.Steps))));
            var (first, second) = ((commands[0].User.Name, commands[0].Call, answers[0].StatusCode),
                (commands[1].User.Name, commands[1].Call, answers[1].StatusCode));
            HashSet<string> after = [.. owners[id].SelectMany(o => After(o, first)).SelectMany(o => After(o, second)),
                .. owners[id].SelectMany(o => After(o, second)).SelectMany(o => After(o, first))];
            Assert.True(
                after.Count > 0,
                $"Pair {pair} on {id} of {string.Join("|", owners[id])}: {first} {answers[0].Detail}, {second} {answers[1].Detail}: "
                + "neither order gives both.");
            owners[id] = after;
        }

        // The slots are free again for the next.
        foreach (var id in ids) await Ask(clients[2].Client, "Stop", id, 0);
        foreach (var (_, client) in clients) client.Dispose();
    }

    /// <summary>Whose the job is after a command, as its answer tells.</summary>
    /// <returns>Empty: a job of this owner cannot give this answer.</returns>
    private static string[] After(string owner, (string User, string Call, StatusCode Answer) command)
    {
        var (user, call, answer) = command;
        var mayChange = owner == user || user == "admin";
        string[] same = [owner];
        return (call, answer) switch
        {
            // A machine that is too busy: whether it was done nobody knows.
            (_, StatusCode.Unavailable) => [owner, user, Nobody],
            ("Submit", StatusCode.OK) => owner == Nobody || owner == user ? [user] : [],
            ("Submit", StatusCode.AlreadyExists) => owner != Nobody ? same : [],
            ("Get" or "Why", StatusCode.OK) => owner != Nobody ? same : [],
            (_, StatusCode.NotFound) when call != "Submit" => owner == Nobody ? same : [],
            ("Stop" or "Resume" or "Scale" or "Delete", StatusCode.PermissionDenied) => owner != Nobody && !mayChange ? same : [],
            ("Resume" or "Scale" or "Delete", StatusCode.FailedPrecondition) => owner != Nobody && mayChange ? same : [],
            ("Stop" or "Resume" or "Scale", StatusCode.OK) => owner != Nobody && mayChange ? same : [],
            ("Delete", StatusCode.OK) => owner != Nobody && mayChange ? [Nobody] : [],
            _ => [],
        };
    }

    private static Task<Status> Ask(GatewayClient client, string call, string id, long steps) => OneSilo.StatusOf(call switch
    {
        "Submit" => () => client.Ask<SubmitReply>(call, RightsTests.Submission(id, steps: steps)),
        "Stop" => () => client.Ask<JobStatus>(call, new StopRequest { Id = id }),
        "Resume" => () => client.Ask<JobStatus>(call, new ResumeRequest { Id = id }),
        "Scale" => () => client.Ask<JobStatus>(call, new ScaleRequest { Id = id, Workers = 1 + (int)(steps % 2) }),
        "Delete" => () => client.Ask<DeleteReply>(call, new DeleteRequest { Id = id }),
        "Get" => () => client.Ask<JobStatus>(call, new GetRequest { Id = id }),
        _ => () => client.Ask<WhyReply>(call, new WhyRequest { Id = id }),
    });
}
