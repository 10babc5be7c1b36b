package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// side is one thing said twice: by rxgo's operators, and by typed ones.
type side struct {
	title string
	rx    func(rxgo.Observable) rxgo.Observable
	typed func(iter.Seq2[event, error]) iter.Seq2[string, error]
	want  []string

	observable rxgo.Observable // made before the tape is played: there its cursor is
	sub        *streams.Subscription[Quote]
}

// dear are prices from 1,000 on; the bell is not to be missed.
func dear(q Quote) bool { return q.Cents >= 100_000 || q.Name == bell }

// high folds prices into the highest so far.
type high struct {
	Quote
	ended bool
}

func (h high) with(q Quote) high {
	if h.ended = q.Name == bell; q.Cents > h.Cents {
		h.Quote = q
	}
	return h
}

func (h high) String() string {
	if h.ended {
		return fmt.Sprintf("%v at the %s", h.Quote, bell)
	}
	return h.Quote.String()
}

// joined writes some events on one line.
func joined(events []event) string {
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = e.Key
	}
	return strings.Join(names, ", ")
}

func sides() []*side {
	return []*side{
		{
			title: "Filter, then Map: what costs 1,000 and more",
			rx: func(o rxgo.Observable) rxgo.Observable {
				return o.
					Filter(func(v any) bool { return dear(*v.(event).After) }).
					Map(func(_ context.Context, v any) (any, error) { return v.(event).After.String(), nil })
			},
			typed: func(seq iter.Seq2[event, error]) iter.Seq2[string, error] {
				seq = streams.Filter(seq, func(e event) bool { return dear(*e.After) })
				return lines(streams.Map(seq, Quote.String), func(e streams.Event[string]) string { return *e.After })
			},
			want: []string{"gold 2,412.50", "gold 2,413.25", "gold 2,411.75", "gold 2,416.00", "gold 2,414.50", "bell"},
		},
		{
			title: "Scan: the highest price so far",
			rx: func(o rxgo.Observable) rxgo.Observable {
				return o.
					Scan(func(_ context.Context, acc, v any) (any, error) {
						h, _ := acc.(high) // nil at first
						return h.with(*v.(event).After), nil
					}).
					Map(func(_ context.Context, v any) (any, error) { return v.(high).String(), nil }).
					Distinct(func(_ context.Context, v any) (any, error) { return v, nil })
			},
			typed: func(seq iter.Seq2[event, error]) iter.Seq2[string, error] {
				highest := streams.Scan(seq, high{}, func(h high, e event) high { return h.with(*e.After) })
				return distinct(lines(highest, high.String))
			},
			want: []string{"gold 2,412.50", "gold 2,413.25", "gold 2,416.00", "gold 2,416.00 at the bell"},
		},
		{
			title: "BufferWithCount(4), Buffer(4): by fours",
			rx: func(o rxgo.Observable) rxgo.Observable {
				return o.BufferWithCount(4).Map(func(_ context.Context, v any) (any, error) {
					var events []event
					for _, e := range v.([]any) {
						events = append(events, e.(event))
					}
					return joined(events), nil
				})
			},
			typed: func(seq iter.Seq2[event, error]) iter.Seq2[string, error] {
				return lines(streams.Buffer(seq, 4, 0), joined)
			},
			want: []string{"gold, tin, rye, gold", "gold, rye, tin, gold", "rye, tin, gold, bell"},
		},
		{
			title: "Distinct, a map in the loop: the first price of each",
			rx: func(o rxgo.Observable) rxgo.Observable {
				return o.
					Distinct(func(_ context.Context, v any) (any, error) { return v.(event).Key, nil }).
					Map(func(_ context.Context, v any) (any, error) { return v.(event).After.String(), nil })
			},
			typed: func(seq iter.Seq2[event, error]) iter.Seq2[string, error] {
				seen := make(map[string]bool)
				first := streams.Filter(seq, func(e event) bool {
					defer func() { seen[e.Key] = true }()
					return !seen[e.Key]
				})
				return lines(first, func(e event) string { return e.After.String() })
			},
			want: []string{"gold 2,412.50", "tin  314.80", "rye  48.10", "bell"},
		},
	}
}

// prepare takes the cursors of both.
func (s *side) prepare(ctx context.Context, st *stage) (err error) {
	s.observable = s.rx(st.prices.Observe(news()).Filter(priced))
	s.sub, err = st.prices.Watch(ctx, news())
	return err
}

// sideBySide: rxgo's operators that are safe, and the typed ones, on the same
// events. It runs after the tape was played: the cursors are from before.
func sideBySide(ctx context.Context, st *stage, p *page) ([]show.Claim, error) {
	equal, found := true, ""
	for _, s := range st.sides {
		p.title("%s", s.title)
		left, err := observe(ctx, s.observable).read(ctx)
		if err != nil {
			return nil, err
		}
		var right []string
		for line, err := range s.typed(prices(s.sub.Events())) {
			if err != nil {
				return nil, err
			}
			if right = append(right, line); last(line) {
				break // and the subscription has ended
			}
		}
		p.beside([]string{"rxgo"}, []string{"typed"})
		p.beside(left, right)
		if !slices.Equal(left, s.want) || !slices.Equal(right, s.want) {
			equal, found = false, fmt.Sprintf("%s: %q and %q", s.title, left, right)
		}
	}
	return []show.Claim{show.Claimed(equal, "rxgo's safe operators and the typed ones say the same", "%s", found)}, nil
}

// prices passes what tells of a price, as priced does: streams.Filter lets the
// words of the stream itself through.
func prices(seq iter.Seq2[event, error]) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		for e, err := range seq {
			if err == nil && e.After == nil {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// lines writes what passes.
func lines[T any](seq iter.Seq2[T, error], write func(T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for v, err := range seq {
			line := ""
			if err == nil {
				line = write(v)
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

// distinct passes a line when it comes for the first time.
func distinct(seq iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen := make(map[string]bool)
		for line, err := range seq {
			if err == nil && seen[line] {
				continue
			}
			seen[line] = true
			if !yield(line, err) {
				return
			}
		}
	}
}
