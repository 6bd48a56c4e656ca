namespace Distributed.Client.Following;

/// <summary>Keeps every event as it came: a line of events.jsonl and, on demand, of stdout.</summary>
/// <param name="lost">Called when stdout has gone, such as with its terminal; the file goes on.</param>
internal sealed class EventRecorder(string path, TextWriter? output, Action lost) : IDisposable
{
    private const int IoError = 5, BrokenPipe = 32;
    private TextWriter? output = output;
    private readonly StreamWriter file = new(OpenAtWholeLine(path)) { AutoFlush = true };

    public void Record(string json)
    {
        file.WriteLine(json);
        try
        {
            output?.WriteLine(json);
        }
        catch (IOException gone) when (gone.HResult is IoError or BrokenPipe)
        {
            output = null;
            lost();
        }
    }

    public void Dispose() => file.Dispose();

    /// <summary>A killed run may have left half a line, which would spoil the next one.</summary>
    private static FileStream OpenAtWholeLine(string path)
    {
        FileStream stream = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var end = stream.Length;
        while (end > 0)
        {
            stream.Position = end - 1;
            if (stream.ReadByte() == '\n') break;
            end--;
        }
        stream.SetLength(end);
        stream.Position = end;
        return stream;
    }
}
