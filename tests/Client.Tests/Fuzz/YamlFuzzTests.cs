using System.Text;
using Distributed.Client.Files;
using Distributed.Core.Documents;
using Distributed.Core.Spec;
using Distributed.Testing.Fuzz;

namespace Distributed.Client.Tests.Fuzz;

public sealed class YamlFuzzTests
{
    [Fact]
    public void JobYaml_Damaged_IsReadOrRefusedInWords() => FuzzRun.Hold(
        [
            .. ((string[])["""
                # a job
                name: shapes
                model: { name: mlp, sizes: [3072, 16, 10] }
                data: { name: shapes }
                precision: mixed_bfloat16
                globalBatch: 128
                microBatch: 32
                epochs: 8
                optimizer: { name: adamw, lr: 0.002, noDecay: ["*.bias", 'x'] }
                evaluate:
                  everySteps: 100
                """, """
                name: "quoted \u00e9"
                data:
                  name: tensors
                  path: >
                    folded
                    text
                model:
                  name: mlp
                  sizes:
                    - 1
                    - 2
                """, "{\"name\": \"json\", \"steps\": 3}"]).Select(Encoding.UTF8.GetBytes),
        ],
        input =>
        {
            var parsed = JobFile.Parse(Encoding.UTF8.GetString(input), isJson: false);
            var errors = parsed.Root is { } root ? JobSpecReader.Read(root).Errors : parsed.Errors;
            Assert.True(parsed.Root is not null || errors.Count > 0);
            Assert.InRange(errors.Count, 0, SpecBounds.MostErrors + 1);
            Assert.All(errors, error => Assert.True(
                Distributed.Core.Values.PlainText.IsPlain(error.Format("job.yaml")),
                Distributed.Core.Values.PlainText.Show(error.Format("job.yaml"), 1000)));
        });
}
