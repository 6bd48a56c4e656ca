using Distributed.Core.Documents;
using Distributed.Core.Values;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Distributed.Client.Files;

/// <summary>Reads YAML as <see cref="SpecNode"/>: plain mappings, lists and scalars, nothing that refers or expands.</summary>
internal static class YamlSpecNodes
{
    /// <summary>The content of one document; anchors, aliases, tags, merge keys and duplicate keys are errors.</summary>
    public static SpecNodeResult Parse(string text)
    {
        var scanner = new Scanner(new StringReader(text), skipComments: true);
        try
        {
            var parser = new Parser(scanner);
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _)) return SpecNodeResult.Failed(new(1, 1), "", "found nothing, expected a job");
            var root = ReadNode(parser, "", 0);
            parser.Consume<DocumentEnd>();
            if (parser.TryConsume<DocumentStart>(out var second))
                throw Refused(second.Start, "", "found a second document, expected one job per file");
            parser.Consume<StreamEnd>();
            return SpecNodeResult.Of(root);
        }
        catch (NodeException e)
        {
            return new(null, [e.Error]);
        }
        catch (YamlException e)
        {
            return Broken(text, e.Start, scanner.CurrentPosition, e.Message.TrimEnd('.'));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The library throws these, without a position, at unclosed brackets and at malformed tags.
            var message = e is ArgumentException ? "found a malformed tag or anchor" : "found a bracket, brace or quote that is not closed";
            return Broken(text, scanner.CurrentPosition, scanner.CurrentPosition, message);
        }
    }

    private static SpecNode ReadNode(Parser parser, string path, int depth)
    {
        var current = parser.Current!;
        if (current is AnchorAlias alias)
            throw Refused(
                alias.Start, path,
                $"found the alias *{PlainText.Show(alias.Value.Value)}, expected the value itself: job files have no references");
        var node = current as NodeEvent ?? throw Refused(current.Start, path, "expected a value");
        if (depth > SpecBounds.DeepestNesting) throw Refused(node.Start, path, $"found nesting deeper than {SpecBounds.DeepestNesting}");
        if (!node.Anchor.IsEmpty)
            throw Refused(
                node.Start, path,
                $"found the anchor &{PlainText.Show(node.Anchor.Value)}, expected a plain value: job files have no references");
        if (!node.Tag.IsEmpty)
            throw Refused(
                node.Start, path, $"found the tag {PlainText.Show(node.Tag.ToString())}, expected a plain value: job files have no tags");
        parser.MoveNext();
        return node switch
        {
            Scalar scalar => new SpecNode.Scalar(At(scalar.Start), scalar.Value, scalar.Style != ScalarStyle.Plain),
            SequenceStart => ReadSequence(parser, At(node.Start), path, depth),
            _ => ReadMap(parser, At(node.Start), path, depth),
        };
    }

    private static SpecNode.Sequence ReadSequence(Parser parser, SpecPosition at, string path, int depth)
    {
        var items = new List<SpecNode>();
        while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(ReadNode(parser, path, depth + 1));
        return new(at, items);
    }

    private static SpecNode.Map ReadMap(Parser parser, SpecPosition at, string path, int depth)
    {
        var entries = new List<SpecNode.Entry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var start = parser.Current!.Start;
            if (ReadNode(parser, path, depth + 1) is not SpecNode.Scalar key)
                throw Refused(start, path, "found a mapping or list as a key, expected a word");
            if (SpecBounds.KeyFault(key.Text) is { } fault) throw Refused(start, path, fault);
            var keyPath = path.Length == 0 ? key.Text : $"{path}.{key.Text}";
            if (key is { Text: "<<", Quoted: false })
                throw Refused(start, path, "found a merge key <<, expected the settings themselves: job files have no references");
            if (!keys.Add(key.Text)) throw Refused(start, keyPath, "found twice, expected once");
            entries.Add(new(key.At, key.Text, ReadNode(parser, keyPath, depth + 1)));
        }

        return new(at, entries);
    }

    private static SpecNodeResult Broken(string text, Mark start, Mark end, string message)
    {
        var lines = text.Split('\n');
        for (var number = (int)start.Line; number <= Math.Min(end.Line + 1, lines.Length); number++)
        {
            var line = lines[number - 1];
            var indentation = line[..^line.TrimStart().Length];
            if (indentation.IndexOf('\t', StringComparison.Ordinal) is >= 0 and var tab)
                return SpecNodeResult.Failed(new(number, tab + 1), "", "broken YAML: found a tab in the indentation, expected spaces");
        }

        return SpecNodeResult.Failed(
            At(start), "",
            $"broken YAML: {PlainText.Show(message, 200)}; check indentation, quotes and colons here and on the line before");
    }

    private static SpecPosition At(Mark mark) => new((int)mark.Line, (int)mark.Column);

    private static NodeException Refused(Mark mark, string path, string message) => new(new(At(mark), path, message));

    private sealed class NodeException(SpecError error) : Exception(error.Message)
    {
        public SpecError Error => error;
    }
}
