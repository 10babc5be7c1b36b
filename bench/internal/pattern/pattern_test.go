package pattern

import (
	"bytes"
	"compress/gzip"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestZipf_RanksAreAsFrequentAsTheirWeight(t *testing.T) {
	const n, draws = 100, 200_000
	z := NewZipf(n, 0.7, 1)
	counts := make([]int, n)
	for range draws {
		counts[z.Next()]++
	}
	sum := 0.0
	for i := range n {
		sum += math.Pow(float64(i+1), -0.7)
	}
	for _, rank := range []int{0, 1, 10, 99} {
		want := math.Pow(float64(rank+1), -0.7) / sum
		if got := float64(counts[rank]) / draws; math.Abs(got-want) > 0.2*want {
			t.Errorf("rank %d was drawn %.4f of the times, want %.4f", rank, got, want)
		}
	}
}

func TestOptimal_KeepsWhatIsNeededSoonest(t *testing.T) {
	// Of 1 2 3 at capacity 2, with bypass not allowed: Belady's textbook row.
	keys := []uint32{1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5}
	if got, want := Optimal(keys, 3), 5.0/12; math.Abs(got-want) > 1e-9 {
		t.Errorf("hit ratio %v, want %v", got, want)
	}
}

func TestOptimal_ALoopKeepsAllButOne(t *testing.T) {
	keys := make([]uint32, 10_000)
	for i := range keys {
		keys[i] = uint32(i % 100)
	}
	if got := Optimal(keys, 99); got < 0.97 {
		t.Errorf("hit ratio %v, want about 0.98", got)
	}
}

func TestRecording_Formats(t *testing.T) {
	ranges, err := recording{ranges: true}.parse(strings.NewReader("5 2 0 0\n9 1 0 0\n"))
	if err != nil || len(ranges) != 3 || ranges[0] != 5 || ranges[1] != 6 || ranges[2] != 9 {
		t.Errorf("ranges are %v, %v; want 5 6 9", ranges, err)
	}
	single, err := recording{}.parse(strings.NewReader("a\nb\na\n*\n"))
	if err != nil || len(single) != 3 || single[0] != single[2] || single[0] == single[1] {
		t.Errorf("keys are %v, %v; want two different ones and the first again", single, err)
	}
	if _, err := (recording{ranges: true}).parse(strings.NewReader("5\n")); err == nil {
		t.Error("a line without a count was taken")
	}
}

func TestRecorded_AFolderWithoutTracesIsAnError(t *testing.T) {
	if _, err := Recorded(t.TempDir()); err == nil {
		t.Error("no error")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "gli.gz"), []byte("no gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Recorded(folder); err == nil {
		t.Error("garbage was taken")
	}
	var empty bytes.Buffer
	if err := gzip.NewWriter(&empty).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "gli.gz"), empty.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Recorded(folder); err == nil {
		t.Error("a trace without accesses was taken")
	}
	if missing := Missing(folder); slices.Contains(missing, "gli.gz") || !slices.Contains(missing, "oltp.gz") {
		t.Errorf("missing are %v", missing)
	}
}
