using Distributed.Training.Tests.Data;

namespace Distributed.Training.Tests;

/// <summary>A theory on files that lie in <c>shared</c> beside the checkout; skipped, and shown as such, where that is missing.</summary>
internal sealed class SharedDataTheoryAttribute : TheoryAttribute
{
    public SharedDataTheoryAttribute()
    {
        if (SharedData.Root is null) Skip = "no ../shared beside the checkout";
    }
}
