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
// write the same bytes while a cluster is upgraded silo by silo.
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

    public JobId ReadValue<TInput>(ref Reader<TInput> reader, Field field) => StringCodec.ReadValue(ref reader, field) is { Length: > 0 } text ? JobId.Parse(text) : default;
}

/// <summary>None is a null; a text that an earlier version wrote may be a reference to one before it.</summary>
[RegisterSerializer]
public sealed class OptionalJobIdCodec : IFieldCodec<JobId?>
{
    private readonly JobIdCodec codec = new();

    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, JobId? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is { } id) codec.WriteField(ref writer, fieldIdDelta, expectedType == typeof(JobId?) ? typeof(JobId) : expectedType, id);
        else ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
    }

    public JobId? ReadValue<TInput>(ref Reader<TInput> reader, Field field) => codec.ReadValue(ref reader, field) is var id && id == default ? null : id;
}
