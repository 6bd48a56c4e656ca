using System.CommandLine;
using System.CommandLine.Invocation;
using Distributed.Client.Commands;
using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;

namespace Distributed.Client;

internal static class Program
{
    /// <summary>Libraries, pipes and connections of the verb that has most.</summary>
    private const int LeastOpenFiles = 128;

    public static async Task<int> Main(string[] args)
    {
        Interruption.HearInBackground();
        Console.SetError(new TalkWriter(Console.Error));
        if (OpenFiles.Refuse("dtrain", LeastOpenFiles) is not { } refusal) return await RunAsync(args, Console.Out, Console.Error);
        await Console.Error.WriteLineAsync($"dtrain: {refusal}");
        return ExitCode.Failed;
    }

    private static RootCommand CreateRoot()
    {
        RootCommand root = new(
            "Trains deep-learning models on the ranks of one machine or of a cluster; the same weights whatever the number of ranks.")
        {
            TrainCommand.Create(),
            PlanCommand.Create(),
            SubmitCommand.Create(),
            ListCommand.Create(),
            StatusCommand.Create(),
            WatchCommand.Create(),
            LogsCommand.Create(),
            StopCommand.Create(),
            ResumeCommand.Create(),
            ScaleCommand.Create(),
            DeleteCommand.Create(),
            WhyCommand.Create(),
            ClusterCommand.Create(),
            DrainCommand.Create(),
            UsersCommand.Create(),
            CheckpointCommand.Create(),
            ScaleTraceCommand.Create(),
            BenchCommand.Create(),
            DoctorCommand.Create(),
            CertsCommand.Create(),
        };
        ExampleHelp.AddTo(root);
        return root;
    }

    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parse = CreateRoot().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var misused = parse.Action is ParseErrorAction;
        if (parse.Action is ParseErrorAction usage) usage.ShowHelp = args.Length == 0;
        InvocationConfiguration console = new()
        {
            // What the library adds to a misuse, such as the nearest word or the help, is talk.
            Output = misused ? error : output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            var code = await parse.InvokeAsync(console);
            return misused ? ExitCode.Usage : code;
        }
        catch (CommandFailure failure)
        {
            await error.WriteLineAsync($"dtrain: {failure.Message}");
            return failure.ExitCode;
        }
        catch (JobException failure)
        {
            await error.WriteLineAsync($"dtrain: [{failure.Code}] {failure.Message}");
            return ExitCode.Of(failure.Code);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync("dtrain: the system refused to read or write a file or this command's output: "
                + $"{refused.Message.TrimEnd('.')}. Check rights and free space.");
            return ExitCode.Failed;
        }
        // The process edge: whatever was not foreseen still ends in one message and a code.
        catch (Exception unforeseen)
        {
            await error.WriteLineAsync($"dtrain: unexpected error: {unforeseen}");
            return ExitCode.Failed;
        }
    }
}
