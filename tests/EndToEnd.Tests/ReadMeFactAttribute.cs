using Distributed.Testing;

namespace Distributed.EndToEnd.Tests;

/// <summary>A test of the README and the documentation; skipped in plain sight where there is none.</summary>
internal sealed class ReadMeFactAttribute : FactAttribute
{
    public ReadMeFactAttribute()
    {
        if (!File.Exists(Checkout.ReadMe)) Skip = "no README.md in the checkout";
    }
}
