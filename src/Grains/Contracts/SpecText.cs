using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Grains.Contracts;

/// <summary>The job behind a text that has crossed a wire.</summary>
public static class SpecText
{
    /// <exception cref="JobException">Code <c>spec-invalid</c>: everything that is wrong with it, a line each.</exception>
    public static JobSpec Parse(string json)
    {
        var read = JobSpecJson.Read(json);
        return read.Spec ?? throw new JobException(ErrorCodes.SpecInvalid, string.Join('\n', read.Errors));
    }

    /// <summary>Whether two texts are the same job; another version may have written the same one in other words.</summary>
    public static bool AreSame(string one, string other) => JobSpecJson.Read(one).Spec is { } spec && spec == JobSpecJson.Read(other).Spec;
}
