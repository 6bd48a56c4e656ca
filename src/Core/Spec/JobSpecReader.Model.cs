using Distributed.Core.Documents;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private const double MostParameters = 4e9;

    private static ModelSpec? ReadModel(SpecSection? model)
    {
        if (model is null) return null;
        var catalog = JobCatalog.Current.Models;
        var name = model.Word("name", catalog.Names, required: true);
        var weights = model.Text("weights");
        var options = catalog.Read(model, name);
        if (options is not null)
        {
            options.Check(model);
            // At the first of the keys that sizes are made of.
            if (options.ParameterCount is var parameters && parameters > MostParameters)
                model.Fail(
                    catalog.Find(name!)!.Set.Options.FirstOrDefault(o => o.IsRequired)?.Key ?? "name",
                    FormattableString.Invariant($"found sizes that make {parameters:0} parameters, expected at most {MostParameters:0}"));
        }
        model.End();
        return name is null || options is null ? null : new() { Name = name, Options = options, Weights = weights };
    }
}
