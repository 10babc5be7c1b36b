package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// columns is how wide the output is: it fits every terminal.
const columns = 79

// page is where the output goes: plain text, be it a terminal or a file.
type page struct {
	w      io.Writer
	scenes int
}

func (p *page) line(format string, args ...any) {
	say(p.w, "%s\n", strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// title opens a scene.
func (p *page) title(format string, args ...any) {
	if p.scenes++; p.scenes > 1 {
		p.line("")
	}
	p.line("%d  %s", p.scenes, fmt.Sprintf(format, args...))
}

// beside prints two columns.
func (p *page) beside(left, right []string) {
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		p.line("   %-37s %s", l, r)
	}
}

// verdict prints a claim and whether it holds.
func (p *page) verdict(c show.Claim) {
	if c.Holds {
		p.line("ok %s", c.Says)
	} else {
		p.line("NO %s (%s)", c.Says, c.Found)
	}
}
