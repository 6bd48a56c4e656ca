using System.Globalization;
using Distributed.Core;
using Distributed.Training.Benchmarks;
using Distributed.Training.Native;

namespace Distributed.Silo.Bench;

/// <summary><c>dtrain-silo bench NAME</c>: measures in this process and prints JSON lines, a row each, then the summary.</summary>
internal static class BenchCommand
{
    public static async Task<int> Run(IReadOnlyList<string> arguments)
    {
        try
        {
            var options = BenchOptions.Parse(arguments);
            NativeRuntime.Initialize();
            switch (options.Name)
            {
                case "step":
                    await using (var trainer = await BenchTrainer.Start())
                        BenchJson.Write(await new StepBench(trainer.Train, UntunedProcess.PlainStep).Run(options.Rounds, options.Only, row => BenchJson.Write(StepBench.Columns, row)));
                    return 0;
                case UntunedProcess.Verb:
                    Console.WriteLine((await StepBench.Plain(options.Only!, options.Precision!)).ToString("R", CultureInfo.InvariantCulture));
                    return 0;
                case "matmul":
                    BenchJson.Write(MatmulBench.Run(options.Rounds, row => BenchJson.Write(MatmulBench.Columns, row)));
                    return 0;
                default:
                    return Refuse($"bench {options.Name} is not in this release; expected step or matmul.", 2);
            }
        }
        catch (FormatException e)
        {
            return Refuse(e.Message, 2);
        }
        catch (JobException e)
        {
            return Refuse(e.Message, 1);
        }
    }

    private static int Refuse(string message, int code)
    {
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"dtrain-silo: {message}"));
        return code;
    }
}
