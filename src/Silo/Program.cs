using Distributed.Silo.Bench;
using Distributed.Silo.Bench.AllReduce;
using Distributed.Silo.Doctor;
using Distributed.Silo.Hosting;
using Distributed.Silo.Lifecycle;

return args switch
{
    [] => await ServeCommand.Run([], AllReduceHost.AddTo),
    ["serve", .. var rest] => await ServeCommand.Run(rest, AllReduceHost.AddTo),
    ["bench", .. var rest] => await BenchCommand.Run(Lifeline.FollowIfAsked(rest, out var gone), gone),
    ["doctor", .. var rest] => DoctorCommand.Run(Lifeline.FollowIfAsked(rest, out _)),
    ["symbols", .. var rest] => SymbolsCommand.Run(rest),
    [var verb, ..] => Usage(verb),
};

static int Usage(string verb)
{
    Console.Error.WriteLine($"dtrain-silo: unknown verb '{verb}'; expected serve [--lifeline], bench NAME, doctor or symbols.");
    return 2;
}
