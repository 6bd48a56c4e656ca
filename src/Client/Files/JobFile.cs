using System.Text;
using Distributed.Core.Documents;
using Distributed.Core.Spec;

namespace Distributed.Client.Files;

/// <summary>Reads a job file, YAML or JSON, and its overrides.</summary>
internal static class JobFile
{
    private const int MostBytes = 1 << 20;

    /// <summary>
    /// The job with its paths made absolute, relative ones against the file's folder and ~ as the user's home; or all that is wrong.
    /// </summary>
    /// <param name="overrides">Assignments such as <c>optimizer.lr=0.01</c>, in order.</param>
    public static JobSpecResult Read(string path, IReadOnlyList<string> overrides)
    {
        var result = Read(path, overrides, HomeFolder.Fault);
        return result.Spec is { } spec ? result with { Spec = ResolvePaths(spec, Path.GetDirectoryName(Path.GetFullPath(path))!) } : result;
    }

    /// <summary>
    /// The job with its paths as they are written: a cluster resolves them against its own roots, and knows no home of the user.
    /// </summary>
    public static JobSpecResult ReadRemote(string path, IReadOnlyList<string> overrides) =>
        Read(path, overrides, text => HomeFolder.IsNamed(text)
            ? $"found '{text}', but a cluster does not know your home folder; expected a path relative to the operator's root; "
                + $"a name that begins with ~ is written ./{text}"
            : null);

    /// <param name="fault">What is wrong with a path, as far as its beginning tells; null: nothing.</param>
    private static JobSpecResult Read(string path, IReadOnlyList<string> overrides, Func<string, string?> fault)
    {
        var parsed = Load(path);
        if (parsed.Root is not { } root) return new(null, parsed.Errors);
        var errors = new SpecErrors();
        foreach (var assignment in overrides)
        {
            var applied = SpecOverrides.Apply(root, assignment);
            errors.AddRange(applied.Errors);
            root = applied.Root ?? root;
        }

        var result = JobSpecReader.Read(root);
        errors.AddRange(Paths(root).Where(found => fault(found.Value.Text) is not null)
            .Select(found => new SpecError(found.Value.At, found.Key, fault(found.Value.Text)!)));
        return errors.Count == 0 ? result : new(null, [.. result.Errors, .. errors.ToList()]);
    }

    /// <summary>The settings that name files or folders, where they stand in the text.</summary>
    private static IEnumerable<(string Key, SpecNode.Scalar Value)> Paths(SpecNode root) =>
        from key in (string[])["model.weights", "data.path", "checkpoint.path"]
        let value = key.Split('.')
            .Aggregate((SpecNode?)root, (node, part) => (node as SpecNode.Map)?.Entries.FirstOrDefault(entry => entry.Key == part)?.Value)
        where value is SpecNode.Scalar { IsNull: false }
        select (key, (SpecNode.Scalar)value);

    private static SpecNodeResult Load(string path)
    {
        try
        {
            if (Directory.Exists(path)) return Unreadable("is a folder, expected a job file");
            if (!File.Exists(path)) return Unreadable("no such file");
            using var stream = File.OpenRead(path);
            var bytes = new byte[MostBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MostBytes) return Unreadable($"larger than {MostBytes} bytes, expected a job file");
            using var reader = new StreamReader(new MemoryStream(bytes, 0, length), new UTF8Encoding(false, throwOnInvalidBytes: true));
            return Parse(reader.ReadToEnd(), isJson: path.EndsWith(".json", StringComparison.OrdinalIgnoreCase));
        }
        catch (DecoderFallbackException)
        {
            return Unreadable("is not UTF-8 text, expected a job file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unreadable($"cannot be read: {e.Message}");
        }
    }

    /// <remarks>JSON is tried first where the text looks like it, for its better messages and tab tolerance.</remarks>
    internal static SpecNodeResult Parse(string text, bool isJson)
    {
        if (isJson) return JsonSpecNodes.Parse(text);
        if (text.AsSpan().TrimStart().StartsWith("{") && JsonSpecNodes.Parse(text) is { Root: not null } json) return json;
        return YamlSpecNodes.Parse(text);
    }

    private static SpecNodeResult Unreadable(string message) => SpecNodeResult.Failed(default, "", message);

    private static JobSpec ResolvePaths(JobSpec spec, string folder)
    {
        return spec with
        {
            Model = spec.Model with { Weights = Resolve(spec.Model.Weights) },
            Data = spec.Data with { Path = Resolve(spec.Data.Path) },
            Checkpoint = spec.Checkpoint with { Path = Resolve(spec.Checkpoint.Path) },
        };

        string? Resolve(string? path) => path is null ? null : Path.GetFullPath(HomeFolder.Expand(path, "path"), folder);
    }
}
