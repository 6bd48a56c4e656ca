using System.Diagnostics;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Tests.Checkpoints;
using Distributed.Testing;

namespace Distributed.Core.Tests;

public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Open_PipeOrDevice_IsRefused()
    {
        var pipe = directory.File("pipe");
        Process.Start("mkfifo", [pipe]).WaitForExit();
        var link = directory.File("link");
        File.CreateSymbolicLink(link, pipe);
        // Opening it for reading would wait for a writer.
        foreach (var path in (string[])[pipe, link, "/dev/zero"])
            Assert.Equal(
                "it is a pipe, a socket or a device, not a file", Assert.Throws<IOException>(() => RegularFile.Open(path)).Message);
        var error = Assert.Throws<JobException>(() => SafetensorsFile.Open(pipe));
        Assert.Equal($"{pipe}: cannot be read (it is a pipe, a socket or a device, not a file).", error.Message);
    }

    [Fact]
    public void Open_Folder_IsCalledOne()
    {
        Assert.Throws<IOException>(() => RegularFile.Open(directory.Path));
        var error = Assert.Throws<JobException>(() => SafetensorsFile.Open(directory.Path));
        Assert.Equal($"{directory.Path}: cannot be read (it is a folder, expected a file).", error.Message);
    }

    [Fact]
    public void Open_FilesAndLinks_AreRead()
    {
        var file = directory.File("fäil");
        File.WriteAllText(file, "content");
        File.CreateSymbolicLink(directory.File("link"), file);
        Assert.Equal("content"u8.ToArray(), RegularFile.ReadAllBytes(file));
        Assert.Equal("content"u8.ToArray(), RegularFile.ReadAllBytes(directory.File("link")));
    }

    [Fact]
    public void Open_Nothing_IsSaidInTheWordsOfTheSystem()
    {
        Assert.Throws<FileNotFoundException>(() => RegularFile.Open(directory.File("nothing")));
        Assert.Throws<DirectoryNotFoundException>(() => RegularFile.Open(directory.File("no/thing")));
        File.CreateSymbolicLink(directory.File("loop"), "loop");
        Assert.Throws<IOException>(() => RegularFile.Open(directory.File("loop")));
        Assert.ThrowsAny<IOException>(() => RegularFolder.Names(directory.File("nothing")));
    }
}
