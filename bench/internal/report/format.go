// Package report turns results into tables, JSON and plots.
package report

import (
	"fmt"
	"math"
	"time"

	"github.com/freshet-go/freshet/bench/internal/harness"
)

// figure writes a value in the scale that its unit reads best in.
func figure(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case unit == "ns" && v >= 1000:
		d := time.Duration(v)
		switch {
		case d < 100*time.Microsecond:
			return fmt.Sprintf("%.2f µs", v/1e3)
		case d < 100*time.Millisecond:
			return fmt.Sprintf("%.2f ms", v/1e6)
		}
		return fmt.Sprintf("%.2f s", v/1e9)
	case unit == "ns":
		return fmt.Sprintf("%s ns", digits(v))
	case unit == "/s" && v >= 1e6:
		return fmt.Sprintf("%.1f M/s", v/1e6)
	case unit == "/s" && v >= 1e3:
		return fmt.Sprintf("%.1f k/s", v/1e3)
	case unit != "":
		return digits(v) + " " + unit
	}
	return digits(v)
}

// digits writes as many as mean something.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e9:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// spread writes a median and its range.
func spread(s harness.Spread, unit string) string {
	if s.Min == s.Max || math.IsNaN(s.Median) {
		return figure(s.Median, unit)
	}
	return fmt.Sprintf("%s (%s … %s)", figure(s.Median, unit), figure(s.Min, unit), figure(s.Max, unit))
}

// ratio writes a ratio.
func ratio(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v > 0 && v < 0.095:
		return fmt.Sprintf("%.2g×", v)
	}
	return fmt.Sprintf("%.2f×", v)
}
