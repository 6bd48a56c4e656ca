using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Distributed.Kubernetes.Tests;

/// <summary>The command <c>kubectl kustomize</c>, without a cluster.</summary>
internal static partial class Kubectl
{
    /// <summary>Older ones hold a kustomize that knows other words for the same things.</summary>
    private const int FirstMinorOfToday = 21;

    private static readonly Lazy<int?> Minor = new(FindMinor);

    public static bool IsThere => Minor.Value is not null;

    /// <param name="folder">Below <c>k8s</c>.</param>
    /// <param name="added">Files that a checkout does not have, by their path below <c>k8s</c>.</param>
    public static string Render(string folder, IReadOnlyDictionary<string, string>? added = null)
    {
        var copy = Directory.CreateTempSubdirectory("dtrain-k8s-");
        try
        {
            foreach (var file in Directory.EnumerateFiles(Checkout.Manifests, "*", SearchOption.AllDirectories))
            {
                if (Path.GetExtension(file) is not ".yaml") continue;
                Write(copy, Path.GetRelativePath(Checkout.Manifests, file), File.ReadAllText(file));
            }
            foreach (var (path, text) in added ?? new Dictionary<string, string>()) Write(copy, path, text);
            var (code, output, error) = Run("kustomize", Path.Combine(copy.FullName, folder));
            Assert.True(code == 0, $"kubectl kustomize {folder}: {error}");
            return output;
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static void Write(DirectoryInfo root, string path, string text)
    {
        var file = Path.Combine(root.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(
            file, Minor.Value < FirstMinorOfToday && Path.GetFileName(file) == "kustomization.yaml" ? InOldWords(text) : text);
    }

    private static string InOldWords(string text)
    {
        text = Folders().Replace(text, "bases:\n$1resources:\n")
            .Replace("patches:\n- path: ", "patchesStrategicMerge:\n- ", StringComparison.Ordinal);
        return NoResources().Replace(text, "").Replace("- path: ", "- ", StringComparison.Ordinal);
    }

    private static int? FindMinor()
    {
        try
        {
            var (_, output, _) = Run("version", "--client", "--output=json");
            return int.Parse(MinorVersion().Match(output).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("kubectl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = Task.Run(process.StandardError.ReadToEnd);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    [GeneratedRegex(@"^resources:\n((?:- \.\..*\n)+)", RegexOptions.Multiline)]
    private static partial Regex Folders();

    [GeneratedRegex(@"^resources:\n(?!- )", RegexOptions.Multiline)]
    private static partial Regex NoResources();

    [GeneratedRegex("\"minor\": \"([0-9]+)")]
    private static partial Regex MinorVersion();
}

/// <summary>A test that renders manifests; skipped in plain sight where kubectl is missing.</summary>
internal sealed class KubectlFactAttribute : FactAttribute
{
    public KubectlFactAttribute()
    {
        if (!Kubectl.IsThere) Skip = "no kubectl on the path: apt-get install kubernetes-client";
    }
}

/// <summary>The same, for several overlays.</summary>
internal sealed class KubectlTheoryAttribute : TheoryAttribute
{
    public KubectlTheoryAttribute()
    {
        if (!Kubectl.IsThere) Skip = "no kubectl on the path: apt-get install kubernetes-client";
    }
}
