using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;
using Orleans.Runtime.Messaging;

namespace Distributed.Silo.Security;

/// <summary>Puts TLS under Orleans' connections between silos; both sides prove that they are silos of this cluster.</summary>
internal sealed class MutualTlsMiddleware(SiloIdentity identity, RefusedPeers refused, TimeProvider time, bool answering)
    : IConnectionMiddleware
{
    private const int ReadBytes = 64 * 1024;
    private static readonly StreamPipeReaderOptions Reading = new(bufferSize: ReadBytes, minimumReadSize: ReadBytes / 4, leaveOpen: true);
    private static readonly StreamPipeWriterOptions Writing = new(minimumBufferSize: ReadBytes, leaveOpen: true);

    /// <summary>On every kind of connection that a silo has.</summary>
    public static void AddTo(IServiceCollection services) =>
        services.AddOptions<SiloConnectionOptions>()
            .Configure<SiloIdentity, RefusedPeers, TimeProvider>((options, identity, refused, time) =>
            {
                options.ConfigureSiloOutboundConnection(
                    c => c.UseMiddleware(new MutualTlsMiddleware(identity, refused, time, answering: false)));
                options.ConfigureSiloInboundConnection(
                    c => c.UseMiddleware(new MutualTlsMiddleware(identity, refused, time, answering: true)));
                options.ConfigureGatewayInboundConnection(
                    c => c.UseMiddleware(new MutualTlsMiddleware(identity, refused, time, answering: true)));
            });

    /// <exception cref="AuthenticationException">
    /// The silo that was called is none of this cluster; callers that are none are dropped without one.
    /// </exception>
    public async Task OnConnectionAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var plain = context.Transport;
        await using var tls = new SslStream(new PipeStream(plain), leaveInnerStreamOpen: true);
        if (!await Greet(context, tls))
        {
            context.Abort();
            return;
        }
        var input = PipeReader.Create(tls, Reading);
        var output = PipeWriter.Create(tls, Writing);
        context.Transport = new DuplexPipe(input, output);
        try
        {
            await next(context);
        }
        finally
        {
            await input.CompleteAsync();
            await CompleteQuietly(output);
            context.Transport = plain;
        }
    }

    private async Task<bool> Greet(ConnectionContext context, SslStream tls)
    {
        string? why = null;
        using var deadline = new CancellationTokenSource(SiloIdentity.LongestHandshake, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.ConnectionClosed);
        try
        {
            if (answering) await tls.AuthenticateAsServerAsync(identity.Answering(w => why = w), either.Token);
            else await tls.AuthenticateAsClientAsync(identity.Calling(w => why = w), either.Token);
            return true;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException)
        {
            why ??= deadline.IsCancellationRequested
                ? $"no TLS handshake within {SiloIdentity.LongestHandshake.TotalSeconds} s"
                : $"the TLS handshake failed ({e.GetBaseException().Message.TrimEnd('.')})";
            if (!answering) throw new AuthenticationException($"Silo {context.RemoteEndPoint}: {why}.", e);
            refused.Note("Orleans endpoint", context.RemoteEndPoint, why);
            return false;
        }
    }

    private static async Task CompleteQuietly(PipeWriter output)
    {
        try
        {
            await output.CompleteAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The connection broke; what was not sent is lost with it.
        }
    }

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
