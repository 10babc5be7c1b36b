package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/freshet-go/freshet/streams"
)

// most is how many instruments the news names.
const most = 4

// news prints what events brought to somebody who had was.
func (s *screen) news(was map[string]Quote, events []streams.Event[Quote]) {
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
	s.fact("%s, %s of them new prices", many(len(events), "event"), count(prices))
	for _, name := range names[:min(most, len(names))] {
		s.text("     %-8s %10s → %10s  %s in %s", name, money(was[name].Cents), money(now[name].Cents),
			s.paint(tone(move(name)), fmt.Sprintf("%+6.2f%%", 100*move(name))), many(seen[name], "event"))
	}
	if more := len(names) - most; more > 0 {
		s.text("     and %d others that moved less", more)
	}
}

// tone is the colour of a move.
func tone[N int | float64](move N) colour {
	if move < 0 {
		return red
	}
	return green
}

// wrap breaks text at spaces so that no line is longer than width.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}

// count writes n with commas: 1,000.
func count[N int | uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// many writes n things.
func many[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

// seconds and millis write durations for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
