using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Exchange;
using Distributed.Silo.Exchange;
using Distributed.Testing.Fuzz;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Distributed.Grains.Tests.Exchange;

/// <summary>Messages of the exchange through the coordinator, as another silo may send them.</summary>
public sealed class ChunkFuzzTests : IDisposable
{
    private static readonly ExchangeLayout Layout = new(2 * BlockPlan.BlockElements, [1, 3], [0], [10]);
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);
    private static readonly JobError Over = new(ErrorCodes.Internal, "Over.", null, null, null, null);
    private readonly ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => services.Dispose();

    [Fact]
    public void Chunk_Damaged_IsReadOrRefusedWithinItsBounds()
    {
        var serializer = services.GetRequiredService<Serializer<ExchangeReply>>();
        FuzzRun.Hold(
            [Bytes(serializer, 64), Bytes(serializer, 64 + (BlockPlan.BlockElements * sizeof(float))),
                serializer.SerializeToArray(new ExchangeReply(null, null))],
            input =>
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
                Assert.Equal(chunk.BodyBytes, chunk.Body?.Length ?? chunk.BodyBytes);
                // As the coordinator takes it, of a silo that has joined.
                ChunkRendezvous rendezvous = new(
                    JobId.Parse("job"), new GenerationSetup(Generation.First, "{}", ["silo-0", "silo-1"], Deadline, Deadline),
                    new ChunkReducers());
                foreach (var silo in (string[])["silo-0", "silo-1"]) Assert.Null(rendezvous.Join(Generation.First, silo, Layout));
                var answer = rendezvous.Add(chunk);
                rendezvous.Close(Over);
                Assert.NotNull(answer.Result.Error);
                chunk.ReturnReceived();
            });
    }

    private static byte[] Bytes(Serializer<ExchangeReply> serializer, int bytes)
    {
        var body = ChunkBuffer.Rent(bytes);
        body.Span.Clear();
        body.Span[0] = 2;
        return serializer.SerializeToArray(
            new ExchangeReply(new ExchangeChunk(new ChunkHeader(Generation.First, 1, 0, 0, 0, false, 1, 1), body), null));
    }
}
