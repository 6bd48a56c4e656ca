using System.Diagnostics;
using System.Text.Json;

namespace Distributed.Architecture.Tests;

/// <summary>Which libtorch the build brings, and how often it stands on the disk.</summary>
public sealed class TorchBackendTests
{
    private const string Library = "libtorch_cpu.so";

    [Fact]
    public async Task Default_BringsTheCpuLibraries()
    {
        var packages = await PackagesAsync();
        Assert.Equal("2.10.0", packages["libtorch-cpu-linux-x64"]);
        Assert.Equal("0.107.0", packages["TorchSharp"]);
        Assert.DoesNotContain(packages.Keys, name => name.Contains("cuda", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Cuda_BringsTheCudaPackageAlone()
    {
        var packages = await PackagesAsync("-p:TorchBackend=cuda");
        Assert.Equal("0.107.0", packages["TorchSharp-cuda-linux"]);
        Assert.DoesNotContain(
            packages.Keys, name => name.StartsWith("libtorch-cpu", StringComparison.OrdinalIgnoreCase) || name is "TorchSharp-cpu");
    }

    /// <summary>
    /// CUDA's libtorch comes in several packages, and its files look for each other beside themselves: links would lead them apart.
    /// </summary>
    [Theory]
    [InlineData("cpu", "true")]
    [InlineData("cuda", "")]
    public async Task Outputs_LinkToTheCpuLibrariesAlone(string backend, string expected)
    {
        var text = await EvaluateAsync($"-p:TorchBackend={backend}", "-getProperty:CreateSymbolicLinksForCopyLocalIfPossible");
        Assert.Equal(expected, text.Trim());
    }

    /// <summary>What the runtime finds by itself it loads beside the libtorch that a user names, and two of them end the process.</summary>
    [Fact]
    public void Libtorch_StandsWhereTheRuntimeDoesNotLook()
    {
        var places = Directory.EnumerateFiles(Checkout.Outputs, Library, SearchOption.AllDirectories).ToList();
        Assert.NotEmpty(places);
        Assert.All(places, place => Assert.Equal("libtorch", Path.GetFileName(Path.GetDirectoryName(place))));
        var lists = Directory.EnumerateFiles(Checkout.Outputs, "*.deps.json", SearchOption.AllDirectories).ToList();
        Assert.NotEmpty(lists);
        Assert.All(lists, list => Assert.DoesNotContain(Library, File.ReadAllText(list), StringComparison.Ordinal));
    }

    [Fact]
    public void Libtorch_StandsOnceOnDisk()
    {
        var places = Directory.EnumerateFiles(Checkout.Outputs, Library, SearchOption.AllDirectories).ToList();
        Assert.Contains(places, place => place.StartsWith(Path.Combine(Checkout.Outputs, "Silo"), StringComparison.Ordinal));
        Assert.All(places, place => Assert.True(new FileInfo(place).LinkTarget is not null, $"{place} is a copy, expected a link."));
        var files = places.Select(place => File.ResolveLinkTarget(place, returnFinalTarget: true)!).ToList();
        Assert.All(files, file => Assert.True(file.Exists, $"{file.FullName} is the target of a link and missing."));
        Assert.Single(files.Select(file => file.FullName).Distinct());
    }

    /// <summary>Package references of the Training room, with their central versions; evaluated, not restored.</summary>
    private static async Task<Dictionary<string, string>> PackagesAsync(params string[] properties)
    {
        var text = await EvaluateAsync(["-getItem:PackageReference", "-getItem:PackageVersion", .. properties]);
        var items = JsonDocument.Parse(text).RootElement.GetProperty("Items");
        var versions = Identities("PackageVersion").ToDictionary(item => Text(item, "Identity"), item => Text(item, "Version"));
        return Identities("PackageReference").Select(item => Text(item, "Identity")).ToDictionary(name => name, name => versions[name]);

        IEnumerable<JsonElement> Identities(string kind) => items.GetProperty(kind).EnumerateArray();

        static string Text(JsonElement item, string key) => item.GetProperty(key).GetString()!;
    }

    /// <summary>What MSBuild says of the Training room.</summary>
    private static async Task<string> EvaluateAsync(params string[] arguments)
    {
        ProcessStartInfo start = new(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", ["msbuild", Checkout.Project("Training"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the test host's own build left behind would steer this one.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{text}\n{await error}");
        return text;
    }
}
