namespace Distributed.Training.Tests.Data;

/// <summary>A test on real data, which lies in <c>shared/data</c> beside the checkout; skipped, and shown as such, where that is missing.</summary>
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute()
    {
        if (SharedData.Root is null) Skip = "no ../shared/data beside the checkout";
    }
}
