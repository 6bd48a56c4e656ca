using System.Text.Json;
using Distributed.Core.LossScaling;
using Distributed.Core.Spec;
using Distributed.Testing;

namespace Distributed.Core.Tests.LossScaling;

/// <summary>The published cases of each peer; a peer's columns are scale, tracker and, where it has one, hysteresis.</summary>
public sealed class ConformanceTests
{
    [SharedDataFact]
    public void EveryVector_RunByItsPolicy_GivesItsTrace()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkout.Shared!, "conformance", "loss-scale.json")));
        var vectors = file.RootElement.GetProperty("vectors").EnumerateArray().ToList();
        Assert.NotEmpty(vectors);
        Assert.All(vectors, Check);
    }

    private static void Check(JsonElement vector)
    {
        var policy = LossScalePolicies.Create(Settings(vector.GetProperty("peer").GetString()!, vector.GetProperty("params")));
        var expected = vector.GetProperty("trace").EnumerateArray().Select(row => row.EnumerateArray().Select(x => x.GetDouble()).ToArray())
            .ToList();
        var found = vector.GetProperty("found_inf").EnumerateArray().Select(x => x.GetDouble());
        // DeepSpeed's fused optimizer clamps where the ZeRO scaler raises; up to there they are one.
        var clamped = vector.GetProperty("peer").GetString() == "DeepSpeed fused";
        var trace = new List<ScaleTraceStep>();
        void Run()
        {
            foreach (var step in ScaleTrace.Run(policy, found)) trace.Add(step);
        }

        if (clamped)
        {
            Assert.Throws<LossScaleException>(Run);
            Assert.Equal(1, trace[^1].Scale);
            expected = expected[..trace.Count];
        }
        else
        {
            Run();
        }

        Assert.Equal(expected.Select(row => (row[0], (int)row[1])), trace.Select(step => ((double)step.Scale, step.GrowthTracker)));
        if (expected[0].Length > 2) Assert.Equal(expected.Select(row => (int)row[2]), trace.Select(step => step.After.Hysteresis));
    }

    private static LossScaleSpec Settings(string peer, JsonElement given)
    {
        double? Get(string key) => given.TryGetProperty(key, out var value) ? value.GetDouble() : null;
        var name = peer.Split(' ')[0] switch
        {
            "torch.amp" or "Keras" => LossScalePolicies.Torch,
            "DeepSpeed" => LossScalePolicies.DeepSpeed,
            "Megatron" => LossScalePolicies.Megatron,
            _ => throw new InvalidOperationException($"Unknown peer {peer}."),
        };
        var defaults = LossScalePolicies.Defaults(name);
        return defaults with
        {
            Init = Get("init") ?? defaults.Init,
            Growth = Get("growth") ?? defaults.Growth,
            Backoff = Get("backoff") ?? defaults.Backoff,
            Interval = (int)(Get("interval") ?? Get("window") ?? Get("growth_steps") ?? defaults.Interval),
            Min = Get("min") ?? defaults.Min,
            Max = Get("max") ?? defaults.Max,
            // The fused and unfused optimizers of DeepSpeed ignore hysteresis.
            Hysteresis = (int)(Get("hysteresis") ?? (name == LossScalePolicies.DeepSpeed ? 1 : defaults.Hysteresis)),
        };
    }
}
