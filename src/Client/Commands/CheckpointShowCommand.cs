using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Checkpoints;
using Distributed.Core.Events;

namespace Distributed.Client.Commands;

internal static class CheckpointShowCommand
{
    public static Command Create()
    {
        Argument<string> path = new("PATH") { Description = "A checkpoint, or a directory of checkpoints: then the one to resume from." };
        var json = JobArguments.Json("One JSON object.");
        Verb verb = new(
            "show",
            "Shows a checkpoint's state, files and tensors.",
            "dtrain checkpoint show runs/trial/checkpoints",
            "dtrain checkpoint show runs/trial/checkpoints --json")
        {
            path, json,
        };
        verb.SetAction(parse =>
        {
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            var checkpoint = CheckpointPath.One(parse.GetRequiredValue(path), warning => error.WriteLine($"warning: {warning}"));
            var snapshot = TrainingStateFile.Read(checkpoint.StateFile);
            var tensors = new[] { checkpoint.ModelFile, checkpoint.OptimizerFile }.SelectMany(Tensors).ToList();
            if (parse.GetValue(json)) output.WriteLine(Json(checkpoint, snapshot, tensors));
            else Write(output, checkpoint, snapshot, tensors);
            return ExitCode.Done;
        });
        return verb;
    }

    private static List<(string File, TensorEntry Entry)> Tensors(string path)
    {
        if (!File.Exists(path)) return [];
        using var file = SafetensorsFile.Open(path);
        return [.. file.Tensors.Select(tensor => (Path.GetFileName(path), tensor))];
    }

    private static void Write(
        TextWriter output, Checkpoint checkpoint, TrainingSnapshot snapshot, List<(string File, TensorEntry Entry)> tensors)
    {
        var scaling = snapshot.State.LossScale;
        output.WriteLine(checkpoint.Path);
        output.WriteLine(ProgressCells.Text(
            $"step {snapshot.State.Step}, {snapshot.State.Updates} applied, seed {snapshot.Seed}, version {checkpoint.Manifest.Product}"));
        output.WriteLine(ProgressCells.Text($"loss scale {scaling.Scale}, growth tracker {scaling.GrowthTracker}"));
        output.WriteLine($"fingerprint {snapshot.Fingerprint}");
        if (snapshot.Data is { } data) output.WriteLine($"data {data}");
        output.WriteLine();
        TextTable.Write(
            output, ["FILE", "BYTES", "SHA256"],
            [.. checkpoint.Manifest.Files.Select(file => new[] { file.Name, ProgressCells.Text($"{file.Bytes}"), file.Sha256 })]);
        output.WriteLine();
        TextTable.Write(
            output,
            ["FILE", "TENSOR", "TYPE", "SHAPE"],
            [.. tensors.Select(
                tensor => new[] { tensor.File, tensor.Entry.Name, tensor.Entry.Dtype.Word(), tensor.Entry.Shape.ToString() })]);
    }

    private static string Json(Checkpoint checkpoint, TrainingSnapshot snapshot, List<(string File, TensorEntry Entry)> tensors) =>
        JsonSerializer.Serialize(new
        {
            path = checkpoint.Path,
            step = snapshot.State.Step,
            updates = snapshot.State.Updates,
            lossScale = JsonNumber.Exact(snapshot.State.LossScale.Scale),
            growthTracker = snapshot.State.LossScale.GrowthTracker,
            seed = snapshot.Seed,
            fingerprint = snapshot.Fingerprint,
            data = snapshot.Data is { } data ? new { train = data.Train, test = data.Test, sha256 = data.Sha256 } : null,
            product = checkpoint.Manifest.Product,
            job = JsonNode.Parse(snapshot.SpecJson),
            files = checkpoint.Manifest.Files.Select(file => new { name = file.Name, bytes = file.Bytes, sha256 = file.Sha256 }),
            tensors = tensors.Select(tensor => new
            {
                file = tensor.File,
                name = tensor.Entry.Name,
                dtype = tensor.Entry.Dtype.Word(),
                shape = tensor.Entry.Shape.ToArray(),
            }),
        });
}
