namespace Distributed.Training.Data;

/// <summary>Files that look like the set's own and are not read, told in one warning.</summary>
internal sealed class LeftOut
{
    private string? first;
    private int count;

    public void Add(string file)
    {
        first ??= file;
        count++;
    }

    /// <param name="place">Where the set lies.</param>
    /// <param name="form">What the names of its files are like.</param>
    public IEnumerable<string> Warning(string place, string form)
    {
        if (count > 0)
            yield return $"{place}: {(count == 1 ? "1 file looks" : $"{count} files look")} like part of the set and "
                + $"{(count == 1 ? "is" : "are")} left out, such as {first}: only {form} count. Remove or rename what should not be there.";
    }
}
