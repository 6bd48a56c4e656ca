using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace Distributed.Grains.Contracts;

/// <summary>Writes chunks straight from their pinned buffers and reads them straight into such.</summary>
/// <remarks>Orleans writes a message after the call has returned: a buffer stays as it is until the answer is here.</remarks>
[RegisterSerializer]
public sealed class ExchangeChunkCodec : IFieldCodec<ExchangeChunk?>
{
    private const int HeaderBytes = 33;

    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, ExchangeChunk? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(ExchangeChunk), WireType.LengthPrefixed);
        var body = value.Body is { } buffer ? buffer.Span : [];
        writer.WriteVarUInt32((uint)(HeaderBytes + body.Length));
        var header = value.Header;
        writer.WriteInt32(header.Generation.Value);
        writer.WriteInt64(header.Step);
        writer.WriteInt32(header.Slice);
        writer.WriteInt32(header.Silo);
        writer.WriteInt32(header.Handled);
        writer.WriteByte((byte)(header.FoundInf ? 1 : 0));
        writer.WriteInt32(BitConverter.SingleToInt32Bits(header.InverseScale));
        writer.WriteInt32(BitConverter.SingleToInt32Bits(header.MeanFactor));
        writer.Write(body);
    }

    public ExchangeChunk? ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference) return ReferenceCodec.ReadReference<ExchangeChunk, TInput>(ref reader, field);
        ReferenceCodec.MarkValueField(reader.Session);
        field.EnsureWireType(WireType.LengthPrefixed);
        var length = reader.ReadVarUInt32();
        if (length < HeaderBytes) throw new InvalidDataException($"An exchange chunk of {length} bytes; expected at least {HeaderBytes}.");
        var header = new ChunkHeader(
            new(reader.ReadInt32()), reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadByte() != 0,
            BitConverter.Int32BitsToSingle(reader.ReadInt32()), BitConverter.Int32BitsToSingle(reader.ReadInt32()));
        var bytes = length - HeaderBytes;
        if (bytes > ExchangeChunk.LargestBody)
        {
            // The receiver refuses it; no memory is spent on it before.
            reader.Skip(bytes);
            return new ExchangeChunk(header, null, bytes);
        }

        var body = ChunkBuffer.Rent((int)bytes);
        reader.ReadBytes(body.Span);
        return new ExchangeChunk(header, body, bytes);
    }
}

/// <summary>Within a process a chunk is passed as it is.</summary>
[RegisterCopier]
public sealed class ExchangeChunkCopier : IDeepCopier<ExchangeChunk?>, IOptionalDeepCopier
{
    public ExchangeChunk? DeepCopy(ExchangeChunk? input, CopyContext context) => input;

    public bool IsShallowCopyable() => true;
}
