using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Training.Parameters;

namespace Distributed.Training.Checkpoints;

/// <summary>Weights from a safetensors file, by PyTorch's parameter names: a new run that starts from them, not a resumed one.</summary>
internal static class WarmStart
{
    /// <summary>What DistributedDataParallel and torch.compile put before the names of a model's parameters.</summary>
    private static readonly string[] Wrappers = ["module.", "_orig_mod."];

    /// <returns>What the user should know: conversions, and tensors that the model has no place for.</returns>
    /// <exception cref="JobException">
    /// A file that does not exist, or lacks a parameter, or has it twice, in another shape or with values that are not finite.
    /// </exception>
    public static IReadOnlyList<string> Load(string path, Replica replica)
    {
        if (!Path.Exists(path))
            throw new JobException(ErrorCodes.PathMissing, $"model.weights: {path} does not exist; expected a safetensors file.");
        using var file = SafetensorsFile.Open(path, ErrorCodes.DataInvalid);
        var names = Match(file, replica.Layout);
        TensorFiles.Read(
            file, replica.Layout, replica.Master, name => names.GetValueOrDefault(name, name), FloatTensor.Convertible,
            ErrorCodes.DataInvalid);
        return [.. Notes(file, [.. names.Values])];
    }

    /// <returns>Parameter name to tensor name, for those that the file has.</returns>
    private static Dictionary<string, string> Match(SafetensorsFile file, ParameterLayout layout)
    {
        var found = file.Tensors.ToLookup(tensor => Bare(tensor.Name), tensor => tensor.Name, StringComparer.Ordinal);
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in layout.Parameters.Select(p => p.Name))
        {
            var candidates = found[parameter].ToList();
            if (candidates.Count > 1)
                throw new JobException(
                    ErrorCodes.DataInvalid,
                    $"{file.Path}: tensors {string.Join(" and ", candidates.Select(name => $"\"{name}\""))} are all \"{parameter}\" "
                    + $"without the prefixes {string.Join(" and ", Wrappers)}; leave one of them.");
            if (candidates.Count == 1) names.Add(parameter, candidates[0]);
        }

        return names;
    }

    private static string Bare(string name)
    {
        while (Array.Find(Wrappers, wrapper => name.StartsWith(wrapper, StringComparison.Ordinal)) is { } wrapper)
            name = name[wrapper.Length..];
        return name;
    }

    private static IEnumerable<string> Notes(SafetensorsFile file, HashSet<string> used)
    {
        foreach (var converted in file.Tensors.Where(t => used.Contains(t.Name) && t.Dtype != TensorDtype.F32).GroupBy(t => t.Dtype))
            yield return $"model.weights: {converted.Count()} of {used.Count} parameters of {file.Path} are {converted.Key.Word()}; "
                + "they were converted to F32.";
        if (file.Tensors.Where(t => !used.Contains(t.Name)).ToList() is { Count: > 0 } others)
            yield return $"model.weights: {file.Path} holds {others.Count} tensor(s) that the model has no parameter for; "
                + $"they are ignored: {TensorFiles.List(others)}.";
    }
}
