using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Certificates;

/// <summary>
/// The folder of a cluster's certificates: <c>ca</c>, <c>endpoint</c> and <c>silo</c>, each a .crt and a .key that only its owner may read.
/// </summary>
internal sealed class CertificateFolder(string path, DateTimeOffset now)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Open = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private static readonly string[] Always = ["localhost", "127.0.0.1", "::1"];
    private static readonly string[] Names = ["ca", "endpoint", "silo"];

    /// <summary>Makes an authority and the certificates.</summary>
    /// <returns>What was written.</returns>
    /// <exception cref="CommandFailure">Something of that name is there already.</exception>
    public IReadOnlyList<MadeCertificate> Create(IReadOnlyList<string> hosts, int days)
    {
        var there = Names.SelectMany(n => new[] { $"{n}.crt", $"{n}.key" }).Where(f => File.Exists(At(f))).ToList();
        if (there.Count > 0)
            throw new CommandFailure(
                ExitCode.Usage,
                $"{path} already holds {string.Join(", ", there)}; existing files are not overwritten. "
                + "Name another folder, or use --renew for new certificates from the authority that is there.");
        Directory.CreateDirectory(path);
        using var maker = CertificateMaker.Create(now);
        return [Write("ca", maker.Authority, [], replace: false), .. WriteLeaves(maker, hosts, days, replace: false)];
    }

    /// <summary>Makes new certificates from the authority that is there.</summary>
    /// <param name="hosts">Empty: those of the certificate that is replaced.</param>
    /// <exception cref="CommandFailure">There is no authority, or it has expired; no hosts are known.</exception>
    public IReadOnlyList<MadeCertificate> Renew(IReadOnlyList<string> hosts, int days)
    {
        using var maker = ReadAuthority();
        if (maker.Authority.NotAfter < now)
            throw new CommandFailure(
                ExitCode.Usage,
                $"The authority in {path} has expired on {maker.Authority.NotAfter:yyyy-MM-dd}. Make a new one in another folder, "
                + "and give all silos and clients one file with both authorities during the change.");
        return WriteLeaves(maker, hosts.Count > 0 ? hosts : PresentHosts(), days, replace: true);
    }

    private List<MadeCertificate> WriteLeaves(CertificateMaker maker, IReadOnlyList<string> hosts, int days, bool replace)
    {
        List<string> all = [.. hosts.Concat(Always).Distinct(StringComparer.OrdinalIgnoreCase)];
        using var endpoint = maker.MakeEndpoint(all, now, days);
        using var silo = maker.MakeSilo(now, days);
        return [Write("endpoint", endpoint, all, replace), Write("silo", silo, [CertificateMaker.SiloName], replace)];
    }

    private CertificateMaker ReadAuthority()
    {
        try
        {
            return CertificateMaker.Read(File.ReadAllText(At("ca.crt")), File.ReadAllText(At("ca.key")));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"--renew: {path} holds no authority (ca.crt and ca.key). Without --renew a new one is made.");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"--renew: {At("ca.crt")} and {At("ca.key")} are not an authority and its key in PEM form.");
        }
    }

    private IReadOnlyList<string> PresentHosts()
    {
        try
        {
            using var endpoint = X509Certificate2.CreateFromPem(File.ReadAllText(At("endpoint.crt")));
            var names = endpoint.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
            return [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(a => a.ToString())];
        }
        catch (Exception e) when (e is FileNotFoundException or CryptographicException or InvalidOperationException)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"--renew: {path} holds no endpoint.crt that names the hosts. Name them with --host.");
        }
    }

    private MadeCertificate Write(string name, X509Certificate2 certificate, IReadOnlyList<string> hosts, bool replace)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        // A silo takes the pair over once both halves are there.
        Write($"{name}.key", key.ExportPkcs8PrivateKeyPem(), Secret, replace);
        Write($"{name}.crt", certificate.ExportCertificatePem(), Open, replace);
        return new MadeCertificate(At($"{name}.crt"), certificate.NotAfter.ToUniversalTime(), hosts);
    }

    private void Write(string name, string text, UnixFileMode mode, bool replace)
    {
        var target = At(name);
        var draft = replace ? $"{target}.new" : target;
        if (replace) File.Delete(draft);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using (var stream = new FileStream(draft, options))
        using (var writer = new StreamWriter(stream))
            writer.WriteLine(text);
        if (replace) File.Move(draft, target, overwrite: true);
    }

    private string At(string name) => Path.Combine(path, name);
}

/// <param name="Hosts">Names that it stands for; empty for the authority.</param>
internal sealed record MadeCertificate(string Path, DateTime Until, IReadOnlyList<string> Hosts);
