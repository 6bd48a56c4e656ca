using System.CommandLine;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Client.Users;
using Distributed.Core.Users;
using Distributed.Core.Values;

namespace Distributed.Client.Commands;

internal static class UsersListCommand
{
    public static Command Create()
    {
        Argument<string> file = new("FILE") { Description = "The file of users." };
        var json = JobArguments.Json("One JSON array.");
        Verb verb = new("list", "Shows the users of a file with their roles and quotas.", "dtrain users list users.json") { file, json };
        verb.SetAction(parse =>
        {
            var users = UserBook.Read(HomeFolder.Expand(parse.GetRequiredValue(file), "FILE"));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) output.WriteLine(PlainJson.Write(users.Select(Fields)));
            else
                TextTable.Write(output, ["NAME", "ROLE", "RANKS", "JOBS", "QUEUED", "RUN", "DISK", "MAX PRIORITY"], [.. users.Select(Row)]);
            return ExitCode.Done;
        });
        return verb;
    }

    private static object Fields(UserEntry user) => new
    {
        name = user.Name,
        role = user.Role.Word(),
        ranks = user.Ranks,
        jobs = user.Jobs,
        queued = user.Queued ?? UserEntry.DefaultQueued,
        run = user.Run is { } run ? DurationText.Write(run) : null,
        disk = user.Disk,
        maxPriority = user.MaxPriority,
    };

    private static string[] Row(UserEntry user) =>
        [user.Name, user.Role.Word(), Bound(user.Ranks), Bound(user.Jobs), ProgressCells.Text($"{user.Queued ?? UserEntry.DefaultQueued}"),
        user.Run is { } run ? DurationText.Write(run) : "-",
        user.Disk is { } disk ? MemorySize.Text(disk) : "-",
        user.Role == UserRole.Admin ? "any" : ProgressCells.Text($"{user.MaxPriority}")];

    private static string Bound(int? bound) => bound is { } most ? ProgressCells.Text($"{most}") : "-";
}
