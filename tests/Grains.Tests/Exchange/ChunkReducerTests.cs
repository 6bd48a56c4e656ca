using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;

namespace Distributed.Grains.Tests.Exchange;

/// <summary>What the arithmetic's side says of bodies; its sums are held by <see cref="CoordinatorExchangeTests"/>.</summary>
public sealed class ChunkReducerTests
{
    private const int SliceBytes = 2 * BlockPlan.BlockElements * sizeof(float);

    // Two silos with one and two micro-batches, one of which cannot merge with the other; the first slice has two of the five blocks.
    private static readonly ExchangeLayout Layout = new(5 * BlockPlan.BlockElements, [1, 3], [0, 64], [10, 20_000]);

    [Theory]
    [InlineData(64, true, "found a body of 64 bytes, expected 32832 for 1 partials")]
    [InlineData(64 + SliceBytes, false, "found a body of 32832 bytes, expected 64 for 0 partials")]
    [InlineData(64 + SliceBytes + 1, true, "found a body of 32833 bytes, expected 64 to 32832")]
    [InlineData(12, true, "found a body of 12 bytes, expected 64 to 32832")]
    [InlineData(64 + SliceBytes, true, null)]
    [InlineData(64, false, null)]
    public void Misfit_Body_IsMeasuredByWhatItSaysIsPresent(int bytes, bool present, string? expected)
    {
        using var reducer = new ChunkReducer(JobId.Parse("job"), Layout);
        var body = ChunkBuffer.Rent(bytes);
        body.Span.Clear();
        body.Span[0] = (byte)(present ? 2 : 0);
        Assert.Equal(expected, reducer.Misfit(new ExchangeChunk(new ChunkHeader(new(1), 1, 0, 0, 0, false, 1, 1), body)));
    }

    [Theory]
    [InlineData(5000, 0, 10, "found 5000 elements, expected whole blocks of 4096")]
    [InlineData(4096, 0, 5000, "found a parameter of 5000 elements at 0, expected one within 0 and 4096")]
    [InlineData(4096, 4000, long.MaxValue, "found a parameter of 9223372036854775807 elements at 4000")]
    public void Open_ImpossibleLayout_IsRefused(long elements, long offset, long count, string expected)
    {
        var error = Assert.Throws<ArgumentException>(
            () => new ChunkReducers().Open(JobId.Parse("job"), new ExchangeLayout(elements, [1, 2], [offset], [count])));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
