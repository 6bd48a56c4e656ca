using System.CommandLine;
using Distributed.Client.Rendering;
using Distributed.Client.Silo;

namespace Distributed.Client.Commands;

internal static class BenchCommand
{
    public static Command Create()
    {
        Argument<string> name = new("NAME") { Description = "What to measure." };
        name.AcceptOnlyFromAmong("step", "matmul", "memory", "allreduce", "scaling");
        var json = JobArguments.Json("One JSON object a line: the rows as they are measured, then the summary.");
        Option<string?> plot = new("--plot") { HelpName = "FILE.png", Description = "Draw the result; not in this release." };
        Verb verb = new(
            "bench",
            "Measures this machine in a silo process of its own and prints a table with ratios. Options it does not know go to the bench itself.",
            "dtrain bench step",
            "dtrain bench matmul --json")
        {
            name, json, plot,
        };
        verb.TreatUnmatchedTokensAsErrors = false;
        verb.SetAction(parse =>
        {
            if (parse.GetValue(plot) is not null) throw new CommandFailure(ExitCode.Usage, "--plot is not in this release. Take the rows from --json.");
            string[] arguments = ["bench", parse.GetRequiredValue(name), .. parse.UnmatchedTokens];
            return RunAsync(arguments, parse.GetValue(json), parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
        });
        return verb;
    }

    private static async Task<int> RunAsync(string[] arguments, bool json, TextWriter output, TextWriter error)
    {
        BenchView view = new(output, error);
        var code = await SiloTool.RunAsync(SiloLocator.Find(), arguments, json ? output.WriteLine : view.Accept, error, TimeProvider.System);
        if (code is > 2 and not ExitCode.Interrupted) throw new CommandFailure(ExitCode.Failed, $"The bench ended with {ProcessEnd.Describe(code)}.");
        if (code == 0 && !json && !view.HasSummary) throw new CommandFailure(ExitCode.Failed, "The bench ended without its summary. Client and silo must be of one build.");
        return code;
    }
}
