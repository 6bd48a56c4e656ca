using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;

namespace Distributed.Core.Tests.Checkpoints;

/// <summary>Generations of one job whose processes overlap: a frozen one must neither block the next nor publish.</summary>
public sealed class NamedWriterTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("writers-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static void Fill(CheckpointWriter writer, byte value) => writer.WriteFile("state.json", stream => stream.WriteByte(value));

    [Fact]
    public void Begin_WhileAnOlderGenerationHangs_DoesNotWaitForIt()
    {
        using var frozen = new CheckpointStore(root, writer: "g1").Begin(5);
        Fill(frozen, 1);
        using (var next = new CheckpointStore(root, writer: "g2").Begin(5))
        {
            Fill(next, 2);
            next.Commit();
        }

        Assert.Throws<JobException>(() => frozen.Commit(() => throw new JobException(ErrorCodes.SiloLost, "generation 1 is over")));
        Assert.Equal([2], File.ReadAllBytes(Path.Combine(root, CheckpointName.Of(5), "state.json")));
        Assert.Equal([5], new CheckpointStore(root).Steps());
    }

    [Fact]
    public void Begin_LeftoversOfDeadWriters_AreClearedAway()
    {
        using (var dead = new CheckpointStore(root, writer: "g1").Begin(5)) Fill(dead, 1);
        Directory.CreateDirectory(Path.Combine(root, ".tmp-g1.step-5"));
        using (new CheckpointStore(root, writer: "g2").Begin(6))
        {
            Assert.DoesNotContain(
                Directory.EnumerateFileSystemEntries(root), path => Path.GetFileName(path).StartsWith(".tmp-g1", StringComparison.Ordinal));
        }

        Assert.True(new CheckpointStore(root).IsEmpty);
    }
}
