package api_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// The randomized tests print their seed. FRESHET_SEED repeats one, as far as
// the scheduler lets it, and FRESHET_FOR (a duration) lets each run longer.

// randomized runs round after round, each with a seed of its own, until the
// time is up.
func randomized(t *testing.T, budget time.Duration, round func(seed uint64)) {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("FRESHET_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("FRESHET_SEED=%s: %v", s, err)
		}
		seed = n
	}
	if s := os.Getenv("FRESHET_FOR"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("FRESHET_FOR=%s: %v", s, err)
		}
		budget = d
	} else if testing.Short() {
		budget /= 4
	}
	t.Logf("FRESHET_SEED=%d", seed)
	rounds := uint64(0)
	for start := time.Now(); !t.Failed() && time.Since(start) < budget; rounds++ {
		once(seed+rounds, round)
	}
	if t.Failed() {
		t.Logf("it was the round of FRESHET_SEED=%d", seed+rounds-1)
	} else {
		t.Logf("%d rounds", rounds)
	}
}

// once runs one round. A deadlock in a bubble panics, and the test's log is
// lost: so the seed goes to stderr then.
func once(seed uint64, round func(seed uint64)) {
	returned := false
	defer func() {
		if !returned {
			fmt.Fprintf(os.Stderr, "it was the round of FRESHET_SEED=%d\n", seed)
		}
	}()
	round(seed)
	returned = true
}

// dice are a goroutine's own random numbers.
type dice struct{ *rand.Rand }

func newDice(seed, who uint64) dice { return dice{rand.New(rand.NewPCG(seed, who))} }

// in says true once in n times.
func (d dice) in(n int) bool { return d.IntN(n) == 0 }

// some is one of the choices.
func some[T any](d dice, choices ...T) T { return choices[d.IntN(len(choices))] }
