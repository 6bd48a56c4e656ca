using Distributed.Core.Events;
using Distributed.Core.Jobs;
using static Distributed.Grains.Tests.Exchange.FakeReducers;

namespace Distributed.Grains.Tests.Exchange;

public sealed class ChunkRendezvousTests : IDisposable
{
    private readonly FakeReducers reducers = new();

    public void Dispose() => reducers.Dispose();

    [Fact]
    public async Task Add_LastOfTwoSilos_BothGetTheOneSumOfTheirChunksInRankOrder()
    {
        var rendezvous = reducers.Open();
        var (second, first) = (Chunk(1, 0), Chunk(0, 0));
        var early = rendezvous.Add(second);
        Assert.Equal(0, reducers.Asked);
        var late = rendezvous.Add(first);
        Assert.Equal([first, second], reducers.Finish());
        Assert.Same((await early).Sum, (await late).Sum);
        Assert.NotNull((await early).Sum);
    }

    [Fact]
    public async Task Add_WhatDoesNotBelong_IsRefusedWithBothValuesCountedAndNotSummed()
    {
        var rendezvous = reducers.Open();
        var waiting = rendezvous.Add(Chunk(0, 0));
        var refused = new List<string>();
        foreach (var (chunk, what) in new[]
        {
            (Chunk(1, 0, generation: 2), "found generation 2, expected 1"),
            (Chunk(2, 0), "found silo 2, expected 0 to 1"),
            (Chunk(1, 99), "found slice 99, expected 0 to"),
            (Chunk(0, 0), "found slice 0 of step 1 again, expected each once"),
            (Chunk(1, 0, step: 2), "found step 2, expected 1"),
            (Chunk(0, 0, step: 2), "found step 2, expected"),
            (Chunk(1, 2), "found slice 2, expected 0 to 1"),
            (Chunk(1, 0, handled: 1), "found slice 0 when 1 sums were taken"),
        })
        {
            var reply = await rendezvous.Add(chunk);
            Assert.Equal(ErrorCodes.Internal, reply.Error!.Code);
            Assert.Contains(what, reply.Error.Message, StringComparison.Ordinal);
            refused.Add(reply.Error.Message);
        }

        reducers.Wrong = "found a body of 7 bytes, expected 64";
        Assert.Contains(
            "found a body of 7 bytes, expected 64. Nothing of it was added; 9 refused so far",
            (await rendezvous.Add(Chunk(1, 0))).Error!.Message, StringComparison.Ordinal);
        reducers.Wrong = null;
        Assert.Equal((9L, 0, false), (rendezvous.Refused, reducers.Asked, waiting.IsCompleted));
        var genuine = Chunk(1, 0);
        _ = rendezvous.Add(genuine);
        Assert.Same(genuine, reducers.Finish()[1]);
        Assert.NotNull((await waiting).Sum);
    }

    [Fact]
    public async Task Add_SiloThatHasNotJoined_IsRefused()
    {
        var rendezvous = new Distributed.Grains.Exchange.ChunkRendezvous(
            JobId.Parse("job"),
            new Distributed.Grains.Contracts.GenerationSetup(new(1), "{}", ["a", "b"], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5)),
            reducers);
        Assert.Contains("expected it to join first", (await rendezvous.Add(Chunk(1, 0))).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Add_StepsFollowEachOther_NoMoreThanTwoAreHeld()
    {
        var rendezvous = reducers.Open();
        for (var step = 1; step <= 5; step++)
        {
            Assert.InRange(rendezvous.Steps, 0, 2);
            for (var slice = 0; slice < 2; slice++)
            {
                var replies = new[] { rendezvous.Add(Chunk(0, slice, step, slice)), rendezvous.Add(Chunk(1, slice, step, slice)) };
                reducers.Finish();
                foreach (var reply in replies) Assert.Null((await reply).Error);
            }

            Assert.Equal(1, rendezvous.Steps);
        }

        _ = rendezvous.Add(Chunk(0, 0, 6));
        Assert.Equal(2, rendezvous.Steps);
        Assert.Equal(0, rendezvous.Refused);
    }

    [Fact]
    public async Task Add_OtherFactors_FailsBothNamingSilosAndValues()
    {
        var rendezvous = reducers.Open();
        var first = rendezvous.Add(Chunk(0, 0, scale: 0.25f));
        var second = await rendezvous.Add(Chunk(1, 0, scale: 0.125f));
        Assert.Equal(ErrorCodes.Divergence, second.Error!.Code);
        Assert.Contains(
            "silos a and b differ in the gradient's factors: 0.25 * 0.5 and 0.125 * 0.5", second.Error.Message, StringComparison.Ordinal);
        Assert.Equal(second.Error, (await first).Error);
    }

    [Fact]
    public async Task Add_SumFails_ReasonReachesAllSilos()
    {
        var rendezvous = reducers.Open();
        var first = rendezvous.Add(Chunk(0, 1));
        var second = rendezvous.Add(Chunk(1, 1));
        reducers.Fail("out of luck");
        Assert.Contains(
            "Step 1, phase exchange, slice 1: the coordinator could not sum it: InvalidOperationException: out of luck",
            (await first).Error!.Message, StringComparison.Ordinal);
        Assert.Equal((await first).Error, (await second).Error);
        Assert.True(reducers.IsDisposed);
    }

    [Fact]
    public async Task Late_NamesTheMissingAndEndsTheExchangeForAll()
    {
        var rendezvous = reducers.Open(3);
        var waiting = rendezvous.Add(Chunk(2, 0));
        var error = rendezvous.Late(new(1), "c", 1, 0, TimeSpan.FromSeconds(2.5));
        Assert.Equal((ErrorCodes.Deadline, "a", 1L), (error.Code, error.Silo, error.Step));
        Assert.StartsWith(
            "Step 1, phase exchange, bucket 0: no gradients from silo a, b for 2.5 s; silo c arrived.", error.Message,
            StringComparison.Ordinal);
        Assert.Equal(error, (await waiting).Error);
        Assert.Equal(error, rendezvous.Late(new(1), "a", 1, 0, TimeSpan.FromSeconds(9)));
        Assert.Equal(error, (await rendezvous.Add(Chunk(0, 0))).Error);
    }

    [Fact]
    public void Join_OtherLayoutOrStranger_IsRefusedWithBothValues()
    {
        var rendezvous = reducers.Open();
        Assert.Contains("generation 7; the current one is 1", rendezvous.Join(new(7), "a", Layout())!.Message, StringComparison.Ordinal);
        Assert.Contains("its members are a, b", rendezvous.Join(new(1), "z", Layout())!.Message, StringComparison.Ordinal);
        var error = rendezvous.Join(new(1), "b", Layout(count: 20_001))!;
        Assert.Equal(ErrorCodes.Divergence, error.Code);
        Assert.Contains(
            "Silos a and b cut the gradient differently: parameter 0 of the flat buffer, 20000 elements at 0 and 20001 at 0", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Join_ImpossibleLayout_IsRefused()
    {
        var rendezvous = new Distributed.Grains.Exchange.ChunkRendezvous(
            JobId.Parse("job"),
            new Distributed.Grains.Contracts.GenerationSetup(new(1), "{}", ["a", "b"], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5)),
            reducers);
        Assert.Contains(
            "found a parameter beyond the end", rendezvous.Join(new(1), "a", Layout(count: 1_000_000))!.Message, StringComparison.Ordinal);
        Assert.Contains(
            "to 3 silos, generation 1 has 2", rendezvous.Join(new(1), "a", Layout(silos: 3))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leave_AllOrOneWithAReason_EndsTheReducer()
    {
        var rendezvous = reducers.Open();
        var waiting = rendezvous.Add(Chunk(0, 0));
        rendezvous.Leave(new(1), "a", null);
        rendezvous.Leave(new(2), "b", null);
        rendezvous.Leave(new(1), "z", null);
        Assert.False(reducers.IsDisposed);
        var reason = new JobError(ErrorCodes.DataInvalid, "broken", new(1), "b", "data", 1);
        rendezvous.Leave(new(1), "b", reason);
        Assert.True(reducers.IsDisposed);
        Assert.Equal(reason, (await waiting).Error);
    }
}
