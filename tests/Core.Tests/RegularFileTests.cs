using System.Diagnostics;
using Distributed.Core.Checkpoints;
using Distributed.Core.Tests.Checkpoints;

namespace Distributed.Core.Tests;

public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Demand_PipeOrDevice_IsRefused()
    {
        var pipe = directory.File("pipe");
        Process.Start("mkfifo", [pipe]).WaitForExit();
        Assert.Throws<IOException>(() => RegularFile.Demand(pipe));
        var link = directory.File("link");
        File.CreateSymbolicLink(link, pipe);
        Assert.Throws<IOException>(() => RegularFile.Demand(link));
        Assert.Throws<IOException>(() => RegularFile.Demand("/dev/zero"));
        // Without the question this waits for a writer.
        var error = Assert.Throws<JobException>(() => SafetensorsFile.Open(pipe));
        Assert.Equal($"{pipe}: cannot be read (it is a pipe, a socket or a device, not a file).", error.Message);
    }

    [Fact]
    public void Demand_Folder_IsCalledOne()
    {
        Assert.Throws<IOException>(() => RegularFile.Demand(directory.Path));
        var error = Assert.Throws<JobException>(() => SafetensorsFile.Open(directory.Path));
        Assert.Equal($"{directory.Path}: cannot be read (it is a folder, expected a file).", error.Message);
    }

    [Fact]
    public void Demand_AnythingElse_IsLeftToWhoOpensIt()
    {
        var file = directory.File("fäil");
        File.WriteAllText(file, "");
        File.CreateSymbolicLink(directory.File("link"), file);
        RegularFile.Demand(file);
        RegularFile.Demand(directory.File("link"));
        RegularFile.Demand(directory.File("nothing"));
    }
}
