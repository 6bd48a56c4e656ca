namespace Distributed.Training.Ranks;

/// <summary>Tells a rank that the session ended for a reason that is not its own.</summary>
internal sealed class SessionEndedException(string message, Exception? inner = null) : Exception(message, inner);
