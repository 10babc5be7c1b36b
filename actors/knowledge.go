package actors

import (
	"math/rand/v2"
	"slices"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// know has k say what r does, compared with what is held, and what that weighs. It
// runs user code.
func (t *Table[V]) know(k *lifecycle.Knowledge[V], weight *uint32, key string, r *Response[V], last, held *lifecycle.Version[V, *Future[V]]) {
	*k = lifecycle.Knowledge[V]{}
	k.Known, k.Value, k.Unchanged, k.TTL, k.Age = lifecycle.Present, r.Value, r.Unchanged, r.TTL, r.Age
	k.Validator, k.Tags, k.Draw, k.Against = r.Validator, slices.Clone(r.Tags), t.draw(), held.Held()
	if r.Unchanged {
		k.Value = last.Value
		// What was held at take-off may have been replaced since.
		k.Unchanged = last.Seq == held.Held()
		if k.Unchanged {
			return
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
