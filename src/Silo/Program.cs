using Distributed.Silo.Doctor;
using Distributed.Silo.Hosting;
using Distributed.Silo.Lifecycle;

return args switch
{
    [] => await ServeCommand.Run([]),
    ["serve", .. var rest] => await ServeCommand.Run(rest),
    ["doctor", .. var rest] => MachineDoctor.Run(Lifeline.FollowIfAsked(rest, out _)),
    ["symbols", .. var rest] => SymbolsCommand.Run(rest),
    [var verb, ..] => Usage(verb),
};

static int Usage(string verb)
{
    Console.Error.WriteLine($"dtrain-silo: unknown verb '{verb}'; expected serve [--lifeline], doctor or symbols.");
    return 2;
}
