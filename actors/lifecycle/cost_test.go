package lifecycle_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// However many mutations are pending: another one costs one call of Apply and as
// many effects as the second did, and a commit one call for each that is left.
func TestW1_CostOfPendingMutations(t *testing.T) {
	const n = 500
	w := newWorld(lifecycle.Rules{}, 0)
	w.do(func(t *turn) { w.r.Set(t, present("")) })
	effects := 0
	for i := range n {
		m := appending("x", "", fmt.Sprint(i))
		before := w.applied
		e := w.do(func(t *turn) { w.r.Mutate(t, m) })
		assert.Equal(t, 1, w.applied-before)
		if i == 1 {
			effects = len(e)
		}
		assert.LessOrEqual(t, i*len(e), i*effects)
	}
	for left := n - 1; left >= 0; left-- {
		k := w.against(present("y"))
		before := w.applied
		w.do(func(t *turn) { w.r.Committed(t, w.commit, k) })
		require.Equal(t, left, w.applied-before)
	}
	assert.Equal(t, 0, w.r.Shown().Pending())
	assert.Equal(t, "y", w.r.Shown().Value)
}
