using System.CommandLine;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Client.Rendering.Plots;
using Distributed.Client.Silo;

namespace Distributed.Client.Commands;

internal static class BenchCommand
{
    public static Command Create()
    {
        Argument<string> name = new("NAME") { Description = "What to measure." };
        name.AcceptOnlyFromAmong("step", "matmul", "memory", "allreduce", "scaling", "latency", "idle");
        var json = JobArguments.Json("One JSON object per line: the rows as they are measured, then the summary.");
        Option<string?> plot = new("--plot") { HelpName = "FILE.png", Description = "Draw the result; its folder must exist." };
        Verb verb = new(
            "bench",
            "Measures this machine in silo processes of its own and prints a table with ratios. Options for the bench itself: "
            + "--rounds N; --only NAME for all but matmul, latency and idle; --sizes 4KiB,25MiB for allreduce; "
            + "--bandwidth 1Gbit,25Gbit for scaling; --quick for all but step: small cases, one round, no other programs. allreduce and "
            + "scaling compare with the PyTorch of the Python that DTRAIN_PYTHON names. latency, idle and memory end with "
            + "exit code 1 when a bound is missed.",
            "dtrain bench step",
            "dtrain bench matmul --json",
            "dtrain bench memory --only simple-cnn",
            "dtrain bench allreduce --only \"2 silos\" --sizes 4KiB,25MiB",
            "dtrain bench scaling --only simple-cnn --plot scaling.png",
            "dtrain bench latency",
            "dtrain bench idle")
        {
            name, json, plot,
        };
        verb.TreatUnmatchedTokensAsErrors = false;
        verb.SetAction(parse =>
        {
            var bench = parse.GetRequiredValue(name);
            var picture = parse.GetValue(plot) is { } path ? BenchPlot.Open(bench, HomeFolder.Expand(path, "--plot")) : null;
            return RunAsync(
                [bench, .. parse.UnmatchedTokens], parse.GetValue(json), picture, parse.InvocationConfiguration.Output,
                parse.InvocationConfiguration.Error);
        });
        return verb;
    }

    private static async Task<int> RunAsync(string[] arguments, bool json, BenchPlot? picture, TextWriter output, TextWriter error)
    {
        BenchView view = new(output, error);
        var code = await SiloTool.RunAsync(SiloLocator.FindBench(), arguments, Accept, error, TimeProvider.System);
        if (code is > 2 and not (ExitCode.Interrupted or ExitCode.ReaderGone))
            throw new CommandFailure(ExitCode.Failed, $"The bench ended with {ExitWords.Describe(code)}.");
        if (code == 0 && !json && !view.HasSummary)
            throw new CommandFailure(ExitCode.Failed, "The bench ended without its summary. Client and benches must be from one build.");
        if (code == 0) picture?.Save(error);
        return code;

        void Accept(string line)
        {
            picture?.Accept(line);
            if (json) output.WriteLine(line);
            else view.Accept(line);
        }
    }
}
