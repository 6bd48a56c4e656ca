using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Spec;
using Distributed.Silo.Folders;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests;

public sealed class JobPathsTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("job-paths-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private JobPaths Cluster() => new(Settings() with { DataRoot = Directory.CreateDirectory(Path.Combine(root, "data")).FullName });

    private ServeSettings Settings() => new() { Token = new string('t', 16), JobsRoot = Path.Combine(root, "jobs") };

    private static JobSpec Spec(string data, string? checkpoints = null) => Specs.Job() with
    {
        Data = DataSpec.Of(new Cifar10Options(), data),
        Checkpoint = new CheckpointSpec { Path = checkpoints },
    };

    [Fact]
    public void Resolve_OwnSilo_TakesAbsolutePathsAsTheyAre()
    {
        var (spec, checkpoints) = new JobPaths(Settings()).Resolve(Spec("/any/where", "/some/where"), JobId.Parse("toy"));
        Assert.Equal(("/any/where", "/some/where"), (spec.Data.Path, checkpoints));
    }

    [Fact]
    public void Resolve_OwnSilo_RefusesRelativePaths() => Assert.Equal(
        "data.path: found the relative path 'data', expected an absolute one.",
        Assert.Throws<JobException>(() => new JobPaths(Settings()).Resolve(Spec("data"), JobId.Parse("toy"))).Message);

    [Fact]
    public void Resolve_Cluster_PlacesDataUnderTheRootAndCheckpointsUnderTheJob()
    {
        var (spec, checkpoints) = Cluster().Resolve(Spec("cifar/bin", "mine"), JobId.Parse("toy"));
        Assert.Equal(Path.Combine(root, "data/cifar/bin"), spec.Data.Path);
        Assert.Equal(Path.Combine(root, "jobs/toy/mine"), checkpoints);
        Assert.Equal(Path.Combine(root, "jobs/toy/checkpoints"), Cluster().Resolve(Spec("x"), JobId.Parse("toy")).CheckpointDirectory);
    }

    [Theory]
    [InlineData("/etc/passwd", "absolute")]
    [InlineData("../jobs", "'..'")]
    [InlineData("a/../../b", "'..'")]
    [InlineData("~/x", "does not know the home folder that ~ stands for; expected a path relative to the operator's root")]
    [InlineData("~", "does not know the home folder")]
    public void Resolve_Cluster_RefusesPathsThatLeaveTheRoot(string path, string named)
    {
        Assert.Contains(
            named, Assert.Throws<JobException>(() => Cluster().Resolve(Spec(path), JobId.Parse("toy"))).Message, StringComparison.Ordinal);
        Assert.Contains(
            named, Assert.Throws<JobException>(() => Cluster().Resolve(Spec("x", path), JobId.Parse("toy"))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("out")]
    [InlineData("out/file")]
    [InlineData("again/file")]
    [InlineData("through/file")]
    [InlineData("loop/file")]
    public void Resolve_Cluster_RefusesLinksThatLeaveTheRoot(string path)
    {
        var paths = Cluster();
        var outside = Directory.CreateDirectory(Path.Combine(root, "outside")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(root, "data/out"), outside);
        Directory.CreateSymbolicLink(Path.Combine(root, "data/again"), Path.Combine(root, "data/out"));
        Directory.CreateSymbolicLink(Path.Combine(root, "data/through"), "out/../elsewhere");
        Directory.CreateSymbolicLink(Path.Combine(root, "data/loop"), "loop");
        Assert.Matches(
            "^data\\.path: .* through (a link|more than 40 links)",
            Assert.Throws<JobException>(() => paths.Resolve(Spec(path), JobId.Parse("toy"))).Message);
    }

    [Fact]
    public void Resolve_Cluster_LinkTurnedAfterwards_IsNotReadThrough()
    {
        using (var paths = Cluster())
        {
            Directory.CreateDirectory(Path.Combine(root, "outside"));
            File.WriteAllText(Path.Combine(root, "outside/file"), "secret");
            File.WriteAllText(Path.Combine(root, "data/file"), "text");
            var link = Path.Combine(root, "data/link");
            File.CreateSymbolicLink(link, "file");
            var path = paths.Resolve(Spec("link"), JobId.Parse("toy")).Spec.Data.Path!;
            Assert.Equal("text"u8.ToArray(), RegularFile.ReadAllBytes(path));
            File.Delete(link);
            File.CreateSymbolicLink(link, "../outside/file");
            Assert.Throws<IOException>(() => RegularFile.ReadAllBytes(path));
        }

        // A client's own silo reads what its user may read.
        using JobPaths own = new(Settings());
        Assert.Equal("secret"u8.ToArray(), RegularFile.ReadAllBytes(Path.Combine(root, "data/link")));
    }

    [Fact]
    public void Resolve_Cluster_FollowsLinksThatStay()
    {
        var paths = Cluster();
        var real = Directory.CreateDirectory(Path.Combine(root, "data/real")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(root, "data/alias"), real);
        Assert.Equal(Path.Combine(root, "data/alias/x"), paths.Resolve(Spec("alias/x"), JobId.Parse("toy")).Spec.Data.Path);
    }
}
