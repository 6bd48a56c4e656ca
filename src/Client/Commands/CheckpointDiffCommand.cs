using System.CommandLine;
using System.Text.Json;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Checkpoints;

namespace Distributed.Client.Commands;

internal static class CheckpointDiffCommand
{
    public static Command Create()
    {
        Argument<string[]> paths =
            new("PATH") { Description = "Two checkpoints, or directories of checkpoints.", Arity = new ArgumentArity(2, 2) };
        var json = JobArguments.Json("One JSON object.");
        Verb verb = new(
            "diff",
            "Compares weights and optimizer state of two checkpoints bit by bit. Exit code 1 when they differ.",
            "dtrain checkpoint diff runs/a/checkpoints runs/b/checkpoints")
        {
            paths, json,
        };
        verb.SetAction(parse =>
        {
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            var pair = parse.GetRequiredValue(paths)
                .Select(path => CheckpointPath.One(path, warning => error.WriteLine($"warning: {warning}"))).ToArray();
            (string File, TensorDifference Tensor)[] tensors =
            [
                .. Compare(CheckpointFiles.Model, pair[0].ModelFile, pair[1].ModelFile),
                .. Compare(CheckpointFiles.Optimizer, pair[0].OptimizerFile, pair[1].OptimizerFile),
            ];
            var equal = Array.TrueForAll(tensors, tensor => tensor.Tensor.Comparison == TensorComparison.Equal);
            if (parse.GetValue(json)) output.WriteLine(Json(pair, equal, tensors));
            else Write(output, pair, equal, tensors);
            return equal ? ExitCode.Done : ExitCode.Failed;
        });
        return verb;
    }

    private static IEnumerable<(string File, TensorDifference Tensor)> Compare(string name, string first, string second)
    {
        switch (File.Exists(first), File.Exists(second))
        {
            case (false, false):
                return [];
            case (true, false):
                return [(name, new("*", TensorComparison.OnlyInFirst))];
            case (false, true):
                return [(name, new("*", TensorComparison.OnlyInSecond))];
        }
        using var a = SafetensorsFile.Open(first);
        using var b = SafetensorsFile.Open(second);
        return CheckpointDiff.Compare(a, b).Select(tensor => (name, tensor));
    }

    private static void Write(TextWriter output, Checkpoint[] pair, bool equal, (string File, TensorDifference Tensor)[] tensors)
    {
        foreach (var checkpoint in pair) output.WriteLine(ProgressCells.Text($"step {checkpoint.Step}  {checkpoint.Path}"));
        if (equal) output.WriteLine($"{tensors.Length} tensors, all equal to the bit");
        else TextTable.Write(
            output, ["FILE", "TENSOR", "RESULT"],
            [.. tensors.Select(tensor => new[] { tensor.File, tensor.Tensor.Name, Describe(tensor.Tensor) })]);
    }

    private static string Describe(TensorDifference tensor) => tensor.Comparison switch
    {
        TensorComparison.Equal => "equal",
        TensorComparison.Differs => ProgressCells.Text(
            $"{tensor.Count} elements differ, first at {tensor.FirstIndex}, by at most {tensor.MaxAbs:G6}"),
        TensorComparison.OtherShape => "another type or shape",
        TensorComparison.OnlyInFirst => "only in the first",
        _ => "only in the second",
    };

    private static string Json(Checkpoint[] pair, bool equal, (string File, TensorDifference Tensor)[] tensors) =>
        JsonSerializer.Serialize(new
        {
            equal,
            paths = pair.Select(checkpoint => checkpoint.Path),
            steps = pair.Select(checkpoint => checkpoint.Step),
            tensors = tensors.Select(tensor => new
            {
                file = tensor.File,
                name = tensor.Tensor.Name,
                result = JsonNamingPolicy.CamelCase.ConvertName(tensor.Tensor.Comparison.ToString()),
                differing = tensor.Tensor.Count,
                firstIndex = tensor.Tensor.FirstIndex >= 0 ? (long?)tensor.Tensor.FirstIndex : null,
                maxAbs = double.IsFinite(tensor.Tensor.MaxAbs) ? (double?)tensor.Tensor.MaxAbs : null,
            }),
        });
}
