using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>A disk that fills up while checkpoints are written.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [SmallDiskFact]
    public async Task Checkpoint_DiskFull_FailsNamingThePlaceAndLosesNothingWritten()
    {
        // One checkpoint of this job takes 390 KiB: the first finds room, the second does not.
        var job = directory.Write("job.yaml", Jobs.Endless + "\ncheckpoint: { everySteps: 5, keep: 10 }");
        using (var disk = SmallDisk.TryMount(directory.File("disk"), 600)!)
        {
            var checkpoints = Path.Combine(disk.Path, "checkpoints");
            string[] place = ["--ranks", "2", "--json", "--set", $"checkpoint.path={checkpoints}"];
            var full = (await DtrainProcess.RunAsync(["train", job, "--out", directory.File("run"), .. place])).Exits(1).SaysOneFailure()
                .Says(checkpoints, "storage");
            Assert.Equal("storage", full.Events[^1].GetProperty("error").GetProperty("code").GetString());

            var verified = (await DtrainProcess.RunAsync("checkpoint", "verify", checkpoints)).Exits(0);
            Assert.Matches("step-0000000005 ", verified.Output);
            Assert.DoesNotContain("step-0000000010", verified.Output, StringComparison.Ordinal);

            // With one checkpoint kept and the half-written one gone, the job ends where an undisturbed one does.
            string[] shorter = ["--json", "--set", "steps=7", "--set", "checkpoint.everySteps=100"];
            var straight = (await DtrainProcess.RunAsync(["train", job, "--out", directory.File("straight"), .. shorter])).Exits(0);
            var elsewhere = directory.Copy(checkpoints, "copied");
            var resumed = (await DtrainProcess.RunAsync(["train", job, "--resume", "--out", directory.File("resumed"), "--set",
                $"checkpoint.path={elsewhere}", .. shorter])).Exits(0);
            Assert.Equal(straight.Hash, resumed.Hash);
        }
    }
}
