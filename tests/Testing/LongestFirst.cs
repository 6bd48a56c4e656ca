using Xunit.Abstractions;

namespace Distributed.Testing;

/// <summary>
/// Starts the collections that take longest first, so that none of them is left to run alone at the end; the others in the order in
/// which they are found.
/// </summary>
/// <param name="longest">Classes of tests, or names of collections, the longest first.</param>
internal abstract class LongestFirst(params string[] longest) : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => longest.TakeWhile(name => !IsOf(collection, name)).Count());

    /// <summary>A class without a collection of its own is in one that is called "Test collection for" it.</summary>
    private static bool IsOf(ITestCollection collection, string name) =>
        collection.DisplayName == name || collection.DisplayName.EndsWith($".{name}", StringComparison.Ordinal);
}
