package api_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// A value that is resident and in the history counts twice; the history gets a
// quarter at the most, and the rest is the residents'.
func TestM1_TheHistoryDoesNotCrowdOutTheValues(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, config{Source: instant, MaxWeight: 1000, Weigh: func(string, string) uint32 { return 10 }})
		for i := range 150 {
			mustGet(t, c, fmt.Sprint(i), fmt.Sprint(i))
		}
		synctest.Wait()
		require.GreaterOrEqual(t, c.Len(), 75)
	})
}
