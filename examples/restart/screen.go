package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// screen is where the show is seen: a terminal, with colours, or a file.
type screen struct {
	w      io.Writer
	colour bool
}

func newScreen(w io.Writer, noColor bool) *screen {
	s := &screen{w: w}
	if f, ok := w.(*os.File); ok && !noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" { // no-color.org
		info, err := f.Stat()
		s.colour = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

const (
	bold  = "1"
	red   = "31"
	green = "32"
)

func (s *screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// text prints a line. Where nobody can read it any more there is nobody to tell.
func (s *screen) text(format string, args ...any) { _, _ = fmt.Fprintf(s.w, format+"\n", args...) }

func (s *screen) title(format string, args ...any) {
	s.text("")
	s.text("%s", s.paint(bold, fmt.Sprintf(format, args...)))
}

// answers prints what the origin counted.
func (s *screen) answers(by map[string]counts) {
	s.text("   %-8s %9s %6s %6s %8s", "origin:", "requests", "200", "304", "bytes")
	for _, kind := range []string{steady, brief, busy} {
		c := by[kind]
		s.text("   %-8s %9d %6d %6d %8d", kind, c.requests, c.full, c.unchanged, c.bytes)
	}
}

// verdict prints a claim and whether it holds.
func (s *screen) verdict(c claim) {
	mark, says := s.paint(green, "ok"), c.says
	if !c.holds {
		mark, says = s.paint(red, "NO"), c.says+" ("+c.found+")"
	}
	for i, line := range wrap(says, 73) {
		if i > 0 {
			mark = "  "
		}
		s.text("%s %s", mark, line)
	}
}

// wrap breaks text at spaces so that no line is longer than width.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
