package actors

import (
	"math/rand/v2"
	"slices"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// knowledge is what r says, compared with what is held. It runs user code.
func (t *Table[V]) knowledge(key string, r Response[V], last, held *lifecycle.Version[V, *Future[V]], weight *uint32) lifecycle.Knowledge[V] {
	k := lifecycle.Knowledge[V]{
		Known: lifecycle.Present, Value: r.Value, Unchanged: r.Unchanged, TTL: r.TTL, Age: r.Age,
		Validator: r.Validator, Tags: slices.Clone(r.Tags), Draw: t.draw(), Against: held.Held(),
	}
	if r.Unchanged {
		k.Value = last.Value
		// What was held at take-off may have been replaced since.
		k.Unchanged = last.Seq == held.Held()
		if k.Unchanged {
			return k
		}
		if k.Validator == "" {
			k.Validator = last.Validator()
		}
		if k.Tags == nil {
			k.Tags = last.Tags()
		}
	}
	if k.Against != 0 {
		k.Equal = t.equal(held.Value, k.Value)
		k.Older = !k.Equal && t.newer != nil && !t.newer(k.Value, held.Value)
	}
	if t.weigh != nil {
		*weight = t.weigh(key, k.Value)
	}
	return k
}

// draw is a random number in [0,1).
func (t *Table[V]) draw() float64 {
	if t.rules.Jitter == 0 {
		return 0
	}
	return rand.Float64()
}

// weighedHeld is what v weighs, 0 where it holds no value. It survives user code.
func (t *Table[V]) weighedHeld(key string, v *lifecycle.Version[V, *Future[V]]) uint32 {
	if t.weigh == nil || v.Held() == 0 {
		return 0
	}
	return t.survivingWeight(key, v.Value, 0)
}

// survivingWeight is what v weighs, or otherwise where Weigh does not say.
func (t *Table[V]) survivingWeight(key string, v V, otherwise uint32) uint32 {
	var weight uint32
	if t.timely(func() { weight = t.weigh(key, v) }) != nil {
		return otherwise
	}
	return weight
}
