package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// columns is how wide the output is: it fits every terminal.
const columns = 79

// screen is where the story is seen: a terminal, with colours and a board that
// is redrawn in place under the text, or a file or pipe, with neither. Its
// methods are safe for concurrent use.
type screen struct {
	colour bool
	live   bool // a terminal that can rewrite its last lines

	mu    sync.Mutex
	w     io.Writer
	frame func() []string // what is drawn under the text; nil: nothing
	drawn int             // lines of it on the screen
}

func newScreen(w io.Writer, noColor bool) *screen {
	s := &screen{w: w}
	if isTerminal(w) && os.Getenv("TERM") != "dumb" {
		s.live = true
		s.colour = !noColor && os.Getenv("NO_COLOR") == "" // see no-color.org
	}
	return s
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type colour string

const (
	bold  colour = "1"
	faint colour = "2"
	red   colour = "31"
	green colour = "32"
	cyan  colour = "36"
)

// paint colours text, on a terminal that has colours.
func (s *screen) paint(c colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// text prints a line, above what is drawn.
func (s *screen) text(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawLocked(fmt.Sprintf(format, args...) + "\n")
}

// title opens an act.
func (s *screen) title(n int, title string) {
	s.text("")
	s.text("%s", s.paint(bold, fmt.Sprintf("%d  %s", n, title)))
}

// story prints what an act is about, wrapped.
func (s *screen) story(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), columns-3) {
		s.text("   %s", s.paint(faint, line))
	}
}

// fact prints something that was measured.
func (s *screen) fact(format string, args ...any) {
	for i, line := range wrap(fmt.Sprintf(format, args...), columns-5) {
		indent := "   "
		if i > 0 {
			indent = "     "
		}
		s.text("%s%s", indent, line)
	}
}

// verdict prints a claim and whether it holds.
func (s *screen) verdict(c claim) {
	mark, says := s.paint(green, "ok"), c.says
	if !c.holds {
		mark, says = s.paint(red, "NO"), c.says+" ("+c.found+")"
	}
	for i, line := range wrap(says, columns-6) {
		if i > 0 {
			mark = "  "
		}
		s.text("   %s %s", mark, line)
	}
}

// frameTime is how long a frame stays.
const frameTime = 60 * time.Millisecond

// show draws frame under the text, again and again, until the function that it
// returns is called: then it is gone. Where the screen cannot take lines back
// nothing is drawn.
func (s *screen) show(frame func() []string) (stop func()) {
	if !s.live {
		return func() {}
	}
	s.setFrame(frame)
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticks := time.NewTicker(frameTime)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				s.setFrame(frame)
			case <-quit:
				s.setFrame(nil)
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

func (s *screen) setFrame(frame func() []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame = frame
	s.drawLocked("")
}

// drawLocked takes the frame back, prints text and draws the frame anew, in
// one write. It switches wrapping off meanwhile: a wrapped line could not be
// taken back.
func (s *screen) drawLocked(text string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", s.drawn)
	}
	b.WriteString(text)
	s.drawn = 0
	if s.frame != nil {
		lines := append([]string{""}, s.frame()...)
		b.WriteString("\x1b[?7l" + strings.Join(lines, "\n") + "\n\x1b[?7h")
		s.drawn = len(lines)
	}
	if b.Len() > 0 {
		say(s.w, "%s", b.String())
	}
}
