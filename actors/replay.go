package actors

import (
	"bytes"
	"fmt"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// sendReplayed sends m until the core has what it needs of user code for it:
// the Apply of mutations, which run here, on the sender's goroutine.
func (c *cell[V]) sendReplayed(m *message[V]) {
	for {
		c.send(m)
		if !m.unreplayed() {
			return
		}
		c.table.run(m)
	}
}

// unreplayed says that the core asked for a replay instead of handling m.
func (m *message[V]) unreplayed() bool { return m.replay != nil && m.replay.Results == nil }

// run replays what m needs. What shows last is what the resource will weigh.
func (t *Table[V]) run(m *message[V]) {
	p := m.replay
	// All on one goroutine; where an Apply ends that with Goexit, or does not
	// return, they run once more, each on its own, to find out whose it was.
	together := *p
	if t.timely(func() { together.Run(survive[V](guarded)) }) == nil {
		p.Results = together.Results
	} else {
		p.Run(survive[V](t.timely))
	}
	last := p.Results[len(p.Results)-1]
	if t.weigh != nil && last.Known == lifecycle.Present {
		m.weight = t.survivingWeight(p.Layers[0].Owner.(*write[V]).key, last.Value, m.weight)
	}
}

// survive calls an Apply so that its panic is its error.
func survive[V any](call func(func()) error) func(func(V) (V, error), V) (V, error) {
	return func(apply func(V) (V, error), v V) (V, error) {
		if apply == nil {
			return v, nil
		}
		var (
			next V
			err  error
		)
		wild := call(func() {
			next, err = apply(v)
			probe(err)
		})
		if wild != nil {
			return v, wild
		}
		return next, err
	}
}

// checked is apply, which with Config.CheckApply fails where it changed its
// argument: that belongs to every reader.
func (t *Table[V]) checked(key string, apply func(V) (V, error)) func(V) (V, error) {
	if apply == nil || !t.checkApply {
		return apply
	}
	return func(v V) (V, error) {
		before, err := t.codec.Marshal(v)
		if err != nil {
			return v, fmt.Errorf("freshet: %s/%s: CheckApply cannot marshal the value: %w", t.name, key, err)
		}
		next, err := apply(v)
		if err != nil {
			return next, err
		}
		if after, err := t.codec.Marshal(v); err != nil || !bytes.Equal(before, after) {
			return v, fmt.Errorf("freshet: %s/%s: %w", t.name, key, ErrImpure)
		}
		return next, nil
	}
}
