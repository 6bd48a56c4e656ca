using System.CommandLine;
using Distributed.Client.Certificates;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;

namespace Distributed.Client.Commands;

internal static class CertsCommand
{
    private const int UsualDays = 365;
    private const int MostDays = 3650;

    public static Command Create()
    {
        Argument<string> folder =
            new("DIR") { Description = "Where the files go: ca, endpoint (for gRPC) and silo, each a .crt and a .key." };
        Option<string[]> host = new("--host")
        {
            HelpName = "NAME-OR-IP",
            Description = "A host name or address of the endpoint, in addition to localhost; may be repeated.",
            CustomParser = result => [.. result.Tokens.Select(t => Host(t.Value, result.AddError))],
        };
        var days = NumberOption.Whole("--days", "N", $"Days that the certificates last. Default: {UsualDays}.", 1, MostDays);
        Option<bool> renew = new("--renew")
        {
            Description = "New certificates from the authority that is in DIR, for the same hosts unless --host says otherwise.",
        };
        Verb verb = new(
            "certs",
            "Makes a private authority and the certificates of a cluster: one for the endpoint of its silos, "
            + "one for the connections between silos.",
            "dtrain certs /etc/dtrain/tls --host trainer.example --host 10.0.0.5",
            "dtrain certs /etc/dtrain/tls --renew --days 90")
        {
            folder, host, days, renew,
        };
        verb.SetAction(parse =>
        {
            var path = HomeFolder.Expand(parse.GetRequiredValue(folder), "DIR");
            CertificateFolder certificates = new(path, TimeProvider.System.GetUtcNow());
            var hosts = parse.GetValue(host) ?? [];
            var made = Make(path, () => parse.GetValue(renew)
                ? certificates.Renew(hosts, parse.GetValue(days) ?? UsualDays)
                : certificates.Create(hosts, parse.GetValue(days) ?? UsualDays));
            TextTable.Write(
                parse.InvocationConfiguration.Output, ["CERTIFICATE", "VALID UNTIL", "HOSTS"],
                [.. made.Select(c => new[] { c.Path, $"{c.Until:yyyy-MM-dd}", string.Join(' ', c.Hosts) })]);
            var full = Path.GetFullPath(path);
            parse.InvocationConfiguration.Error.WriteLine(
                $"""
                The .key files are secret; ca.key is needed for --renew only and best kept elsewhere. Each silo takes
                  DTRAIN_TLS_CERT={full}/endpoint.crt DTRAIN_TLS_KEY={full}/endpoint.key
                  DTRAIN_SILO_CERT={full}/silo.crt DTRAIN_SILO_KEY={full}/silo.key DTRAIN_SILO_CA={full}/ca.crt
                and each client --ca {full}/ca.crt or DTRAIN_CA_FILE. Running silos take renewed files over by themselves.
                """);
            return ExitCode.Done;
        });
        return verb;
    }

    private static IReadOnlyList<MadeCertificate> Make(string path, Func<IReadOnlyList<MadeCertificate>> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The certificates cannot be written to {path}: {e.Message}");
        }
    }

    private static string Host(string text, Action<string> refuse)
    {
        // A name may stand for all hosts of a domain.
        var name = text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text;
        if (Uri.CheckHostName(name) == UriHostNameType.Unknown || !name.All(char.IsAscii))
            refuse($"--host: found '{text}', expected a host name or an IP address, such as trainer.example or 10.0.0.5.");
        return text;
    }
}
