using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Distributed.Client.Commands;

/// <summary>The library's help with the verb's examples below it.</summary>
internal sealed class ExampleHelp(SynchronousCommandLineAction standard) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public static void AddTo(RootCommand root)
    {
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            if (help.Action is SynchronousCommandLineAction standard) help.Action = new ExampleHelp(standard);
        }
    }

    public override int Invoke(ParseResult parseResult)
    {
        var code = standard.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not Verb { Examples.Count: > 0 } verb) return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in verb.Examples) output.WriteLine($"  {example}");
        output.WriteLine();
        if (verb.ExitCodes is { } codes) output.WriteLine($"Exit codes:\n  {codes}\n");
        return code;
    }
}
