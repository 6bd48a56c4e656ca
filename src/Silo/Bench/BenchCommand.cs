namespace Distributed.Silo.Bench;

internal static class BenchCommand
{
    public static int Run(IReadOnlyList<string> arguments)
    {
        Console.Error.WriteLine($"dtrain-silo: 'bench {string.Join(' ', arguments)}' is not in this build.");
        return 2;
    }
}
