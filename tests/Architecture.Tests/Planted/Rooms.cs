#pragma warning disable IDE0130, CA1812, CA1822, CA1852 // Planted: rooms for the test of the graph, never used.

namespace Distributed.Architecture.Tests.Planted.Target
{
    internal sealed class Thing
    {
        public static int Count() => 1;
    }

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class MarkAttribute : Attribute;
}

namespace Distributed.Architecture.Tests.Planted.Member
{
    internal sealed class Holder
    {
        public Target.Thing? Thing { get; set; }
    }
}

namespace Distributed.Architecture.Tests.Planted.Body
{
    internal sealed class Caller
    {
        public int Call() => new Func<int>(() => Target.Thing.Count())();
    }
}

namespace Distributed.Architecture.Tests.Planted.Generic
{
    internal sealed class Lister
    {
        public object List() => new List<Target.Thing>();
    }
}

namespace Distributed.Architecture.Tests.Planted.Marking
{
    [Target.Mark]
    internal sealed class Marked;
}
