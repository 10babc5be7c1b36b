package main

import (
	"fmt"
	"os"

	"github.com/freshet-go/freshet/bench/internal/harness"
)

// progressLine is rewritten in place on a terminal; elsewhere it is a line a
// workload.
type progressLine struct {
	out      *os.File
	terminal bool
	workload string
}

func newProgressLine(out *os.File) *progressLine {
	info, err := out.Stat()
	return &progressLine{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (l *progressLine) tell(p harness.Progress) {
	switch {
	case l.terminal:
		turn := fmt.Sprintf("round %d of %d", p.Round, p.Rounds)
		if p.Round == 0 {
			turn = "warming up"
		}
		_, _ = fmt.Fprintf(l.out, "\r\x1b[K[%d/%d] %s: %s, %s; about %v left", p.Number, p.Of, p.Workload, turn, p.Who, p.Left)
	case p.Workload != l.workload:
		l.workload = p.Workload
		_, _ = fmt.Fprintf(l.out, "[%d/%d] %s; about %v left\n", p.Number, p.Of, p.Workload, p.Left)
	}
}

func (l *progressLine) clear() {
	if l.terminal {
		_, _ = fmt.Fprint(l.out, "\r\x1b[K")
	}
}
