using System.Globalization;
using Distributed.Bench.AllReduce;
using Distributed.Bench.Cluster;
using Distributed.Bench.Figures;
using Distributed.Bench.Idle;
using Distributed.Bench.Latency;
using Distributed.Bench.Matmul;
using Distributed.Bench.Memory;
using Distributed.Bench.Scaling;
using Distributed.Bench.Settings;
using Distributed.Bench.Step;
using Distributed.Core.Jobs;
using Distributed.Training.Native;

namespace Distributed.Bench.Command;

/// <summary><c>dtrain-bench NAME</c>: measures in this process and prints JSON lines, a row each, then the summary.</summary>
internal static class BenchRunner
{
    /// <param name="gone">The client has gone: whatever was started ends.</param>
    public static async Task<int> Run(IReadOnlyList<string> arguments, CancellationToken gone)
    {
        var started = CpuTimes.Now();
        try
        {
            var options = BenchOptions.Parse(arguments);
            NativeRuntime.Initialize();
            switch (options.Name)
            {
                case "step":
                    await using (var trainer = await BenchTrainer.Start())
                        Write(await new StepBench(trainer.Train, BenchProcess.PlainStep)
                            .Run(options.Rounds, options.Only, row => BenchJson.Write(StepBench.Columns, row)));
                    return 0;
                case BenchOptions.PlainStepVerb:
                    Console.WriteLine(
                        (await StepBench.Plain(options.Only!, options.Precision!)).ToString("R", CultureInfo.InvariantCulture));
                    return 0;
                case "memory":
                    var memory = new MemoryBench(BenchProcess.Memory);
                    var peaks = await memory.Run(
                        options.Rounds, options.Only, options.Quick, row => BenchJson.Write(MemoryBench.Columns, row));
                    return Judge(options.Quick, (peaks, memory.Missed));
                case BenchOptions.MemoryVerb:
                    await using (var trainer = await BenchTrainer.Start())
                        Console.WriteLine((await MemoryBench.Measure(
                            new MemoryRun(options.Only!, options.Precision!, options.Ranks, options.MicroBatches),
                            trainer.Train)).ToString(CultureInfo.InvariantCulture));
                    return 0;
                case "matmul":
                    Write(MatmulBench.Run(options.Rounds, options.Quick, row => BenchJson.Write(MatmulBench.Columns, row)));
                    return 0;
                case "allreduce":
                    Write(await AllReduceCommand.Run(options, row => BenchJson.Write(AllReduceBench.Columns, row), gone));
                    return 0;
                case "scaling":
                    Write(await ScalingCommand.Run(options, row => BenchJson.Write(ScalingBench.Columns, row), gone));
                    return 0;
                case "latency":
                    return Judge(options.Quick, await LatencyCommand.Run(options, row => BenchJson.Write(LatencyBench.Columns, row), gone));
                case "idle":
                    return Judge(options.Quick, await IdleCommand.Run(options, row => BenchJson.Write(IdleBench.Columns, row), gone));
                default:
                    return Refuse(
                        $"bench {options.Name} is unknown; expected step, matmul, memory, allreduce, scaling, latency or idle.", 2);
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
        catch (Exception e) when (e is Orleans.Runtime.OrleansException or TimeoutException)
        {
            return Refuse($"The bench's silos do not answer: {e.Message}", 1);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            return 1;
        }

        void Write(BenchSummary summary) => BenchJson.Write(summary with { Notes = [.. summary.Notes, CpuTimes.Now().Note(started)] });

        // A quick run has too few figures for bounds.
        int Judge(bool quick, (BenchSummary Summary, IReadOnlyList<string> Missed) run)
        {
            Write(run.Summary);
            return quick || run.Missed.Count == 0 ? 0 : Refuse($"{string.Join("; ", run.Missed)}.", 1);
        }
    }

    private static int Refuse(string message, int code)
    {
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"dtrain-bench: {message}"));
        return code;
    }
}
