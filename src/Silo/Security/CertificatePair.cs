using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Security;

/// <summary>Reads a certificate with its key; the certificates of intermediate authorities may follow it in its file.</summary>
internal static class CertificatePair
{
    private const int Certificate = 0;
    private const int Key = 1;

    /// <param name="files">Certificate, key, ...</param>
    /// <param name="texts">What the files hold.</param>
    /// <exception cref="JobException">Not readable, not a pair, or not valid at <paramref name="now"/>.</exception>
    public static (X509Certificate2 Leaf, X509Certificate2Collection Others) Read(
        PemFiles files, IReadOnlyList<string> texts, DateTimeOffset now)
    {
        var others = Certificates(files, texts, Certificate);
        others.RemoveAt(0);
        var leaf = Join(files, texts);
        if (now < leaf.NotBefore || now > leaf.NotAfter)
            throw new JobException(ServeErrors.SettingsInvalid,
                $"{files.Name(Certificate)}: the certificate {(now < leaf.NotBefore ? "is not valid yet" : "has expired")}: "
                + $"it is valid from {Date(leaf.NotBefore)} to {Date(leaf.NotAfter)}, and it is {Date(now)}. "
                + "Renew it ('dtrain certs DIR --renew'), or correct the clock.");
        return (leaf, others);
    }

    /// <returns>One or more.</returns>
    /// <exception cref="JobException">None can be read.</exception>
    public static X509Certificate2Collection Certificates(PemFiles files, IReadOnlyList<string> texts, int file)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(texts[file]);
        }
        catch (CryptographicException e)
        {
            throw new JobException(ServeErrors.SettingsInvalid, $"{files.Name(file)}: a certificate in it cannot be read: {e.Message}", e);
        }
        return found.Count > 0 ? found : throw new JobException(
            ServeErrors.SettingsInvalid,
            $"{files.Name(file)}: found no certificate in PEM form, expected a text with -----BEGIN CERTIFICATE-----.");
    }

    /// <summary>What a handshake sends: the certificate and those between it and its authority. Nothing is fetched for it.</summary>
    public static SslStreamCertificateContext Context(X509Certificate2 leaf, X509Certificate2Collection others) =>
        SslStreamCertificateContext.Create(leaf, others, offline: true);

    public static string Date(DateTimeOffset time) => $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z";

    private static X509Certificate2 Join(PemFiles files, IReadOnlyList<string> texts)
    {
        if (texts[Key].Contains("ENCRYPTED", StringComparison.Ordinal))
            throw new JobException(
                ServeErrors.SettingsInvalid,
                $"{files.Name(Key)}: found an encrypted key, expected one without a password; "
                + "protect the file by its mode (0600).");
        if (!texts[Key].Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new JobException(
                ServeErrors.SettingsInvalid,
                $"{files.Name(Key)}: found no key in PEM form, expected a text with -----BEGIN PRIVATE KEY-----.");
        try
        {
            return X509Certificate2.CreateFromPem(texts[Certificate], texts[Key]);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The library's words may quote; these cannot.
            throw new JobException(
                ServeErrors.SettingsInvalid,
                $"{files.Name(Key)}: the key is damaged, or does not belong to the certificate in {files.Name(Certificate)}; "
                + "give the two files that were made together.");
        }
    }
}
