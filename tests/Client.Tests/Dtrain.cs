namespace Distributed.Client.Tests;

/// <summary>The command line in this process, with its output caught.</summary>
internal static class Dtrain
{
    public static async Task<(int Code, string Output, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        var code = await Program.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
