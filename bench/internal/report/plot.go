package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/freshet-go/freshet/bench/internal/harness"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

var (
	oursColor  = color.RGBA{R: 0x12, G: 0x6e, B: 0xa8, A: 0xff}
	peerColor  = color.RGBA{R: 0xb4, G: 0xbe, B: 0xc8, A: 0xff}
	wrongColor = color.RGBA{R: 0xd9, G: 0x8c, B: 0x7a, A: 0xff}
	inkColor   = color.RGBA{R: 0x33, G: 0x33, B: 0x33, A: 0xff}
)

// picture is a plot and the name of its file.
type picture struct {
	name string
	svg  []byte
}

// pictures are the plots of a report: bars of each workload, lines of those
// that share a chart.
func (r Report) pictures() ([]picture, error) {
	var all []picture
	drawn := map[string]bool{}
	for _, result := range r.Results {
		var svg []byte
		var err error
		name := result.Workload.Name
		switch title := result.Workload.Chart.Title; {
		case title == "":
			svg, err = bars(result)
		case drawn[title]:
			continue
		default:
			drawn[title] = true
			name, _, _ = strings.Cut(name, "@")
			if r.onChart(title) == 1 { // as in a quick run: a point is no line
				svg, err = bars(result)
			} else {
				svg, err = r.lines(title)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("plot of %s: %w", name, err)
		}
		if svg != nil {
			all = append(all, picture{name: fileName(name), svg: svg})
		}
	}
	return all, nil
}

// onChart is how many workloads share a chart.
func (r Report) onChart(title string) int {
	n := 0
	for _, result := range r.Results {
		if result.Workload.Chart.Title == title {
			n++
		}
	}
	return n
}

var notForFiles = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

func fileName(workload string) string { return notForFiles.ReplaceAllString(workload, "-") }

// SVG writes the plots into folder, a file each.
func (r Report) SVG(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	all, err := r.pictures()
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := os.WriteFile(filepath.Join(folder, p.name+".svg"), p.svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// bars is the first column of a workload, with the range over the rounds. nil:
// there is nothing to draw.
func bars(r harness.Result) ([]byte, error) {
	series := slices.Clone(r.Series)
	slices.Reverse(series) // the first is to be on top
	series = slices.DeleteFunc(series, func(s harness.Series) bool {
		return len(s.Runs) == 0 || math.IsNaN(s.Spread(0).Median)
	})
	if len(series) == 0 {
		return nil, nil
	}
	p := plot.New()
	column := r.Workload.Columns[0]
	style(p, r.Workload.Name)
	scale, unit := axisUnit(series, column.Unit)
	p.X.Label.Text = column.Name + unit
	var names []string
	var whiskers spreads
	for i, s := range series {
		spread := s.Spread(0)
		names = append(names, s.Name)
		bar, err := plotter.NewBarChart(plotter.Values{spread.Median / scale}, vg.Points(13))
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.LineStyle.Width = true, float64(i), 0
		bar.Color = barColor(r, s)
		p.Add(bar)
		whiskers = append(whiskers, placed{x: spread.Median / scale, y: float64(i),
			low: (spread.Median - spread.Min) / scale, high: (spread.Max - spread.Median) / scale})
	}
	errors, err := plotter.NewXErrorBars(whiskers)
	if err != nil {
		return nil, err
	}
	errors.Color = inkColor
	p.Add(errors)
	p.NominalY(names...)
	p.Y.Padding = vg.Points(14) // a wider font than the one measured with does not run under the bars
	p.X.Min = 0
	return render(p, 16*vg.Centimeter, vg.Length(len(series))*0.75*vg.Centimeter+2.4*vg.Centimeter)
}

func barColor(r harness.Result, s harness.Series) color.Color {
	switch {
	case strings.HasPrefix(s.Name, peer.Ours):
		return oursColor
	case r.Faulty(s):
		return wrongColor
	}
	return peerColor
}

// axisUnit is a scale in which the figures are short, and its name.
func axisUnit(series []harness.Series, unit string) (scale float64, name string) {
	most := 0.0
	for _, s := range series {
		most = max(most, s.Spread(0).Max)
	}
	switch {
	case unit == "ns" && most >= 1e6:
		return 1e6, " (ms)"
	case unit == "ns" && most >= 1e4:
		return 1e3, " (µs)"
	case unit == "/s" && most >= 1e6:
		return 1e6, " (million/s)"
	case unit == "":
		return 1, ""
	}
	return 1, " (" + unit + ")"
}

// lines is the first column of all workloads of a chart.
func (r Report) lines(title string) ([]byte, error) {
	p := plot.New()
	style(p, title)
	points := map[string]plotter.XYs{}
	var names []string
	for _, result := range r.Results {
		chart := result.Workload.Chart
		if chart.Title != title {
			continue
		}
		p.X.Label.Text = chart.Axis
		p.Y.Label.Text = result.Workload.Columns[0].Name + " (" + result.Workload.Columns[0].Unit + ")"
		for _, s := range result.Series {
			if len(s.Runs) == 0 {
				continue
			}
			if _, ok := points[s.Name]; !ok {
				names = append(names, s.Name)
			}
			points[s.Name] = append(points[s.Name], plotter.XY{X: chart.X, Y: s.Spread(0).Median})
		}
	}
	for i, name := range names {
		line, dots, err := plotter.NewLinePoints(points[name])
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = plotutil.Color(i), vg.Points(1.2)
		line.Dashes = plotutil.Dashes(i)
		if name == peer.Ours {
			line.Color, line.Width, line.Dashes = oursColor, vg.Points(2.4), nil
		}
		dots.Color, dots.Shape = line.Color, draw.CircleGlyph{}
		p.Add(line, dots)
		p.Legend.Add(name, line)
	}
	p.Legend.Left, p.Legend.Top, p.Legend.Padding = true, true, vg.Points(3)
	p.Y.Min = 0
	p.Add(plotter.NewGrid())
	return render(p, 16*vg.Centimeter, 9*vg.Centimeter)
}

func style(p *plot.Plot, title string) {
	p.Title.Text = title
	p.Title.TextStyle.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(12)}
	p.Title.Padding = vg.Points(6)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		sans := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(10)}
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = sans, sans
		axis.Color, axis.Tick.Color = inkColor, inkColor
	}
	p.Legend.TextStyle.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(10)}
}

func render(p *plot.Plot, width, height vg.Length) ([]byte, error) {
	canvas := vgsvg.New(width, height)
	// Whoever looks may not have the font that the plot was measured with.
	const margin = 0.7 * vg.Centimeter
	p.Draw(draw.Crop(draw.New(canvas), margin, -margin, 0, -margin/3))
	var out bytes.Buffer
	_, err := canvas.WriteTo(&out)
	// The others are as wide as it.
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), err
}

// spreads are the whiskers of bars.
type spreads []placed

type placed struct{ x, y, low, high float64 }

func (s spreads) Len() int                         { return len(s) }
func (s spreads) XY(i int) (x, y float64)          { return s[i].x, s[i].y }
func (s spreads) XError(i int) (low, high float64) { return s[i].low, s[i].high }
