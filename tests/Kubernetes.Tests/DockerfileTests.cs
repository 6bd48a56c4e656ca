using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distributed.Kubernetes.Tests;

/// <summary>No container engine is needed: the recipe is held to the checkout and to the manifests.</summary>
public sealed class DockerfileTests
{
    [Fact]
    public void Copies_ExistAndReachTheBuilder()
    {
        var let = File.ReadLines(Path.Combine(Checkout.Root, ".dockerignore")).Where(line => line.StartsWith('!')).Select(line => line[1..])
            .ToList();
        var paths = Dockerfile.Copies.SelectMany(copy => copy.From).ToList();
        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.True(Path.Exists(Path.Combine(Checkout.Root, path)), $"COPY {path}: not in the checkout"));
        Assert.All(paths, path => Assert.True(
            let.Exists(entry => path == entry || path.StartsWith($"{entry}/", StringComparison.Ordinal)),
            $"COPY {path}: .dockerignore keeps it from the builder"));
    }

    [Fact]
    public void Copies_KeepTheShapeOfTheCheckout() =>
        Assert.All(Dockerfile.Copies.SelectMany(copy => copy.From.Select(path => (path, copy.To))), copy =>
        {
            var folder = Directory.Exists(Path.Combine(Checkout.Root, copy.path)) ? copy.path : Path.GetDirectoryName(copy.path)!;
            Assert.Equal(folder, copy.To.TrimEnd('/').Replace("./", "", StringComparison.Ordinal).TrimStart('.'));
        });

    [Fact]
    public void Restore_SeesEveryProjectAndWhatNamesThePackages()
    {
        var before = Dockerfile.Build.TakeWhile(step => step.Instruction != "RUN").Where(step => step.Instruction == "COPY")
            .SelectMany(step => step.Arguments.Split(' ')[..^1]).ToList();
        var projects = new[] { "src", "bench" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Checkout.Root, file)).Append("src/Silo/Runtime.props");
        string[] shared = ["global.json", "nuget.config", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"];
        Assert.Equal(projects.Concat(shared).Order(StringComparer.Ordinal), before.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Publish_PutsTheSiloWhereTheClientAndTheImageLookForIt()
    {
        var published = Dockerfile.Build
            .Where(step => step.Instruction == "RUN" && step.Arguments.StartsWith("dotnet publish", StringComparison.Ordinal))
            .Select(step => step.Arguments).ToList();
        Assert.Collection(
            published,
            silo => Assert.Equal(
                "dotnet publish src/Silo -c Release --no-restore -p:CompileAhead=false -p:TorchBackend=$TORCH_BACKEND "
                + "-p:PublishReadyToRun=false -o /out/silo", silo),
            benches => Assert.Equal(
                "dotnet publish bench/Distributed.Bench -c Release --no-restore -p:CompileAhead=false -p:TorchBackend=$TORCH_BACKEND "
                + "-p:PublishReadyToRun=false -o /out/silo", benches),
            client => Assert.Equal(
                "dotnet publish src/Client -c Release --no-restore -p:CompileAhead=false -p:TorchBackend=$TORCH_BACKEND -o /out", client));
        Assert.Contains(("COPY", "--from=build /out /opt/dtrain"), Dockerfile.Image);
        Assert.Equal("[\"/opt/dtrain/silo/dtrain-silo\", \"serve\"]", Argument(Dockerfile.Image, "ENTRYPOINT"));
        Assert.DoesNotContain(Dockerfile.Image, step => step.Instruction == "CMD");
        // The locator's own place for a published silo.
        Assert.Contains(
            "Path.Combine(clientDirectory, \"silo\", fileName)", Checkout.Read("src", "Client", "Silo", "SiloLocator.cs"),
            StringComparison.Ordinal);
    }

    /// <summary>What loads on the base of the build need not load on the image's own.</summary>
    [Fact]
    public void Image_TestsItsNativeLibraries_OnItsOwnBaseAsItsUser()
    {
        var steps = Dockerfile.Image.ToList();
        var doctor = steps.FindIndex(
            step => step.Instruction == "RUN" && step.Arguments.Contains("/opt/dtrain/silo/dtrain-silo doctor", StringComparison.Ordinal));
        Assert.InRange(steps.FindIndex(step => step.Instruction == "USER"), 0, doctor - 1);
        Assert.Contains(steps.Take(doctor), step => step == ("ARG", "TORCH_BACKEND=cpu"));
    }

    /// <summary>Publishing copies the native libraries; links into a package folder would lead nowhere in the image.</summary>
    [Theory]
    [InlineData("cpu", "libtorch-cpu-linux-x64")]
    [InlineData("cuda", "TorchSharp-cuda-linux")]
    public async Task Publish_Arguments_EvaluateToOneWholeProgram(string backend, string package)
    {
        var silo = await EvaluateAsync(
            "Silo", backend, "AssemblyName", "SelfContained", "UseAppHost", "CreateSymbolicLinksForPublishFilesIfPossible");
        Assert.Equal(("dtrain-silo", "false", "true"), (silo["AssemblyName"], silo["SelfContained"], silo["UseAppHost"]));
        Assert.NotEqual("true", silo["CreateSymbolicLinksForPublishFilesIfPossible"]);
        var training = await EvaluateAsync("Training", backend, "TorchBackend", "PackageReference");
        Assert.Equal(backend, training["TorchBackend"]);
        Assert.Contains(package, training["PackageReference"], StringComparison.Ordinal);
    }

    [Fact]
    public void Image_RunsAsANumberedUserWhoOwnsNothing()
    {
        Assert.Equal("10001:10001", Argument(Dockerfile.Image, "USER"));
        Assert.DoesNotContain(
            Dockerfile.Image, step => step.Instruction == "COPY" && step.Arguments.Contains("--chown", StringComparison.Ordinal));
        Assert.Contains(("RUN", "chmod -R u=rwX,go=rX /out"), Dockerfile.Build);
    }

    [Fact]
    public void Image_IsLabelledWithTheProductsVersion()
    {
        Assert.Contains(("ARG", $"VERSION={Dockerfile.ProductVersion}"), Dockerfile.Image);
        var labels = Argument(Dockerfile.Image, "LABEL");
        Assert.All(["title", "description", "version=\"${VERSION}\"", "revision=\"${REVISION}\""], label => Assert.Contains(
            $"org.opencontainers.image.{label}", labels, StringComparison.Ordinal));
    }

    [Fact]
    public void Bases_AreTheReleaseThatTheSolutionIsBuiltWith_PinnedByDigest()
    {
        using var sdk = JsonDocument.Parse(Checkout.Read("global.json"));
        var version = sdk.RootElement.GetProperty("sdk").GetProperty("version").GetString()!;
        var release = Regex.Escape(string.Join('.', version.Split('.')[..2]));
        // A tag can be moved; a digest names one image for ever.
        Assert.Contains(Dockerfile.Steps, step => step.Instruction == "ARG"
            && Regex.IsMatch(step.Arguments, $"^SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:{release}[.][0-9]+-noble@sha256:[0-9a-f]{{64}}$"));
        Assert.Contains(Dockerfile.Steps, step => step.Instruction == "ARG" && Regex.IsMatch(
            step.Arguments, $"^RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:{release}[.][0-9]+-noble@sha256:[0-9a-f]{{64}}$"));
        Assert.Equal(
            ["${SDK_IMAGE} AS build", "${RUNTIME_IMAGE}"],
            Dockerfile.Steps.Where(step => step.Instruction == "FROM").Select(step => step.Arguments));
    }

    /// <summary>Restores of the image and of a fresh clone see the advisories of their day.</summary>
    [Fact]
    public async Task Advisories_AboutPackages_BreakNoBuild()
    {
        var excepted = (await EvaluateAsync("Silo", "cpu", "TreatWarningsAsErrors", "WarningsNotAsErrors"))["WarningsNotAsErrors"]
            .Split(';');
        Assert.All(["NU1900", "NU1901", "NU1902", "NU1903", "NU1904"], warning => Assert.Contains(warning, excepted));
    }

    [KubectlFact]
    public void Image_OpensThePortsAndSetsTheRuntimeThatThePodNames()
    {
        var overlay = Overlay.Of("cpu");
        Assert.Equal(string.Join(' ', overlay.Silo.Ports.Select(port => port.ContainerPort)), Argument(Dockerfile.Image, "EXPOSE"));
        Assert.Equal(
            $"{overlay.Pod.SecurityContext.RunAsUser}:{overlay.Pod.SecurityContext.RunAsGroup}", Argument(Dockerfile.Image, "USER"));
        Assert.All(overlay.Silo.Env.Where(e => e.Value is not null), e => Assert.Contains(
            $"{e.Name}={e.Value}", Argument(Dockerfile.Image, "ENV").Split(' ')));
    }

    private static string Argument(IReadOnlyList<(string Instruction, string Arguments)> stage, string instruction) =>
        Assert.Single(stage, step => step.Instruction == instruction).Arguments;

    private static async Task<Dictionary<string, string>> EvaluateAsync(string room, string backend, params string[] names)
    {
        ProcessStartInfo start = new(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [
                "msbuild", Path.Combine(Checkout.Root, "src", room, $"{room}.csproj"), "-p:Configuration=Release",
                $"-p:TorchBackend={backend}",
                "-getItem:PackageReference", .. names.Where(name => name != "PackageReference").Select(name => $"-getProperty:{name}"),
            ])
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
        using var document = JsonDocument.Parse(text);
        var found = document.RootElement.GetProperty("Properties").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!);
        found["PackageReference"] = string.Join(' ', document.RootElement.GetProperty("Items").GetProperty("PackageReference")
            .EnumerateArray().Select(i => i.GetProperty("Identity").GetString()));
        return found;
    }
}
