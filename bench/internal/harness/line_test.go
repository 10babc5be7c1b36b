package harness

import (
	"runtime"
	"testing"
	"time"
)

func TestLineTime_NeedsTwoProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if took := lineTime(); took != 0 {
		t.Errorf("%v with one processor", took)
	}
}

// Two that have to share a processor wait in vain, and not for long.
func TestLineTime_IsPlausibleOrNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	if took := lineTime(); took < 0 || took > time.Millisecond {
		t.Errorf("%v for a cache line", took)
	}
}
