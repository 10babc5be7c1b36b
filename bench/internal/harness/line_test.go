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

// Two that share a processor answer one another once in a time slice: a try
// that waited for all its turns would take many seconds.
func TestToAndFro_GivesUpWhereTwoShareAProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	took := make(chan time.Duration, 1)
	go func() { took <- toAndFro() }()
	select {
	case line := <-took:
		if line != 0 {
			t.Errorf("%v for a cache line, with one processor", line)
		}
	case <-time.After(3 * time.Second):
		t.Error("it still waits")
	}
}
