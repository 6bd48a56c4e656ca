using System.Buffers.Binary;
using System.Text;
using Distributed.Core.Checkpoints;
using Distributed.Testing.Fuzz;

namespace Distributed.Core.Tests.Fuzz;

/// <summary>Files that a checkpoint consists of.</summary>
public sealed class CheckpointFuzzTests
{
    [Fact]
    public void Safetensors_Damaged_IsReadOrRefusedInWords() => FuzzRun.HoldFile(
        "model.safetensors",
        [
            Safetensors(
                """{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}"""
                + ""","b":{"dtype":"BF16","shape":[4],"data_offsets":[16,24]}}""", 24),
            Safetensors("""{"x":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}""", 8),
        ],
        path =>
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var tensor in file.Tensors.Where(t => file.Tensors.Count < 100)) file.Find(tensor.Name);
        });

    [Fact]
    public void State_Damaged_IsReadOrRefusedInWords() => FuzzRun.HoldFile(
        "state.json",
        [Encoding.UTF8.GetBytes("""{"version":1,"step":5,"updates":4,"seed":7,"fingerprint":"f","lossScale":{"scale":65536"""
            + ""","growthTracker":3,"hysteresis":1,"lastOverflow":2,"consecutiveSkips":0},"unexplainedSkips":{"count":1,"firstStep":2"""
            + ""","firstParameter":"a"},"recentSkips":0.25,"data":{"train":10,"test":2,"classes":10,"vocabulary":0,"sha256":"ab"}"""
            + ""","parameterSteps":{"a":4},"job":{"name":"a"}}""")],
        path => TrainingStateFile.Read(path));

    [Fact]
    public void Manifest_Damaged_IsReadOrRefusedInWords() => FuzzRun.Hold(
        [new CheckpointManifest(
            3, "0.1.0", [new("model.safetensors", 100, new string('a', 64)), new("state.json", 10, new string('b', 64))]).Serialize()],
        input =>
        {
            try
            {
                CheckpointManifest.Parse(input);
            }
            catch (FormatException)
            {
                // Its own words; the store adds the file.
            }
        });

    private static byte[] Safetensors(string header, int data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }
}
