using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Testing;

namespace Distributed.Core.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private static readonly Gen<(TensorShape Shape, byte[] Data)[]> Contents =
        Gen.Select(Gen.Enum<TensorDtype>(), Gen.Long[0, 4].Array[0, 3], Gen.String[Gen.Char.AlphaNumeric, 0, 6])
            .SelectMany((dtype, dims, name) =>
            {
                var shape = new TensorShape(name, dtype, new(dims));
                if (shape.Shape.Aggregate(1L, (a, b) => a * b) * dtype.Bits() % 8 != 0) shape = shape with { Shape = new([.. dims, 8]) };
                return Gen.Byte.Array[(int)shape.Bytes].Select(data => (shape, data));
            })
            .Array[0, 6].Select(all => all.DistinctBy(t => t.shape.Name).ToArray());

    [Fact]
    public void Write_ThenRead_GivesBackNamesShapesAndBytes() =>
        Contents.Sample(tensors =>
        {
            var path = Write(tensors, new Dictionary<string, string> { ["format"] = "pt", ["a\"b"] = "ü" });
            using var file = SafetensorsFile.Open(path);

            Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(path)) % 8);
            Assert.Equal("ü", file.Metadata["a\"b"]);
            Assert.Equal(tensors.Length, file.Tensors.Count);
            foreach (var (shape, data) in tensors)
            {
                var entry = file.Find(shape.Name)!;
                var read = new byte[data.Length];
                file.Read(shape.Name, read);

                Assert.Equal((shape.Dtype, shape.Shape), (entry.Dtype, entry.Shape));
                Assert.Equal(data, read);
                if (data.Length < 2) continue;
                file.Read(entry, 1, read.AsSpan(0, 1));
                Assert.Equal(data[1], read[0]);
            }
        }, iter: 100, threads: 1);

    [Theory]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "needs 8")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "-1")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "1.5")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "begin <= end")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "gap or overlap")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "file holds 8")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 8, "cut short")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "overlap")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"w":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,0]}}""", 0, "9223372036854775808")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2305843009213693951],"data_offsets":[0,9223372036854775804]}}""", 4, "cut short")]
    [InlineData("""{"w":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", 2, "do not fill whole bytes")]
    [InlineData("""{"w":{"dtype":"F4","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"w":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,4]}}""", 4, "needs 3")]
    [InlineData("""{"w":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4, "dtype")]
    [InlineData("""{"w":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "shape")]
    [InlineData("""{"w":[]}""", 0, "JSON object")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "JSON")]
    [InlineData("""{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "JSON")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "metadata")]
    [InlineData("""[]""", 0, "object")]
    [InlineData("""{"w":""", 0, "JSON")]
    [InlineData("""[[[[[[[[[[[[]]]]]]]]]]]]""", 0, "JSON")]
    public void Open_HostileHeader_NamesFileAndFault(string json, int dataBytes, string expected)
    {
        var text = Encoding.UTF8.GetBytes(json);
        var path = WriteRaw((ulong)text.Length, text, dataBytes);

        var error = Assert.Throws<JobException>(() => SafetensorsFile.Open(path));

        Assert.Equal(ErrorCodes.CheckpointInvalid, error.Code);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BOOL", 8)]
    [InlineData("F4", 4)]
    [InlineData("F6_E2M3", 6)]
    [InlineData("F6_E3M2", 6)]
    [InlineData("U8", 8)]
    [InlineData("I8", 8)]
    [InlineData("F8_E5M2", 8)]
    [InlineData("F8_E4M3", 8)]
    [InlineData("F8_E5M2FNUZ", 8)]
    [InlineData("F8_E4M3FNUZ", 8)]
    [InlineData("F8_E8M0", 8)]
    [InlineData("I16", 16)]
    [InlineData("U16", 16)]
    [InlineData("F16", 16)]
    [InlineData("BF16", 16)]
    [InlineData("I32", 32)]
    [InlineData("U32", 32)]
    [InlineData("F32", 32)]
    [InlineData("C64", 64)]
    [InlineData("F64", 64)]
    [InlineData("I64", 64)]
    [InlineData("U64", 64)]
    public void Open_EveryDtypeOfTheFormat_IsRead(string word, int bits)
    {
        var header = Encoding.UTF8.GetBytes($$$"""{"w":{"dtype":"{{{word}}}","shape":[2,4],"data_offsets":[0,{{{bits}}}]}}""");
        using var file = SafetensorsFile.Open(WriteRaw((ulong)header.Length, header, bits));

        Assert.Equal(($"w {word} [2, 4]", 8L), (Assert.Single(file.Tensors).ToString(), file.Tensors[0].Elements));
        Assert.Equal(22, TensorDtypes.Words.Count);
    }

    [Fact]
    public void Open_DtypeOfAnotherFormat_IsNamedAndTheFileNotCalledDamaged()
    {
        var header = """{"w":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}"""u8.ToArray();
        var message = Assert.Throws<JobException>(() => SafetensorsFile.Open(WriteRaw((ulong)header.Length, header, 4))).Message;

        Assert.Contains("tensor \"w\" [1] has dtype \"Q4\", expected one of BOOL, F4,", message, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("504B0304140000000000", "zip archive")]
    [InlineData("80024D2E2E2E2E2E2E2E", "pickle")]
    [InlineData("7B226D6574616461746122", "JSON text")]
    [InlineData("76657273696F6E2068747470", "Git LFS pointer")]
    [InlineData("934E554D5059010076000000", "NumPy array")]
    public void Open_WhatPeopleTakeForSafetensors_IsNamed(string start, string expected)
    {
        File.WriteAllBytes(directory.File("other"), Convert.FromHexString(start));
        var message = Assert.Throws<JobException>(() => SafetensorsFile.Open(directory.File("other"))).Message;

        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1UL << 63)]
    [InlineData(ulong.MaxValue)]
    [InlineData(100_000_001UL)]
    [InlineData(3UL)]
    public void Open_HeaderLengthBeyondFile_IsRefusedBeforeAllocating(ulong length) =>
        Assert.Throws<JobException>(() => SafetensorsFile.Open(WriteRaw(length, "{}"u8.ToArray(), 0)));

    [Fact]
    public void Open_CutAnywhere_IsRefused()
    {
        var path = Write([(new("a", TensorDtype.F32, new([3])), new byte[12]), (new("b", TensorDtype.I64, new([])), new byte[8])], null);
        var whole = File.ReadAllBytes(path);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<JobException>(() => SafetensorsFile.Open(path));
        }
    }

    [Fact]
    public void Open_NoSuchFile_IsPathMissing() =>
        Assert.Equal(ErrorCodes.PathMissing, Assert.Throws<JobException>(() => SafetensorsFile.Open(directory.File("none"))).Code);

    [Fact]
    public void Open_OtherErrorCode_IsUsed() =>
        Assert.Equal("data-invalid", Assert.Throws<JobException>(
            () => SafetensorsFile.Open(WriteRaw(9, [], 0), ErrorCodes.DataInvalid)).Code);

    [Fact]
    public void Read_UnknownName_ListsThoseThatExist()
    {
        using var file = SafetensorsFile.Open(Write([(new("a", TensorDtype.U8, new([1])), [7])], null));

        Assert.Contains("it has a", Assert.Throws<JobException>(() => file.Read("x", new byte[1])).Message, StringComparison.Ordinal);
        Assert.Throws<JobException>(() => file.Read("a", new byte[2]));
    }

    [Fact]
    public void Write_CallbackOfWrongLength_Throws() =>
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(
            Stream.Null, [new("a", TensorDtype.F32, new([2]))], null, (_, stream) => stream.Write(new byte[4])));

    [Theory]
    [InlineData("a")]
    [InlineData("__metadata__")]
    public void Write_NameTwiceOrReserved_Throws(string name) =>
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(
            Stream.Null, [new("a", TensorDtype.U8, new([0])), new(name, TensorDtype.U8, new([0]))], null, (_, _) => { }));

    private string Write((TensorShape Shape, byte[] Data)[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var path = directory.File("x.safetensors");
        using var stream = File.Create(path);
        SafetensorsWriter.Write(stream, [.. tensors.Select(t => t.Shape)], metadata, (i, sink) => sink.Write(tensors[i].Data));
        return path;
    }

    private string WriteRaw(ulong headerLength, byte[] header, int dataBytes)
    {
        var path = directory.File("raw.safetensors");
        var bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, headerLength);
        header.CopyTo(bytes, 8);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
