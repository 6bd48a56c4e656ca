using Distributed.Client.Commands;
using Distributed.Client.Rendering;
using Distributed.Client.Silo;

namespace Distributed.Client.Tests.Rendering;

public sealed class BenchViewTests
{
    [Fact]
    public void Bench_RowsToStderr_TableToStdout()
    {
        using StringWriter output = new(), error = new();
        BenchView view = new(output, error);
        view.Accept("""{"row":{"model":"mlp","ms":1.25}}""");
        Assert.False(view.HasSummary);
        view.Accept("""{"summary":{"title":"Step","columns":["model","ms"],"rows":[["mlp",1.25],"""
            + """["simple-cnn",10]],"ratios":{"mlp/plain":0.75},"notes":["two cores"]}}""");
        Assert.True(view.HasSummary);
        Assert.Equal("model mlp  ms 1.25\n", error.ToString());
        Assert.Equal("Step\nmodel       ms\nmlp         1.25\nsimple-cnn  10\nmlp/plain: 0.75\ntwo cores\n", output.ToString());
    }

    [Fact]
    public void Bench_FurtherTables_AreUnderTheRatiosWithTheirTitles()
    {
        using StringWriter output = new(), error = new();
        BenchView view = new(output, error);
        view.Accept("""{"summary":{"title":"Steps","columns":["ms"],"rows":[["1"]],"ratios":{"mlp":2},"notes":["two cores"]"""
            + ""","tables":[{"title":"Computed","columns":["silos","ms"],"rows":[["8","3"]]}]}}""");
        Assert.Equal("Steps\nms\n1\nmlp: 2\n\nComputed\nsilos  ms\n8      3\n\ntwo cores\n", output.ToString());
    }

    [Fact]
    public void Doctor_FailedCheck_ShowsItsRemedy()
    {
        var report = DoctorReport.Read(
            """{"fingerprint":"cpu avx2","checks":[{"name":"libtorch","ok":false,"detail":"2.9","remedy":"Install 2.10."}]}""")!;
        Assert.False(report.IsHealthy);
        using StringWriter output = new();
        DoctorCommand.Write(report, json: false, output);
        Assert.Equal(
            "CHECK     RESULT  DETAIL\nlibtorch  WRONG   2.9\nfingerprint: cpu avx2\nlibtorch: Install 2.10.\n", output.ToString());
        Assert.Null(DoctorReport.Read("{}"));
        Assert.Null(DoctorReport.Read("nonsense"));
    }
}
