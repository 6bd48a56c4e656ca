using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Cluster;

/// <summary>Which certificates of a cluster's endpoints are believed, and why the last one of each was not.</summary>
/// <param name="authorities">The only authorities to trust; null: those of this machine.</param>
internal sealed class ServerTrust(X509Certificate2Collection? authorities, TimeProvider time)
{
    private readonly ConcurrentDictionary<Uri, string?> refusals = new();

    /// <returns>Why the certificate of the endpoint at this address was refused; null: it was not.</returns>
    public string? RefusalOf(Uri address) => refusals.GetValueOrDefault(address);

    /// <param name="file">Authorities in PEM; null: those of this machine.</param>
    /// <exception cref="CommandFailure">There are none in the file.</exception>
    public static ServerTrust Read(string? file, TimeProvider time)
    {
        if (string.IsNullOrEmpty(file)) return new ServerTrust(null, time);
        file = HomeFolder.Expand(file, "The file of authorities");
        if (Directory.Exists(file))
            throw new CommandFailure(
                ExitCode.Usage, $"The file of authorities '{file}' is a folder, expected a file of certificates in PEM form.");
        try
        {
            X509Certificate2Collection read = [];
            read.ImportFromPemFile(file);
            if (read.Count > 0) return new ServerTrust(read, time);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The file of authorities '{file}' cannot be read: {unreadable.Message}");
        }
        catch (CryptographicException)
        {
            // Said below.
        }
        throw new CommandFailure(
            ExitCode.Usage,
            $"The file of authorities '{file}' holds no certificate in PEM form, expected a text with -----BEGIN CERTIFICATE-----.");
    }

    public SslClientAuthenticationOptions Options(Uri address)
    {
        SslClientAuthenticationOptions options = new()
        {
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                (refusals[address] = Judge(certificate as X509Certificate2, chain, errors, address.IdnHost)) is null,
        };
        if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return options;
    }

    private string? Judge(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (errors == SslPolicyErrors.None) return null;
        if (certificate is null || chain is null) return "it presented no certificate";
        foreach (var element in chain.ChainElements)
        {
            if (!element.ChainElementStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid))) continue;
            var late = time.GetUtcNow() > element.Certificate.NotAfter;
            return $"its certificate {element.Certificate.Subject} {(late ? "has expired" : "is not valid yet")}: "
                + $"it is valid from {Date(element.Certificate.NotBefore)} to {Date(element.Certificate.NotAfter)}, "
                + $"and it is {Date(time.GetUtcNow())} here. "
                + (late
                    ? "The operator of the cluster renews it ('dtrain certs DIR --renew')"
                    : "Correct the clock of this machine, or of the one that made it");
        }
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
        {
            var remedy = authorities is null
                ? "this machine does not trust. Name the file of its authority with --ca"
                : "is none of the authorities in the file that --ca names. Ask who runs the cluster for the right one";
            return $"its certificate {certificate.Subject} is signed by {certificate.Issuer}, which {remedy}";
        }

        return $"its certificate {certificate.Subject} is for {string.Join(", ", Hosts(certificate))}, not for {host}. "
            + $"Use one of these names, or have it renewed with '--host {host}'";
    }

    private static IEnumerable<string> Hosts(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return names is null
            ? ["no host at all"]
            : names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(a => a.ToString()));
    }

    private static string Date(DateTimeOffset date) => $"{date.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z";
}
