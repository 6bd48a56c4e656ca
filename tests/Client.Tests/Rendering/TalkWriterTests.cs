using Distributed.Client.Rendering;

namespace Distributed.Client.Tests.Rendering;

public sealed class TalkWriterTests
{
    [Fact]
    public async Task Write_NobodyCanHear_GoesOn()
    {
        await using FileStream full = new("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        StreamWriter stderr = new(full) { AutoFlush = true };
        Assert.Throws<IOException>(() => stderr.WriteLine("heard"));

        await using TalkWriter talk = new(stderr);
        await talk.WriteLineAsync("not heard");
        talk.Write("nor this");
        talk.Write('!');
        await talk.FlushAsync();
    }

    [Fact]
    public void Write_SomebodyHears_IsPassedOnAsItCame()
    {
        using StringWriter stderr = new();
        using TalkWriter talk = new(stderr);
        talk.Write("a {0} ", 1);
        talk.WriteLine("b");
        Assert.Equal("a 1 b\n", stderr.ToString());
    }
}
