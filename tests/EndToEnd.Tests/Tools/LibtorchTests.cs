using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.EndToEnd.Tests.Train;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>The libtorch that <c>DTRAIN_LIBTORCH</c> names: used where it can be, refused with words where not.</summary>
public sealed partial class LibtorchTests : IDisposable
{
    private const string Variable = "DTRAIN_LIBTORCH", Core = "libtorch_cpu.so";
    private readonly TemporaryDirectory directory = new();

    /// <summary>The folder of the built silo's own libtorch, behind its links.</summary>
    private static readonly string Stock =
        Path.GetDirectoryName(File.ResolveLinkTarget(
            Path.Combine(Path.GetDirectoryName(BuiltProgram.Silo)!, "libtorch", Core), returnFinalTarget: true)!.FullName)!;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Doctor_EmptyFolder_NamesWhatIsMissing()
    {
        var folder = Directory.CreateDirectory(directory.File("empty")).FullName;
        await RefusesAsync(folder, folder, Core);
    }

    [Fact]
    public async Task Doctor_CutLibrary_NamesFileAndLengths()
    {
        var file = CopyCore("cut");
        using (var cut = File.OpenWrite(file)) cut.SetLength(cut.Length / 2);
        await RefusesAsync(directory.File("cut"), file, "is cut short");
    }

    [Fact]
    public async Task Doctor_LibraryWithoutNeededFunctions_NamesThem()
    {
        // Called by training through TorchSharp's bridge, and by its own entry point.
        string[] symbols = ["_ZN2at4_ops10add_Tensor4callERKNS_6TensorES4_RKN3c106ScalarE", "torch_call_dispatcher"];
        Rename(CopyCore("lacks"), symbols);
        await RefusesAsync(directory.File("lacks"), ["2 of ", .. symbols, "2.10.0"]);
    }

    [Fact]
    public async Task Doctor_LibraryWithoutAnUnusedFunction_WarnsAndTrains()
    {
        const string symbol = "_ZN2at4_ops5relu64callERKNS_6TensorE";
        Rename(CopyCore("lacks"), symbol);
        var doctor = await RunAsync(directory.File("lacks"), "doctor");
        Assert.Equal(0, doctor.Code);
        Assert.Matches($@"(?m)^symbols +warning +1 of \d+ .*{symbol}", doctor.Output);
        Assert.Equal(0, (await TrainAsync(directory.File("lacks"))).Code);
    }

    /// <summary>
    /// Held to the loader's own account of what it bound, the list of functions without which training cannot run is whole.
    /// </summary>
    [Theory]
    [InlineData(
        "simple-cnn, dropout: 0.1", "sgd, lr: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0.1", "mixed_float16",
        "{ name: shapes, samples: 100 }")]
    [InlineData(
        "transformer, vocab: 256, width: 16, heads: 2, layers: 1, sequence: 16", "adam, lr: 0.01", "mixed_bfloat16",
        "{ name: text, path: text.txt }")]
    [InlineData(
        "sentiment-lstm, vocab: 50, embedding: 8, hidden: 8", "adamw, lr: 0.01", "mixed_bfloat16",
        "{ name: imdb, path: reviews, length: 8 }")]
    public async Task Used_ListNamesWhatTrainingBinds(string model, string optimizer, string precision, string data)
    {
        directory.Write("text.txt", string.Concat(Enumerable.Repeat("to be or not to be, ", 60)));
        foreach (var place in (string[])["train/pos", "train/neg", "test/pos", "test/neg"])
        {
            Directory.CreateDirectory(directory.File("reviews", place));
            for (var i = 0; i < 8; i++) directory.Write($"reviews/{place}/{i}_9.txt", "a film like any other");
        }
        var job = directory.Write("job.yaml", $$"""
            name: used
            model: { name: {{model}} }
            data: {{data}}
            precision: {{precision}}
            globalBatch: 8
            microBatch: 4
            steps: 2
            clipNorm: 1
            optimizer: { name: {{optimizer}} }
            """);
        var start = BuiltProgram.Start(BuiltProgram.Dtrain, ["train", job, "--out", directory.File("run")], directory.Path);
        start.Environment["LD_DEBUG"] = "bindings";
        start.Environment["LD_DEBUG_OUTPUT"] = directory.File("bound");
        Assert.Equal(0, (await EndAsync(start)).Code);
        var bound = Directory.EnumerateFiles(directory.Path, "bound.*").SelectMany(File.ReadLines)
            // Threads write side by side: a line may hold the next one's start.
            .SelectMany(line => BindingPattern().Matches(line))
            .Where(match => !match.Groups[1].Value.StartsWith("THS", StringComparison.Ordinal))
            .Select(match => match.Groups[1].Value).Where(symbol => symbol.StartsWith("_ZN2at4_ops", StringComparison.Ordinal)).Distinct()
            .ToList();
        Assert.NotEmpty(bound);
        var list = await File.ReadAllLinesAsync(Path.Combine(Checkout.Root, "src", "Training", "Native", "used-symbols.txt"));
        Assert.True(
            bound.TrueForAll(list.Contains), $"Add to src/Training/Native/used-symbols.txt:\n{string.Join('\n', bound.Except(list))}");
    }

    /// <summary>
    /// As for anybody with a bare GPU machine: packed, unpacked elsewhere, an empty environment, libtorch from a folder of its own.
    /// </summary>
    [Fact]
    public async Task Pack_RunElsewhere_GivesTheCheckoutsBits()
    {
        var archive = directory.File("dtrain-gpu.tar.xz");
        var packed = await ScriptAsync("pack.sh", null, "--no-build", "--level", "0", "--jobs", "mlp*", "--output", archive);
        Assert.True(packed.Code == 0, packed.ToString());
        Assert.InRange(new FileInfo(archive).Length, 1 << 24, 56 << 20);
        Directory.CreateDirectory(directory.File("torch", "lib"));
        foreach (var file in Directory.EnumerateFiles(Stock)) File.Copy(file, directory.File("torch", "lib", Path.GetFileName(file)));

        var run = await ScriptAsync(
            "run.sh", [], "--archive", archive, "--libtorch", directory.File("torch"), "--out", directory.File("results"),
            "--patience", "20");
        Assert.True(run.Code == 0, run.ToString());
        var results = JsonDocument.Parse(await File.ReadAllTextAsync(directory.File("results", "results.json"))).RootElement;
        Assert.Contains(
            $"{directory.File("torch", "lib")} ({Variable})", results.GetProperty("doctor").GetRawText(), StringComparison.Ordinal);
        Assert.Empty(results.GetProperty("symbols").GetProperty("missing").EnumerateArray());
        var trainings = results.GetProperty("trainings").EnumerateArray().ToList();
        var training = Assert.Single(trainings);
        Assert.True(training.GetProperty("sameBits").GetBoolean(), training.GetRawText());
        Assert.Equal(0, training.GetProperty("largestLossDifference").GetDouble());
        // The reference is the packed program's: the checkout's own must give the same.
        var job = Path.Combine(Checkout.Root, "bench", "gpu", "jobs", "mlp-bfloat16.yaml");
        var own = (await DtrainProcess.RunAsync("train", job, "--json", "--out", directory.File("own"))).Exits(0);
        Assert.Equal(own.Hash, training.GetProperty("weightsSha256").GetString());
        Assert.Contains(
            "| mlp-bfloat16 | completed | yes | 0.0e+00 |", await File.ReadAllTextAsync(directory.File("results", "report.md")),
            StringComparison.Ordinal);
    }

    /// <summary>Both that look and that train say the same, as one failure.</summary>
    private async Task RefusesAsync(string folder, params string[] words)
    {
        var doctor = await RunAsync(folder, "doctor");
        Assert.True(doctor.Code == 1, doctor.ToString());
        Assert.All(words, word => Assert.Contains(word, doctor.Output, StringComparison.Ordinal));
        Assert.Contains("WRONG", doctor.Output, StringComparison.Ordinal);
        (await TrainAsync(folder)).Exits(1).Says(["[native]", .. words]).SaysOneFailure();
    }

    private Task<DtrainResult> TrainAsync(string folder) =>
        RunAsync(folder, "train", directory.Write("job.yaml", Jobs.Endless), "--set", "steps=2", "--out", directory.File("run"));

    private static async Task<DtrainResult> RunAsync(string folder, params string[] arguments)
    {
        var start = BuiltProgram.Start(BuiltProgram.Dtrain, arguments);
        start.Environment[Variable] = folder;
        return await EndAsync(start);
    }

    /// <param name="environment">Null: this one; else only what finds the tools.</param>
    private static Task<DtrainResult> ScriptAsync(string name, Dictionary<string, string>? environment, params string[] arguments)
    {
        var start = BuiltProgram.Start("bash", [Path.Combine(Checkout.Root, "bench", "gpu", name), .. arguments]);
        if (environment is not null)
        {
            var path = start.Environment["PATH"];
            start.Environment.Clear();
            start.Environment["PATH"] = path;
        }
        return EndAsync(start);
    }

    private static async Task<DtrainResult> EndAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new($"{start.FileName} {string.Join(' ', start.ArgumentList)}", process.ExitCode, await output, await error);
    }

    /// <summary>Links to all of the stock libtorch but its core, which is a copy.</summary>
    private string CopyCore(string name)
    {
        Directory.CreateDirectory(directory.File(name));
        foreach (var file in Directory.EnumerateFiles(Stock).Where(file => Path.GetFileName(file) != Core))
            File.CreateSymbolicLink(directory.File(name, Path.GetFileName(file)), file);
        File.Copy(Path.Combine(Stock, Core), directory.File(name, Core));
        return directory.File(name, Core);
    }

    /// <summary>Gives symbols other names, wherever the file spells them.</summary>
    private static void Rename(string path, params string[] symbols)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[RandomAccess.GetLength(file)];
        Assert.Equal(bytes.Length, RandomAccess.Read(file, bytes, 0));
        foreach (var symbol in symbols)
        {
            byte[] name = [0, .. Encoding.ASCII.GetBytes(symbol), 0];
            var count = 0;
            for (var at = 0; bytes.AsSpan(at).IndexOf(name) is >= 0 and var found; count++)
            {
                at += found + name.Length - 2;
                RandomAccess.Write(file, "#"u8, at);
            }
            Assert.True(count > 0, $"{path} does not name {symbol}");
        }
    }

    [GeneratedRegex(@"binding file (?:/proc/self/fd/\d+|\S*libLibTorchSharp\.so) \[\d+\] to \S+ \[\d+\]: \w+ symbol `([^']+)'")]
    private static partial Regex BindingPattern();
}
