package actors

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// W5, M4: it tells keys apart up to a bound, beyond which no key is taken for older
// than it is, and holds nothing once no Create is in the air.
func TestDeparted_IsExactUpToItsBoundAndForgets(t *testing.T) {
	var d departed
	d.note("k", 1)
	require.Zero(t, d.newest("k"), "no Create is in the air")

	d.begin()
	d.begin()
	d.note("k", 7)
	d.note("k", 5)
	require.EqualValues(t, 7, d.newest("k"))
	require.Zero(t, d.newest("other"))

	for i := range mostDeparted {
		d.note(strconv.Itoa(i), uint64(10+i))
		require.LessOrEqual(t, len(d.seqs), mostDeparted)
	}
	require.GreaterOrEqual(t, d.newest("k"), uint64(7))
	require.EqualValues(t, 10+mostDeparted-1, d.newest(strconv.Itoa(mostDeparted-1)))

	d.end()
	require.NotZero(t, d.newest("k"), "another is in the air")
	d.end()
	require.Zero(t, d.newest("k"))
	require.Nil(t, d.seqs)
}
