namespace Distributed.Core.Documents;

/// <summary>Takes what is wrong with options, where the text of the job says so.</summary>
public interface IOptionErrors
{
    /// <summary>Notes an error at a key.</summary>
    /// <param name="key">Of the options, or a dotted one of the job.</param>
    /// <param name="message">What was found and what was expected.</param>
    void Fail(string key, string message);

    /// <summary>Notes that a list of numbers has another length than expected.</summary>
    void FailLength(string key, int found, string expected);
}
