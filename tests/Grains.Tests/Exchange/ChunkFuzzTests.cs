using Distributed.Core.Canonical;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;
using Distributed.Testing.Fuzz;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Distributed.Grains.Tests.Exchange;

/// <summary>Messages of the exchange through the coordinator, as another silo may send them.</summary>
public sealed class ChunkFuzzTests : IDisposable
{
    private static readonly ExchangeLayout Layout = new(2 * BlockPlan.BlockElements, [1, 3], [0], [10]);
    private readonly ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => services.Dispose();

    [Fact]
    public void Chunk_Damaged_IsReadOrRefusedWithinItsBounds()
    {
        var serializer = services.GetRequiredService<Serializer<ExchangeReply>>();
        using var reducer = new ChunkReducer("job", Layout);
        FuzzRun.Hold([Bytes(serializer, 64), Bytes(serializer, 64 + (BlockPlan.BlockElements * sizeof(float))), serializer.SerializeToArray(new ExchangeReply(null, null))], input =>
        {
            ExchangeReply? read;
            try
            {
                read = serializer.Deserialize(input);
            }
            // Orleans refuses a message whatever its reading throws.
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                return;
            }

            if (read?.Sum is not { } chunk) return;
            Assert.Equal(chunk.Body is null, chunk.BodyBytes > ExchangeChunk.LargestBody);
            if (chunk.Body is { } body)
            {
                Assert.Equal(chunk.BodyBytes, body.Length);
                reducer.Misfit(chunk);
            }

            chunk.ReturnReceived();
        });
    }

    private static byte[] Bytes(Serializer<ExchangeReply> serializer, int bytes)
    {
        var body = ChunkBuffer.Rent(bytes);
        body.Span.Clear();
        body.Span[0] = 2;
        return serializer.SerializeToArray(new ExchangeReply(new ExchangeChunk(new ChunkHeader(1, 1, 0, 0, 0, false, 1, 1), body), null));
    }
}
