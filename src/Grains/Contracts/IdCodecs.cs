using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Distributed.Core.Jobs;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

// On the wire an id of a job is a text, a generation and a rank are numbers: silos of an earlier version, which know them as such, read and
// write the same bytes while a cluster is upgraded silo by silo. For the same reason the methods of grains that take one bear as alias the
// number that Orleans gave them when it was a text or a number.
namespace Distributed.Grains.Contracts;

[RegisterSerializer, RegisterCopier]
public sealed class JobIdCodec : ShallowCopier<JobId>, IFieldCodec<JobId>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, JobId value)
        where TBufferWriter : IBufferWriter<byte>
    {
        // A text is counted among what later fields may refer to.
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(JobId), WireType.LengthPrefixed);
        var text = Encoding.ASCII.GetBytes(value.ToString());
        writer.WriteVarUInt32((uint)text.Length);
        writer.Write(text);
    }

    public JobId ReadValue<TInput>(ref Reader<TInput> reader, Field field) =>
        StringCodec.ReadValue(ref reader, field) is { Length: > 0 } text ? JobId.Parse(text) : default;
}

[RegisterSerializer, RegisterCopier]
public sealed class GenerationCodec : ShallowCopier<Generation>, IFieldCodec<Generation>
{
    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, Generation value)
        where TBufferWriter : IBufferWriter<byte> =>
        Int32Codec.WriteField(ref writer, fieldIdDelta, expectedType, value.Value, typeof(Generation));

    public Generation ReadValue<TInput>(ref Reader<TInput> reader, Field field) => new(Int32Codec.ReadValue(ref reader, field));
}

[RegisterSerializer, RegisterCopier]
public sealed class RankCodec : ShallowCopier<Rank>, IFieldCodec<Rank>
{
    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, Rank value)
        where TBufferWriter : IBufferWriter<byte> =>
        Int32Codec.WriteField(ref writer, fieldIdDelta, expectedType, value.Value, typeof(Rank));

    public Rank ReadValue<TInput>(ref Reader<TInput> reader, Field field) => new(Int32Codec.ReadValue(ref reader, field));
}
