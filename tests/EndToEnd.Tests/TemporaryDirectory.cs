namespace Distributed.EndToEnd.Tests;

/// <summary>A folder of one test's own, gone when the test is.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dtrain-e2e-").FullName;

    public string File(params ReadOnlySpan<string> names) => System.IO.Path.Combine([Path, .. names]);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    /// <summary>Copies a folder and all that it holds to here.</summary>
    public string Copy(string folder, string name)
    {
        foreach (var source in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var target = File(name, System.IO.Path.GetRelativePath(folder, source));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            System.IO.File.Copy(source, target);
        }
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
