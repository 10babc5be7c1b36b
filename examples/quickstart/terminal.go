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

// screen is where the show is seen: a terminal, with colours and lines that
// show progress, or a file or pipe, with neither. Its methods are safe for concurrent
// use.
type screen struct {
	quiet  bool // verdicts only
	colour bool
	live   bool // a terminal that can rewrite its last line

	mu    sync.Mutex
	w     io.Writer
	drawn int // lines of progress on the screen
}

func newScreen(w io.Writer, quiet, noColor bool) *screen {
	s := &screen{w: w, quiet: quiet}
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

// paint colours s, on a terminal that has colours.
func (s *screen) paint(c colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func (s *screen) print(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	say(s.w, "%s\n", line)
}

// text prints a line of the show.
func (s *screen) text(format string, args ...any) {
	if !s.quiet {
		s.always(format, args...)
	}
}

// always prints a line that is seen with -quiet too.
func (s *screen) always(format string, args ...any) { s.print(fmt.Sprintf(format, args...)) }

// title opens a scene.
func (s *screen) title(n int, title string) {
	s.text("")
	s.text("%s", s.paint(bold, fmt.Sprintf("%d  %s", n, title)))
}

// story prints what a scene is about, wrapped.
func (s *screen) story(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), columns-3) {
		s.text("   %s", s.paint(faint, line))
	}
}

// fact prints something that was measured.
func (s *screen) fact(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), columns-3) {
		s.text("   %s", line)
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
		s.always("   %s %s", mark, line)
	}
}

// spinner turns before what is waited for.
var spinner = []rune("|/-\\")

const frame = 80 * time.Millisecond

// progress shows lines that are renewed with what lines says, under a line
// that says what is waited for, until the function that it returns is called:
// then they are gone. Where the screen cannot take lines back there are none.
func (s *screen) progress(what func() string, lines func() []string) (stop func()) {
	if !s.live || s.quiet {
		return func() {}
	}
	begun := time.Now()
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticks := time.NewTicker(frame)
		defer ticks.Stop()
		for i := 0; ; i++ {
			shown := []string{s.paint(cyan, fmt.Sprintf("   %c %s  %s", spinner[i%len(spinner)], seconds(time.Since(begun)), what()))}
			if lines != nil {
				shown = append(lines(), shown...)
			}
			s.redraw(shown)
			select {
			case <-ticks.C:
			case <-quit:
				s.redraw(nil)
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

// redraw replaces the lines that it drew last. It switches wrapping off
// meanwhile: a wrapped line could not be taken back.
func (s *screen) redraw(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	b.WriteString("\r")
	if s.drawn > 1 {
		fmt.Fprintf(&b, "\x1b[%dA", s.drawn-1)
	}
	b.WriteString("\x1b[J")
	if s.drawn = len(lines); s.drawn > 0 {
		b.WriteString("\x1b[?7l" + strings.Join(lines, "\n") + "\x1b[?7h")
	}
	say(s.w, "%s", b.String())
}

// wrap breaks text at spaces so that no line is longer than width.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}

// count writes n with commas: 1,000.
func count[N int | uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// many writes n things.
func many[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(n) + " " + thing + "s"
}

// seconds and millis write durations for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
