package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// timeline draws flights as bars, from take-off to the moment at which the
// cache kept or dropped their answers, as its events tell, or to now.
type timeline struct {
	begun, now time.Time
	least      time.Duration // the scale begins with it
}

const barWidth = 36

func (t timeline) lines(scr *show.Screen, flights []flight, ends map[uint64]streams.Event[Airport]) []string {
	lines := make([]string, 0, 1+len(flights))
	lines = append(lines, "   "+scr.Paint(show.Faint, fmt.Sprintf("%6s %7s  0 ms%*s  %s",
		"flight", "edition", barWidth-len("0 ms"), show.Millis(t.span()), "its answer is")))
	for _, f := range flights {
		edition := "?"
		if !f.back.IsZero() {
			edition = fmt.Sprint(f.edition)
		}
		bar, fate, paint := t.flight(f, ends)
		lines = append(lines, fmt.Sprintf("   %6d %7s  %s  %s", f.seq, edition, scr.Paint(paint, bar), scr.Paint(paint, fate)))
	}
	return lines
}

// flight draws one flight.
func (t timeline) flight(f flight, ends map[uint64]streams.Event[Airport]) (bar, fate string, paint show.Colour) {
	mark, fate, paint := "›", "in the air", show.Cyan
	until := t.now
	if end, over := ends[f.seq]; over {
		until = end.At
		switch end.Kind {
		case streams.Dropped:
			mark, fate, paint = "×", "dropped: "+end.Reason, show.Faint
		case streams.Failed:
			mark, fate, paint = "!", "an error", show.Red
		default:
			mark, fate, paint = "●", "kept", show.Green
		}
	}
	from, to := t.column(f.off), t.column(until)
	bar = strings.Repeat(" ", from) + strings.Repeat("─", max(to-from, 0)) + mark
	return bar + strings.Repeat(" ", max(barWidth-len([]rune(bar)), 0)), fate, paint
}

// span is how long the whole width lasts.
func (t timeline) span() time.Duration { return max(t.now.Sub(t.begun), t.least, time.Millisecond) }

func (t timeline) column(moment time.Time) int {
	column := int(int64(moment.Sub(t.begun)) * barWidth / int64(t.span()))
	return min(max(column, 0), barWidth-1)
}
