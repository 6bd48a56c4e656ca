using Distributed.Core.Events;

namespace Distributed.Training.Loop;

/// <summary>Takes the events of a job in order; called on a rank thread, so it queues and returns.</summary>
public interface IEventSink
{
    void Publish(JobEvent jobEvent);
}
