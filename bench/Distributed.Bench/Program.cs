using Distributed.Bench.AllReduce;
using Distributed.Bench.Command;
using Distributed.Silo.Hosting;
using Distributed.Silo.Lifecycle;

// "serve" is the silo of a bench: as any other, and it takes part in timed all-reduces.
return args switch
{
    ["serve", "--lifeline"] => await ServeCommand.ServeClient(AllReduceHost.AddTo),
    [var name, ..] when name != "serve" => await BenchRunner.Run(Lifeline.FollowIfAsked(args, out var gone), gone),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        "dtrain-bench: expected the name of a bench and its options, or serve --lifeline; 'dtrain bench --help' says more.");
    return 2;
}
