using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Data whose content is wrong: exit code 1 and one message that names the file, what was found and what was expected.</summary>
public sealed class BadDataTests : IDisposable
{
    private const int RecordBytes = 3073;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private async Task FailsAsync(string job, params string[] words)
    {
        var run = await DtrainProcess.RunAsync(
            "train", directory.Write("job.yaml", job), "--ranks", "2", "--json", "--out", directory.File("run"));
        run.Exits(1).SaysOneFailure().Says(["[data-invalid]", .. words]);
        Assert.Equal("failed", run.Events[^1].GetProperty("event").GetString());
        Assert.Equal("data-invalid", run.Events[^1].GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Cifar10_Truncated_IsNamed()
    {
        WriteCifar10(records => records[..^1]);
        await FailsAsync(
            Jobs.Cifar10.Replace("DATA", "cifar", StringComparison.Ordinal), "cifar/data_batch_1.bin", $"{(20 * RecordBytes) - 1} bytes",
            "multiple of 3073", "cut short?");
    }

    [Fact]
    public async Task Cifar10_WrongLabel_IsNamedWithItsRecord()
    {
        WriteCifar10(records =>
        {
            records[11 * RecordBytes] = 255;
            return records;
        });
        await FailsAsync(
            Jobs.Cifar10.Replace("DATA", "cifar", StringComparison.Ordinal), "cifar/data_batch_1.bin", "record 11",
            "label 255, expected 0 to 9");
    }

    [Fact]
    public async Task Tensors_Truncated_IsNamed()
    {
        var path = WriteTensors(label: 3);
        using (var file = File.OpenWrite(path)) file.SetLength(file.Length - 8);
        await FailsAsync(Jobs.Tensors.Replace("DATA", path, StringComparison.Ordinal), path, "cut short?");
    }

    [Fact]
    public async Task Tensors_WrongLabel_IsNamedWithItsSample()
    {
        var path = WriteTensors(label: 4);
        await FailsAsync(Jobs.Tensors.Replace("DATA", path, StringComparison.Ordinal), path, "y, sample 15", "4, expected 0 to 3");
    }

    private void WriteCifar10(Func<byte[], byte[]> spoil)
    {
        var records = Enumerable.Range(0, 20 * RecordBytes).Select(i => (byte)(i % RecordBytes == 0 ? i / RecordBytes % 10 : i % 251))
            .ToArray();
        Directory.CreateDirectory(directory.File("cifar"));
        File.WriteAllBytes(directory.File("cifar", "test_batch.bin"), records);
        File.WriteAllBytes(directory.File("cifar", "data_batch_1.bin"), spoil(records));
    }

    /// <param name="label">Of the last sample; the model has four classes.</param>
    private string WriteTensors(long label)
    {
        const int samples = 16, width = 6;
        var x = Enumerable.Range(0, samples * width).Select(i => (i % 7) - 3f).ToArray();
        var y = Enumerable.Range(0, samples).Select(i => i == samples - 1 ? label : i % 4).ToArray();
        var path = directory.File("data.safetensors");
        using var stream = File.Create(path);
        SafetensorsWriter.Write(
            stream, [new("x", TensorDtype.F32, new([samples, width])), new("y", TensorDtype.I64, new([samples]))], null,
            (i, target) => target.Write(i == 0 ? MemoryMarshal.AsBytes(x.AsSpan()) : MemoryMarshal.AsBytes(y.AsSpan())));
        return path;
    }
}
