using System.Text;
using Distributed.Core.Jobs;
using Distributed.Silo.Cluster.Files;
using Distributed.Testing;

namespace Distributed.Silo.Tests.Cluster;

public sealed class StateFilesTests : IDisposable
{
    private static readonly byte[] One = Encoding.UTF8.GetBytes("{\"one\":1}");
    private static readonly byte[] Two = Encoding.UTF8.GetBytes("{\"two\":2}");

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("dtrain-state-");

    /// <summary>Each is as a process of its own: the system's locks know them apart.</summary>
    private StateFiles Open() => new(root.FullName, TimeProvider.System);

    public void Dispose() => root.Delete(recursive: true);

    private string[] Files(string pattern) => Directory.GetFiles(root.FullName, pattern, SearchOption.AllDirectories);

    [Fact]
    public void Write_FromTwoProcesses_KnowsTheOthersRecord()
    {
        var (a, b) = (Open(), Open());
        var first = a.Write("job", "x", null, One).ETag;
        Assert.Equal((null, first), b.Write("job", "x", null, Two));
        var second = b.Write("job", "x", first, Two).ETag;
        Assert.Equal((null, second), a.Write("job", "x", first, One));
        Assert.Equal((second, "{\"two\":2}"), (a.Read("job", "x")!.ETag, Encoding.UTF8.GetString(a.Read("job", "x")!.Content.Span)));
        Assert.Empty(Files("*.tmp"));
    }

    [Fact]
    public void Read_BesideWhatAKilledWriterLeft_IsTheLastWholeRecord()
    {
        var files = Open();
        var etag = files.Write("job", "x", null, One).ETag;
        var path = Assert.Single(Files("x"));
        File.WriteAllText($"{path}.0123.tmp", "dtrain-state 1 0123 torn");
        Assert.Equal(etag, files.Read("job", "x")!.ETag);
        Assert.NotNull(files.Write("job", "x", etag, Two).ETag);
    }

    [Fact]
    public void Read_Damaged_NamesTheFile()
    {
        var files = Open();
        files.Write("job", "x", null, One);
        var path = Assert.Single(Files("x"));
        foreach (var damage in new[] { "", "dtrain-state 1", File.ReadAllText(path)[..^1], File.ReadAllText(path) + " " })
        {
            File.WriteAllText(path, damage);
            var error = Assert.Throws<JobException>(() => files.Read("job", "x"));
            Assert.Equal(ErrorCodes.Storage, error.Code);
            Assert.Contains($"{path} is damaged", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Write_WhileAnotherProcessHoldsTheLock_WaitsForIt()
    {
        var files = Open();
        var etag = files.Write("job", "x", null, One).ETag;
        var held = new FileStream(Assert.Single(Files("x.lock")), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        var writing = Task.Run(() => files.Write("job", "x", etag, Two));
        await Assert.ThrowsAsync<TimeoutException>(() => writing.WaitAsync(TimeSpan.FromMilliseconds(100)));
        Assert.Equal(etag, files.Read("job", "x")!.ETag);
        await held.DisposeAsync();
        Assert.NotNull((await writing).ETag);
    }

    [Fact]
    public void Write_NoPlace_NamesThePathAndLosesNothing()
    {
        var files = new StateFiles("/dev/null/state", TimeProvider.System);
        var error = Assert.Throws<JobException>(() => files.Write("job", "x", null, One));
        Assert.Equal(ErrorCodes.Storage, error.Code);
        Assert.Contains("/dev/null/state/job/x", error.Message, StringComparison.Ordinal);
        Assert.Contains("free space", error.Message, StringComparison.Ordinal);
    }

    [SmallDiskFact]
    public void Write_DiskFull_NamesThePlaceAndKeepsTheOldRecord()
    {
        using var disk = SmallDisk.TryMount(Path.Combine(root.FullName, "disk"), 64)!;
        var files = new StateFiles(disk.Path, TimeProvider.System);
        var etag = files.Write("job", "x", null, One).ETag;
        var error = Assert.Throws<JobException>(() => files.Write("job", "x", etag, new byte[1 << 20]));
        Assert.Equal(ErrorCodes.Storage, error.Code);
        Assert.Contains($"The disk is full at {Path.Combine(disk.Path, "job")},", error.Message, StringComparison.Ordinal);
        Assert.Equal(etag, files.Read("job", "x")!.ETag);
        Assert.NotNull(files.Write("job", "x", etag, Two).ETag);
    }

    [Fact]
    public void Prepare_RemovesWhatIsOldAndTemporary()
    {
        var files = Open();
        var etag = files.Write("job", "x", null, One).ETag;
        var (old, young) = ($"{Assert.Single(Files("x"))}.1.tmp", $"{Assert.Single(Files("x"))}.2.tmp");
        foreach (var left in new[] { old, young }) File.WriteAllText(left, "torn");
        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2));
        files.Prepare();
        Assert.Equal([young], Files("*.tmp"));
        Assert.Equal(etag, files.Read("job", "x")!.ETag);
        var error = Assert.Throws<JobException>(new StateFiles("/dev/null/state", TimeProvider.System).Prepare);
        Assert.Contains("/dev/null/state", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Remove_KnowsTheOthersRecord()
    {
        var files = Open();
        var etag = files.Write("job", "x", null, One).ETag;
        Assert.Equal(etag, files.Remove("job", "x", "another"));
        Assert.NotNull(files.Read("job", "x"));
        Assert.Equal(etag, files.Remove("job", "x", etag));
        Assert.Null(files.Read("job", "x"));
        Assert.Null(files.Remove("job", "x", etag));
        Assert.Null(files.Remove("other", "y", null));
    }

    [Theory]
    [InlineData("job/nightly-1_a", "job%2fnightly-1_a")]
    [InlineData("..", "%2e%2e")]
    [InlineData("A", "%41")]
    [InlineData("ä", "%c3%a4")]
    public void Name_OfAnyKey_IsPlain(string key, string name) => Assert.Equal(name, StateFileName.Of(key));

    [Fact]
    public void Name_OfLongKeys_IsShortAndStillTheirOwn()
    {
        var (one, other) = (StateFileName.Of(new string('A', 300)), StateFileName.Of(new string('A', 301)));
        Assert.NotEqual(one, other);
        Assert.InRange(one.Length, 1, 200);
    }
}
