using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Distributed.Grains.Tests.Exchange;

public sealed class ExchangeChunkCodecTests : IDisposable
{
    private static readonly ChunkHeader Header = new(new(3), 1L << 40, 17, 2, 15, true, float.Epsilon, -0.0f);
    private readonly ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => services.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData(ExchangeChunk.LargestBody)]
    public void Serialize_Chunk_ComesBackInMemoryOfItsOwn(int bytes)
    {
        var chunk = new ExchangeChunk(Header, ChunkBuffer.Rent(bytes));
        new Random(7).NextBytes(chunk.Body!.Span);
        var back = Through(new ExchangeReply(chunk, null)).Sum!;
        Assert.Equal(Header, back.Header);
        Assert.NotSame(chunk.Body, back.Body);
        Assert.True(chunk.Body.Span.SequenceEqual(back.Body!.Span));
        Assert.Equal(0, back.Body.Address % 64);
    }

    [Fact]
    public void Serialize_BodyBeyondTheLimit_IsNotReadButItsLengthIsKnown()
    {
        var chunk = new ExchangeChunk(Header, ChunkBuffer.Rent(ExchangeChunk.LargestBody + 1));
        var back = Through(new ExchangeReply(chunk, null)).Sum!;
        Assert.Null(back.Body);
        Assert.Equal((Header, ExchangeChunk.LargestBody + 1L), (back.Header, back.BodyBytes));
    }

    [Fact]
    public void Serialize_ReplyWithoutSum_KeepsTheError()
    {
        var reply = new ExchangeReply(null, new JobError(ErrorCodes.Deadline, "late", null, "b", "exchange", 3));
        Assert.Equal(reply, Through(reply));
    }

    [Fact]
    public void Copy_WithinAProcess_PassesTheSameChunk()
    {
        var reply = new ExchangeReply(new ExchangeChunk(Header, ChunkBuffer.Rent(64)), null);
        Assert.Same(reply.Sum, services.GetRequiredService<DeepCopier>().Copy(reply).Sum);
    }

    [Fact]
    public void ReturnReceived_OnlyMemoryThatTheCodecMade_GoesBackToThePool()
    {
        var chunk = new ExchangeChunk(Header, ChunkBuffer.Rent(50_000));
        var back = Through(new ExchangeReply(chunk, null)).Sum!;
        chunk.ReturnReceived();
        back.ReturnReceived();
        var pooled = Enumerable.Range(0, 33).Select(_ => ChunkBuffer.Rent(50_000)).ToList();
        Assert.Contains(back.Body, pooled);
        Assert.DoesNotContain(chunk.Body, pooled);
    }

    [Fact]
    public void Rent_Any_IsAlignedAndBounded()
    {
        foreach (var bytes in new[] { 1, 4096, 4097, 1 << 20 })
        {
            var buffer = ChunkBuffer.Rent(bytes);
            Assert.Equal((0, bytes), ((int)(buffer.Address % 64), buffer.Length));
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Length = 4 << 20);
            Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Spill(1, buffer.Address, bytes));
        }
    }

    private ExchangeReply Through(ExchangeReply reply)
    {
        var serializer = services.GetRequiredService<Serializer>();
        return serializer.Deserialize<ExchangeReply>(serializer.SerializeToArray(reply))!;
    }
}
