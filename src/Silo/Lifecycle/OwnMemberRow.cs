using Orleans.Runtime;

namespace Distributed.Silo.Lifecycle;

/// <summary>Whether this silo's row still stands in the table of members; a silo without one is met by no other.</summary>
internal sealed class OwnMemberRow(ILocalSiloDetails local)
{
    private int missing;

    /// <summary>Looks in a row that did not find it.</summary>
    public int Missing => Volatile.Read(ref missing);

    /// <value>Null while the row is there.</value>
    public string? Words => Missing == 0
        ? null
        : $"silo {local.Name} is no longer in the table of members: the store has lost its rows, "
            + "as when it is emptied or its schema is dropped.";

    public void Found() => Volatile.Write(ref missing, 0);

    /// <returns><see cref="Missing"/>, with this look.</returns>
    public int Miss() => Interlocked.Increment(ref missing);
}
