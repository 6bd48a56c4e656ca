using System.Text;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Testing;

namespace Distributed.Core.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private static readonly string[] Written =
        [CheckpointFiles.Model, CheckpointFiles.Optimizer, CheckpointFiles.State, CheckpointFiles.Manifest];

    private readonly TemporaryDirectory directory = new();
    private readonly List<string> warnings = [];

    public void Dispose() => directory.Dispose();

    private CheckpointStore Store(int keep = 3) => new(directory.File("root"), keep);

    [Fact]
    public void Commit_ThenFindLatest_GivesTheSameFiles()
    {
        var written = Write(Store(), 100);
        var found = Store().FindLatest(warnings.Add)!;

        Assert.Empty(warnings);
        Assert.Equal((100, written.Path), (found.Step, found.Path));
        Assert.Equal("step-0000000100", Path.GetFileName(found.Path));
        Assert.Equal(Content(100, CheckpointFiles.Model), File.ReadAllText(found.ModelFile));
        Assert.Equal("step-0000000100\n", File.ReadAllText(Path.Combine(Store().Root, "latest")));
        Assert.True(CheckpointVerifier.Verify(found.Path).Ok);
        Assert.False(Store().IsEmpty);
    }

    [Fact]
    public void FindLatest_NothingWritten_IsNull()
    {
        Assert.True(Store().IsEmpty);
        Assert.Null(Store().FindLatest(warnings.Add));
        Assert.Empty(warnings);
    }

    [Fact]
    public void FindLatest_AnyByteOfAnyFileFlipped_FallsBackAndNamesTheFile()
    {
        Write(Store(), 1);
        var latest = Write(Store(), 2).Path;
        foreach (var name in Written)
        {
            var file = Path.Combine(latest, name);
            var whole = File.ReadAllBytes(file);
            for (var i = 0; i < whole.Length; i++)
            {
                var flipped = (byte[])whole.Clone();
                flipped[i] ^= (byte)(1 << (i % 8));
                File.WriteAllBytes(file, flipped);
                warnings.Clear();

                Assert.Equal(1, Store().FindLatest(warnings.Add)!.Step);
                Assert.Contains(file, Assert.Single(warnings), StringComparison.Ordinal);
            }

            File.WriteAllBytes(file, whole);
        }

        Assert.Equal(2, Store().FindLatest(warnings.Add)!.Step);
    }

    [Fact]
    public void FindLatest_AnyFileCutOrMissing_FallsBackAndNamesTheFile()
    {
        Write(Store(), 1);
        var latest = Write(Store(), 2).Path;
        foreach (var name in Written)
        {
            var file = Path.Combine(latest, name);
            var whole = File.ReadAllBytes(file);
            foreach (var length in new[] { whole.Length - 1, whole.Length / 2, 0, -1 })
            {
                if (length < 0) File.Delete(file);
                else File.WriteAllBytes(file, whole[..length]);
                warnings.Clear();

                Assert.Equal(1, Store().FindLatest(warnings.Add)!.Step);
                Assert.Contains(file, Assert.Single(warnings), StringComparison.Ordinal);
            }

            File.WriteAllBytes(file, whole);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("step-0000000009\n")]
    [InlineData("../../../etc\n")]
    [InlineData("step-2\n")]
    public void FindLatest_LatestMissingOrWrong_TakesTheHighestWholeStep(string? content)
    {
        Write(Store(), 1);
        Write(Store(), 2);
        var file = Path.Combine(Store().Root, "latest");
        File.Delete(file);
        if (content is not null) File.WriteAllText(file, content);

        Assert.Equal(2, Store().FindLatest(warnings.Add)!.Step);
        Assert.Equal(content is null ? 0 : 1, warnings.Count);
    }

    [Fact]
    public void FindLatest_LatestNamesALowerStep_IsObeyed()
    {
        Write(Store(), 1);
        Write(Store(), 2);
        File.WriteAllText(Path.Combine(Store().Root, "latest"), "step-0000000001\n");

        Assert.Equal(1, Store().FindLatest(warnings.Add)!.Step);
    }

    [Fact]
    public void FindLatest_DirectoryRenamedToAnotherStep_IsNotTrusted()
    {
        var path = Write(Store(), 1).Path;
        Directory.Move(path, Path.Combine(Store().Root, "step-0000000005"));
        File.Delete(Path.Combine(Store().Root, "latest"));

        Assert.Null(Store().FindLatest(warnings.Add));
        Assert.Contains("the directory's name says 5", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_HalfWrittenTemporary_IsNeverFoundAndIsRemoved()
    {
        Write(Store(), 1);
        var dead = Directory.CreateDirectory(Path.Combine(Store().Root, ".tmp-step-0000000002")).FullName;
        File.WriteAllText(Path.Combine(dead, CheckpointFiles.Model), "half");

        Assert.Equal([1], Store().Steps());
        Assert.Equal(1, Store().FindLatest(warnings.Add)!.Step);
        Write(Store(), 3);

        Assert.False(Directory.Exists(dead));
        Assert.Equal([1, 3], Store().Steps());
    }

    [Fact]
    public void Dispose_WithoutCommit_LeavesNothingBehind()
    {
        using (var writer = Store().Begin(7)) writer.WriteFile(CheckpointFiles.Model, s => s.Write("x"u8));

        Assert.True(Store().IsEmpty);
        Assert.Empty(Directory.GetDirectories(Store().Root));
    }

    [Fact]
    public void Begin_WhileAnotherWriterLives_IsRefusedAndHarmsNothing()
    {
        using var first = Store().Begin(1);
        first.WriteFile(CheckpointFiles.Model, s => s.Write("x"u8));

        var error = Assert.Throws<JobException>(() => Store().Begin(2));
        first.Commit();

        Assert.Equal(ErrorCodes.Storage, error.Code);
        Assert.Equal(1, Store().FindLatest(warnings.Add)!.Step);
    }

    [Fact]
    public void Commit_MoreThanKept_PrunesTheOldest()
    {
        foreach (var step in new[] { 10, 20, 30, 40, 50 }) Write(Store(keep: 2), step);

        Assert.Equal([40, 50], Store().Steps());
        Assert.Equal(50, Store().FindLatest(warnings.Add)!.Step);
    }

    [Fact]
    public void Commit_AfterResumingBeforeLaterSteps_KeepsItselfAndWhatItCameFrom()
    {
        foreach (var step in new[] { 10, 20, 30 }) Write(Store(keep: 3), step);
        Write(Store(keep: 2), 15);

        Assert.Equal([10, 15], Store().Steps());
        Assert.Equal(15, Store().FindLatest(warnings.Add)!.Step);
    }

    [Fact]
    public void Commit_StepThatExists_ReplacesIt()
    {
        Write(Store(), 1, "old");
        var path = Write(Store(), 1, "new").Path;

        Assert.Equal("new" + Content(1, CheckpointFiles.Model), File.ReadAllText(Path.Combine(path, CheckpointFiles.Model)));
        Assert.True(CheckpointVerifier.Verify(path).Ok);
        Assert.Equal([".lock", "latest", "step-0000000001"], Directory.GetFileSystemEntries(Store().Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Commit_WrongKindsOfThingsUnderItsNames_ReplacesThem()
    {
        Write(Store(), 1);
        File.WriteAllText(Store().PathOf(2), "a file");
        File.Delete(Path.Combine(Store().Root, "latest"));
        Directory.CreateDirectory(Path.Combine(Store().Root, "latest"));

        Write(Store(), 2);
        Assert.Equal(2, Store().FindLatest(warnings.Add)!.Step);
        Assert.Empty(warnings);
        Assert.Equal("step-0000000002\n", File.ReadAllText(Path.Combine(Store().Root, "latest")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Store().Root, ".tmp-*"));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/b")]
    [InlineData("manifest.json")]
    [InlineData("model.safetensors")]
    public void WriteFile_NameThatIsNoNewFile_IsRefused(string name)
    {
        using var writer = Store().Begin(1);
        writer.WriteFile(CheckpointFiles.Model, _ => { });

        Assert.Throws<ArgumentException>(() => writer.WriteFile(name, _ => { }));
    }

    [Fact]
    public void Begin_RootIsAFile_IsStorageError()
    {
        File.WriteAllText(directory.File("root"), "");

        Assert.Equal(ErrorCodes.Storage, Assert.Throws<JobException>(() => Store().Begin(1)).Code);
    }

    [Fact]
    public void WriteFile_DiskFails_IsStorageError()
    {
        using var writer = Store().Begin(1);

        var error = Assert.Throws<JobException>(
            () => writer.WriteFile(CheckpointFiles.Model, _ => throw new IOException("No space left on device")));

        Assert.Equal(ErrorCodes.Storage, error.Code);
        Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
    }

    private static Checkpoint Write(CheckpointStore store, long step, string prefix = "")
    {
        using var writer = store.Begin(step);
        foreach (var name in Written[..^1]) writer.WriteFile(name, s => s.Write(Encoding.UTF8.GetBytes(prefix + Content(step, name))));
        return writer.Commit();
    }

    private static string Content(long step, string name) => $"{name} of step {step}";
}
