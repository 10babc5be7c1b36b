package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// most is how many instruments the news names.
const most = 4

// tell prints what events brought to somebody who had was.
func tell(scr *show.Screen, was map[string]Quote, events []streams.Event[Quote]) {
	now, seen := make(map[string]Quote), make(map[string]int)
	prices := 0
	for _, e := range events {
		if e.Kind != streams.Updated || e.After == nil {
			continue
		}
		prices++
		seen[e.Key]++
		now[e.Key] = *e.After
	}
	var names []string
	for name := range now {
		names = append(names, name)
	}
	move := func(name string) float64 {
		return float64(now[name].Cents-was[name].Cents) / float64(max(was[name].Cents, 1))
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(max(move(b), -move(b)), max(move(a), -move(a))) })
	scr.Fact("%s, %s of them new prices", show.Many(len(events), "event"), show.Count(prices))
	for _, name := range names[:min(most, len(names))] {
		scr.Text("     %-8s %10s → %10s  %s in %s", name, show.Money(was[name].Cents), show.Money(now[name].Cents),
			scr.Paint(tone(move(name)), fmt.Sprintf("%+6.2f%%", 100*move(name))), show.Many(seen[name], "event"))
	}
	if more := len(names) - most; more > 0 {
		scr.Text("     and %d others that moved less", more)
	}
}

// tone is the colour of a move.
func tone[N int | float64](move N) show.Colour {
	if move < 0 {
		return show.Red
	}
	return show.Green
}
