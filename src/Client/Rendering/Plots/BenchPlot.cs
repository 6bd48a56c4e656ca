using Distributed.Client.Outcomes;
using ScottPlot;
using SkiaSharp;

namespace Distributed.Client.Rendering.Plots;

/// <summary>Draws a bench's table as a PNG: panels side by side, lines over a number or bars.</summary>
internal sealed class BenchPlot(string bench, string path)
{
    private const int PanelWidth = 720;
    private const int PanelHeight = 460;
    private readonly PlotForm form = PlotForm.Of(bench);
    private BenchTable? table;

    /// <summary>Refuses what could not be written, before anything is measured.</summary>
    /// <exception cref="CommandFailure">The name or folder will not do, or there is no picture of this bench.</exception>
    public static BenchPlot Open(string bench, string path)
    {
        if (!path.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            throw new CommandFailure(ExitCode.Usage, $"--plot: found '{path}', expected a file name that ends with .png.");
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full)) throw new CommandFailure(ExitCode.Usage, $"--plot: '{path}' is a folder.");
        if (!Directory.Exists(Path.GetDirectoryName(full)))
            throw new CommandFailure(ExitCode.Usage, $"--plot: the folder of '{path}' does not exist.");
        return new(bench, full);
    }

    /// <summary>Remembers the summary among the bench's lines.</summary>
    public void Accept(string line) => table = BenchTable.Read(line) ?? table;

    /// <param name="error">Takes a warning where there is nothing to write with.</param>
    /// <exception cref="CommandFailure">There was no summary, or the file cannot be written.</exception>
    public void Save(TextWriter error)
    {
        var panels = table is null ? [] : form.Arrange(table);
        if (panels.Count == 0) throw new CommandFailure(ExitCode.Failed, $"--plot: 'bench {bench}' gave nothing to draw.");
        if (SKFontManager.Default.FontFamilyCount == 0)
            error.WriteLine(
                "dtrain: --plot: no font is installed, so the picture has no text; install one, such as Debian's fonts-dejavu-core.");
        Multiplot picture = new();
        var columns = Math.Min(2, panels.Count);
        var rows = (panels.Count + columns - 1) / columns;
        picture.AddPlots(panels.Count);
        picture.Layout = new ScottPlot.MultiplotLayouts.Grid(rows, columns);
        for (var i = 0; i < panels.Count; i++) Draw(picture.GetPlot(i), panels[i]);
        try
        {
            picture.SavePng(path, columns * PanelWidth, rows * PanelHeight);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Failed, $"--plot: {path} cannot be written: {e.Message}");
        }
    }

    private void Draw(Plot plot, PlotPanel panel)
    {
        plot.Title(panel.Title.Length > 0 ? panel.Title : table!.Title);
        if (form.X is null) DrawBars(plot, panel);
        else DrawLines(plot, panel);
    }

    private void DrawLines(Plot plot, PlotPanel panel)
    {
        foreach (var series in panel.Series)
        {
            double[] xs = [.. series.Points.Select(p => At(p.X))], ys = [.. series.Points.Select(p => At(p.Y))];
            var line = plot.Add.Scatter(xs, ys);
            line.LegendText = series.Label;
            line.LineWidth = 2;
            line.MarkerSize = 7;
        }
        var points = panel.Series.SelectMany(s => s.Points).ToList();
        double[] places = [.. points.Select(p => p.X).Distinct().Order()];
        plot.Axes.Bottom.SetTicks(
            [.. places.Select(At)], [.. places.Select(x => form.X == "bytes" ? PlotNumber.Bytes(x) : PlotNumber.Text(x))]);
        if (form.Logarithmic)
        {
            double[] decades = [.. PlotNumber.Decades(points.Min(p => p.Y), points.Max(p => p.Y))];
            plot.Axes.Left.SetTicks([.. decades.Select(At)], [.. decades.Select(PlotNumber.Text)]);
        }
        else
        {
            plot.Axes.SetLimitsY(0, points.Max(p => p.Y) * 1.1);
        }
        plot.XLabel(form.X!);
        plot.YLabel(form.Y);
        plot.ShowLegend(Edge.Right);
    }

    private void DrawBars(Plot plot, PlotPanel panel)
    {
        double[] values = [.. panel.Series.Select(s => s.Points[0].Y)];
        // From the top downwards, as the table reads.
        double[] places = [.. values.Select((_, i) => -(double)i)];
        var bars = plot.Add.Bars(places, values);
        bars.Horizontal = true;
        foreach (var bar in bars.Bars) bar.Label = PlotNumber.Text(bar.Value);
        plot.Axes.Left.SetTicks(places, [.. panel.Series.Select(s => s.Label)]);
        plot.Axes.SetLimitsX(0, Math.Max(1, values.Max()) * 1.15);
        plot.Add.VerticalLine(1, 1, Colors.Gray);
        plot.XLabel(form.Y);
    }

    private double At(double value) => form.Logarithmic ? Math.Log10(value) : value;
}
