using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>Options that open their data set themselves: all that a data set of another program needs.</summary>
internal interface IDataSource
{
    /// <summary>Reads and checks the whole set; its path exists.</summary>
    /// <exception cref="JobException"><c>data-invalid</c>, naming file, place, found and expected.</exception>
    DataSource Open(JobSpec spec);
}
