using System.Diagnostics;
using System.Globalization;

namespace Distributed.Testing;

/// <summary>A file system of a few hundred KiB, mounted for one test.</summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <returns>Null where this user may not mount.</returns>
    public static SmallDisk? TryMount(string directory, int kibibytes)
    {
        Directory.CreateDirectory(directory);
        return Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kibibytes}k"), "tmpfs", directory)
            ? new SmallDisk(directory)
            : null;
    }

    public void Dispose() => Run("umount", Path);

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary>A test that needs to mount; skipped, visibly, where that is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SmallDiskFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> MayMount = new(() =>
    {
        var trial = Directory.CreateTempSubdirectory("dtrain-mount-");
        try
        {
            using var disk = SmallDisk.TryMount(trial.FullName, 64);
            return disk is not null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
        finally
        {
            trial.Delete(recursive: true);
        }
    });

    public SmallDiskFactAttribute()
    {
        if (!MayMount.Value) Skip = "A full disk needs a small file system, and this user may not mount one.";
    }
}
