namespace Distributed.Client.Tests;

public sealed class ProgramTests
{
    [Fact]
    public async Task Run_OutputCannotBeWritten_Exits1WithOneLine()
    {
        using FullDisk output = new();
        using StringWriter error = new();
        var code = await Program.RunAsync(["scale-trace", "--found-inf", "0"], output, error);
        Assert.Equal(1, code);
        Assert.Equal(
            "dtrain: the system refused to read or write a file or this command's output: No space left on device. "
            + "Check rights and free space.\n",
            error.ToString());
    }

    private sealed class FullDisk : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("No space left on device");
    }
}
