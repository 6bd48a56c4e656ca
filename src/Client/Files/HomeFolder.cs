using Distributed.Client.Outcomes;

namespace Distributed.Client.Files;

/// <summary><c>~</c> at the beginning of a path, which shells replace in words but neither in files nor behind an equals sign.</summary>
internal static class HomeFolder
{
    public static bool IsNamed(string path) => path.StartsWith('~');

    /// <summary>What is wrong with a path that begins with ~; null: nothing, or it begins otherwise.</summary>
    public static string? Fault(string path)
    {
        if (!IsNamed(path)) return null;
        if (path.Length > 1 && path[1] != '/')
            return $"found '{path}', expected ~/ for your own home folder, or the whole path; "
                + $"a name that begins with ~ is written ./{path}";
        return Path.IsPathFullyQualified(Home) ? null : $"found '{path}', but HOME does not name your home folder; expected the whole path";
    }

    /// <summary>The path with a leading ~ replaced by the user's home folder; any other path as it is.</summary>
    /// <param name="what">The option or setting that holds the path, for the message.</param>
    /// <exception cref="CommandFailure">The path begins with ~ and means no folder that is known here.</exception>
    public static string Expand(string path, string what)
    {
        if (Fault(path) is { } fault) throw new CommandFailure(ExitCode.Usage, $"{what}: {fault}.");
        return IsNamed(path) ? Path.Join(Home, path.AsSpan(1)) : path;
    }

    private static string Home =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
}
