package lifecycle_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// clamp is i as an int64, saturating.
func clamp(i *big.Int) int64 {
	switch {
	case i.IsInt64():
		return i.Int64()
	case i.Sign() < 0:
		return -int64(lifecycle.Forever)
	}
	return int64(lifecycle.Forever)
}

func TestF5_InstantsSaturate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i, j := rapid.Int64().Draw(t, "i"), rapid.Int64().Draw(t, "j")
		sub := new(big.Int).Sub(big.NewInt(i), big.NewInt(j))
		require.Equal(t, time.Duration(clamp(sub)), instant(i).Sub(instant(j)))
		d := rapid.Int64Min(0).Draw(t, "d")
		sum := new(big.Int).Add(big.NewInt(i), big.NewInt(d))
		require.Equal(t, instant(clamp(sum)), instant(i).Plus(time.Duration(d)))
	})
}

// Whatever is drawn, jitter takes from the TTL and never more than its
// fraction, refresh-ahead lies within what is left, and nothing wraps around.
func TestF5_JitterOnlyShortens(t *testing.T) {
	fraction := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{0, 0.5, 1}))
	rapid.Check(t, func(t *rapid.T) {
		ttl := time.Duration(rapid.Int64Range(1, int64(lifecycle.Forever)-1).Draw(t, "ttl"))
		rules := lifecycle.Rules{Freshness: lifecycle.Freshness{
			TTL: ttl, Jitter: fraction.Draw(t, "jitter"), Ahead: fraction.Draw(t, "ahead"),
		}}
		w := newWorld(rules, 0)
		w.now = instant(rapid.Int64Min(0).Draw(t, "now"))
		k := present("a")
		k.Draw = min(fraction.Draw(t, "draw"), 1-1.0/(1<<53))
		w.do(func(t *turn) { w.r.Set(t, k) })
		v := w.r.Shown()
		require.LessOrEqual(t, v.FreshEnd, w.now.Plus(ttl))
		require.GreaterOrEqual(t, v.FreshEnd, w.now)
		least := time.Duration(float64(ttl) * (1 - rules.Jitter) * (1 - 1e-9))
		require.GreaterOrEqual(t, v.FreshEnd, w.now.Plus(least-min(least, 1)))
		require.LessOrEqual(t, v.HitEnd, v.FreshEnd)
		require.GreaterOrEqual(t, v.HitEnd, w.now)
	})
}

// TTL 0 and Missing 0 are settings, not "the default" (6): one is for ever,
// the other is not at all.
func TestF5_ZeroIsAnHonestSetting(t *testing.T) {
	w := newWorld(lifecycle.Rules{}, 0)
	w.do(func(t *turn) { w.r.Set(t, present("a")) })
	assert.Equal(t, lifecycle.Never, w.r.Shown().FreshEnd)
	w.do(func(t *turn) { w.r.Set(t, knowledge{Known: lifecycle.Absent, Against: w.r.Shown().Held()}) })
	assert.Equal(t, w.now, w.r.Shown().FreshEnd)
}

// flights counts what an observed resource asks of an origin that always gives
// the same answer at once, in that much time.
func flights(w *world, d time.Duration, answer func(stamp uint64)) (n int) {
	w.do(func(t *turn) { w.r.Observe(t, 0) })
	w.do(func(t *turn) { w.r.Observe(t, time.Second) })
	for end := w.now.Plus(d); w.now <= end && n < 1e6; {
		if stamp := w.r.Flying(); stamp != 0 {
			n++
			answer(stamp)
			continue
		}
		w.now = max(w.now, w.armed)
		w.do(w.r.Due)
	}
	return n
}

func TestS11_OriginIsAskedAtABoundedRate(t *testing.T) {
	for name, k := range map[string]knowledge{
		"not found":           {Known: lifecycle.Absent},
		"not found, aged":     {Known: lifecycle.Absent, Age: time.Hour},
		"not kept":            {Known: lifecycle.Present, TTL: -1},
		"too old":             {Known: lifecycle.Present, Age: time.Hour},
		"older than refresh":  {Known: lifecycle.Present, Age: 2 * time.Second},
		"as old as its TTL":   {Known: lifecycle.Present, Age: 10 * time.Second},
		"fresh, for an hour":  {Known: lifecycle.Present, TTL: time.Hour},
		"unchanged and stale": {Known: lifecycle.Present, Unchanged: true, Age: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(lifecycle.Rules{Freshness: lifecycle.Freshness{TTL: 10 * time.Second}}, 0)
			n := flights(w, time.Hour, func(stamp uint64) {
				k := w.against(k)
				w.do(func(t *turn) { w.r.Arrived(t, stamp, &k, false) })
			})
			assert.LessOrEqual(t, n, 3602)
		})
	}
	t.Run("failing", func(t *testing.T) {
		w := newWorld(lifecycle.Rules{}, 0)
		n := flights(w, time.Hour, func(stamp uint64) {
			w.do(func(t *turn) { w.r.Failed(t, stamp, errOrigin) })
		})
		assert.LessOrEqual(t, n, 67, "1 s, 2 s, 4 s ... and then once a minute")
	})
}

// Under any rate of reloads every waiter settles within two settlements, and
// the origin is asked no more than MaxSupersede+1 times for each (O4).
func TestO4_StormSettlesEveryWaiter(t *testing.T) {
	w := newWorld(lifecycle.Rules{MaxSupersede: 3}, 0)
	flown, landings := 0, 0
	since := map[string]int{} // the landings before the future was handed out
	for n := range 10_000 {
		for _, e := range w.demand(demand{Kind: lifecycle.ForceReload}) {
			switch e.Do {
			case lifecycle.DoTakeOff:
				flown++
			case lifecycle.DoAnswer:
				if _, ok := since[e.Future]; !ok {
					since[e.Future] = landings
				}
			}
		}
		if n%100 != 99 {
			continue
		}
		landings++
		k := w.against(present("a"))
		for _, e := range w.do(func(t *turn) { w.r.Arrived(t, w.r.Flying(), &k, false) }) {
			switch e.Do {
			case lifecycle.DoTakeOff:
				flown++
			case lifecycle.DoSettle:
				require.LessOrEqual(t, landings-since[e.Future], 2)
			}
		}
	}
	require.LessOrEqual(t, flown, 4*(landings+1))
}
