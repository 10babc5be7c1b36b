package record_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// drawTime draws a time of the years 1 to 9999 that has one after it there.
func drawTime(t *rapid.T, name string) time.Time {
	return time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, name), rapid.Int64Range(0, 999_999_998).Draw(t, name)).UTC()
}

func TestD3_EntriesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, e := rapid.String().Draw(t, "key"), record.Entry{}
		if rapid.Bool().Draw(t, "erased") {
			e.Erased = record.Tombstone{At: drawTime(t, "at"), Until: drawTime(t, "until").Add(1)}
		}
		if rapid.Bool().Draw(t, "record") {
			e.Record = &freshet.Record{
				Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value"), ReadAt: drawTime(t, "read"), Validator: rapid.String().Draw(t, "validator"),
			}
			if rapid.Bool().Draw(t, "expires") {
				e.Record.ExpiresAt = drawTime(t, "expiry").Add(1)
			}
			if tags := rapid.SliceOf(rapid.String()).Draw(t, "tags"); len(tags) > 0 {
				e.Record.Tags = tags
			}
		}
		b := record.Encode(key, e)
		got, err := record.Decode(key, b)
		if err != nil {
			t.Fatal(err)
		}
		if e.Record != nil && len(e.Record.Value) == 0 {
			e.Record.Value, got.Record.Value = nil, nil
		}
		require.Equal(t, e, got)

		// Any bit that changes, any end that is missing and any other key is noticed.
		broken := append([]byte(nil), b...)
		broken[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		_, err = record.Decode(key, broken)
		require.Error(t, err)
		_, err = record.Decode(key, b[:rapid.IntRange(0, len(b)-1).Draw(t, "end")])
		require.ErrorIs(t, err, record.ErrCorrupt)
		_, err = record.Decode(key+"x", b)
		require.ErrorIs(t, err, record.ErrCorrupt)
	})
}

func TestD3_AnUnknownVersionIsToldApart(t *testing.T) {
	b := record.Encode("k", record.Entry{Record: &freshet.Record{Value: []byte("v")}})
	b[2]++
	_, err := record.Decode("k", b)
	require.ErrorIs(t, err, record.ErrVersion)
}

func FuzzDecode(f *testing.F) {
	f.Add(record.Encode("k", record.Entry{Record: &freshet.Record{Value: []byte("v"), Tags: []string{"t"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := record.Decode("k", b)
		if err == nil && e.Record != nil {
			require.LessOrEqual(t, len(e.Record.Value), len(b))
		}
	})
}

func TestTimesOutsideTheirYearsAreClamped(t *testing.T) {
	first, last := time.Time{}, time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	require.Equal(t, first, record.Time(record.AppendTime(nil, first.Add(-1))))
	require.Equal(t, last, record.Time(record.AppendTime(nil, last)))
	require.Equal(t, last, record.Time(record.AppendTime(nil, last.Add(1))))
}

func TestTimesCompareAsTheirBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTime(t, "a"), drawTime(t, "b")
		require.Equal(t, a.Compare(b), strings.Compare(string(record.AppendTime(nil, a)), string(record.AppendTime(nil, b))))
	})
}

func TestPrefixesAreBounded(t *testing.T) {
	epoch := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	var p record.Prefixes
	for i := range 1000 {
		at := epoch.Add(time.Duration(i))
		p = p.Add(fmt.Sprintf("users/%03d/", i), record.Tombstone{At: at, Until: epoch.Add(time.Hour)}, 64)
		require.LessOrEqual(t, p.Len(), 64)
		for j := range i + 1 { // whatever was joined, nothing that was erased is let in
			require.True(t, p.Cover(fmt.Sprintf("users/%03d/x", j), epoch.Add(time.Duration(j))), "%d after %d", j, i)
		}
		require.False(t, p.Cover(fmt.Sprintf("users/%03d/x", i), at.Add(1)))
		require.False(t, p.Cover("teams/1", epoch))
	}
}

func TestPrefixesDropWhatIsOverAndNotRenewed(t *testing.T) {
	epoch := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	p := record.Prefixes{}.Add("a", record.Tombstone{At: epoch, Until: epoch.Add(1)}, 9)
	p = p.Add("b", record.Tombstone{At: epoch, Until: epoch.Add(1)}, 9).Add("c", record.Tombstone{At: epoch, Until: epoch.Add(9)}, 9)
	gone := p
	p = p.Add("b", record.Tombstone{At: epoch.Add(5), Until: epoch.Add(6)}, 9)
	p = p.Drop(gone, epoch.Add(7))
	require.False(t, p.Cover("a1", epoch))
	require.True(t, p.Cover("b1", epoch), "renewed since")
	require.True(t, p.Cover("c1", epoch), "not over")
}
