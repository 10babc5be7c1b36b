package main

import (
	"fmt"
	"strings"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// board is what a reader of events knows: a price for each instrument. It is
// built from events and from nothing else.
type board struct {
	rows     map[string]*row
	revision uint64 // of the newest event that went in
	synced   bool   // the snapshot is complete
}

type row struct {
	quote  Quote
	last   int   // the latest move in cents
	course []int // the newest prices
}

// course is how many prices a row remembers.
const course = 28

func newBoard() *board { return &board{rows: make(map[string]*row)} }

// apply makes the board what it is after e.
func (b *board) apply(e streams.Event[Quote]) {
	b.revision = max(b.revision, e.Revision)
	switch {
	case e.Kind == streams.Synced:
		b.synced = true
	case e.Kind.Control():
	case e.After == nil:
		delete(b.rows, e.Key)
	default:
		r := b.rows[e.Key]
		if r == nil {
			r = &row{quote: *e.After}
			b.rows[e.Key] = r
		}
		r.take(*e.After)
	}
}

func (r *row) take(q Quote) {
	if move := q.Cents - r.quote.Cents; move != 0 {
		r.last = move
	}
	r.quote = q
	r.course = append(r.course, q.Cents)
	if over := len(r.course) - course; over > 0 {
		r.course = r.course[over:]
	}
}

// quotes are the prices on the board.
func (b *board) quotes() map[string]Quote {
	quotes := make(map[string]Quote, len(b.rows))
	for name, r := range b.rows {
		quotes[name] = r.quote
	}
	return quotes
}

// lines draws the board.
func (b *board) lines(scr *show.Screen) []string {
	lines := []string{"   " + scr.Paint(show.Faint, fmt.Sprintf("%-8s %10s %8s  %-*s %6s", "", "price", "last", course, "course", "moves"))}
	for _, name := range instruments() {
		r := b.rows[name]
		if r == nil {
			lines = append(lines, fmt.Sprintf("   %-8s %10s", name, "-"))
			continue
		}
		last := ""
		if r.last != 0 {
			last = signed(r.last)
		}
		lines = append(lines, fmt.Sprintf("   %-8s %10s %s  %-*s %6s", name, show.Money(r.quote.Cents),
			scr.Paint(tone(r.last), fmt.Sprintf("%8s", last)), course, spark(r.course), show.Count(r.quote.Move)))
	}
	return lines
}

var blocks = []rune("▁▂▃▄▅▆▇█")

// spark draws numbers as bars between their least and their most.
func spark(numbers []int) string {
	if len(numbers) == 0 {
		return ""
	}
	least, most := numbers[0], numbers[0]
	for _, n := range numbers {
		least, most = min(least, n), max(most, n)
	}
	var out strings.Builder
	for _, n := range numbers {
		at := len(blocks) / 2
		if most > least {
			at = (n - least) * (len(blocks) - 1) / (most - least)
		}
		out.WriteRune(blocks[at])
	}
	return out.String()
}

// signed writes a move of cents as +1.25.
func signed(cents int) string {
	sign := "+"
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return sign + show.Money(cents)
}
