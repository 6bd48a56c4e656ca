using System.CommandLine;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Silo;
using Distributed.Client.Users;
using Distributed.Core.Users;
using Distributed.Core.Values;

namespace Distributed.Client.Commands;

internal sealed class UsersAddCommand
{
    private readonly Argument<string> file = new("FILE") { Description = "The file of users; created when it does not exist." };
    private readonly Argument<string> name = new("NAME") { Description = "The user's name: letters, digits, '.', '_', '-' or '@'." };
    private readonly Option<string> role =
        new("--role") { HelpName = "R", Description = "view: read; submit: change own jobs; admin: change all jobs.", Required = true };
    private readonly Option<int?> ranks = NumberOption.Whole(
        "--ranks", "N", "Ranks that the user's running jobs may have in all. Default: no limit.", least: 1, most: 1_000_000);
    private readonly Option<int?> jobs = NumberOption.Whole(
        "--jobs", "N", "Jobs of the user that may run at once. Default: no limit.", least: 1, most: 1_000_000);
    private readonly Option<int?> queued = NumberOption.Whole(
        "--queued", "N",
        $"Jobs of the user that may wait in the queue; a submission beyond is refused. Default: {UserEntry.DefaultQueued}.", least: 1,
        most: 1_000_000);
    private readonly Option<string?> run = new("--run")
    {
        HelpName = "T",
        Description = "How long the ranks of one of the user's jobs may run, such as 8h. Default: the cluster's own limit.",
    };
    private readonly Option<string?> disk = new("--disk")
    {
        HelpName = "SIZE",
        Description = "What the user's jobs may take on the cluster's disk together, such as 50GiB. Default: the cluster's own limit.",
    };
    private readonly Option<int?> maxPriority = NumberOption.Whole(
        "--max-priority", "N", "Largest priority of the user's jobs. Default: 0.", UserEntry.LeastPriority, UserEntry.MostPriority);

    public static Command Create() => new UsersAddCommand().Build();

    private Verb Build()
    {
        role.AcceptOnlyFromAmong([.. UserRoles.Words]);
        run.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && DurationText.Parse(token.Value) is null)
                result.AddError($"--run: found '{PlainText.Show(token.Value)}', expected {DurationText.Expected}");
        });
        disk.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && MemorySize.Parse(token.Value) is null)
                result.AddError($"--disk: found '{PlainText.Show(token.Value)}', expected {MemorySize.Expected}");
        });
        Verb verb = new(
            "add",
            "Adds a user with a fresh random token and prints the token, this once: the file keeps only its SHA-256.",
            "dtrain users add users.json ann --role submit --ranks 4 --jobs 2 --run 8h --disk 50GiB --max-priority 10 > ann.token")
        {
            file, name, role, ranks, jobs, queued, run, disk, maxPriority,
        };
        verb.SetAction(parse => Run(parse, parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error));
        return verb;
    }

    private int Run(ParseResult parse, TextWriter output, TextWriter error)
    {
        var token = SecretToken.Create();
        UserEntry user = new(
            parse.GetRequiredValue(name), UserRoles.Parse(parse.GetRequiredValue(role))!.Value, AccessToken.DigestHex(token))
        {
            Ranks = parse.GetValue(ranks),
            Jobs = parse.GetValue(jobs),
            Queued = parse.GetValue(queued),
            Run = parse.GetValue(run) is { } longest ? DurationText.Parse(longest) : null,
            Disk = parse.GetValue(disk) is { } most ? MemorySize.Parse(most) : null,
            MaxPriority = parse.GetValue(maxPriority) ?? 0,
        };
        var path = HomeFolder.Expand(parse.GetRequiredValue(file), "FILE");
        UserBook.Add(path, user);
        output.WriteLine(token);
        error.WriteLine($"User {user.Name} with the role {user.Role.Word()} is in {path}. The token is printed this once; "
            + "give it to the user in a file that others cannot read.");
        return ExitCode.Done;
    }
}
