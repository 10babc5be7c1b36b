package show

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// frameTime is how long a frame stays.
const frameTime = 60 * time.Millisecond

// Animate draws the lines of frame under the text, again and again, until the function that it returns is called: then
// they are gone. frame is called on a goroutine of its own, and must not print. Where the screen is quiet or can't take
// lines back nothing is drawn.
func (s *Screen) Animate(frame func() []string) (stop func()) {
	if !s.live || s.opts.Quiet {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticks := time.NewTicker(frameTime)
		defer ticks.Stop()
		for {
			s.setFrame(frame)
			select {
			case <-ticks.C:
			case <-quit:
				s.setFrame(nil)
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

// spinner turns before what is waited for.
var spinner = []rune("|/-\\")

// Wait animates a line that says for how long, and for what, the show is waiting. lines, unless nil, are drawn above.
func (s *Screen) Wait(what func() string, lines func() []string) (stop func()) {
	begun, turn := time.Now(), 0
	return s.Animate(func() (shown []string) {
		if lines != nil {
			shown = lines()
		}
		waiting := fmt.Sprintf("   %c %s  %s", spinner[turn%len(spinner)], Seconds(time.Since(begun)), what())
		turn++
		return append(shown, s.Paint(Cyan, waiting))
	})
}

func (s *Screen) setFrame(frame func() []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame = frame
	s.drawLocked("")
}

// drawLocked takes the frame back, prints text and draws the frame anew, in one write. It switches wrapping off
// meanwhile: a wrapped line could not be taken back.
func (s *Screen) drawLocked(text string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", s.drawn)
	}
	b.WriteString(text)
	s.drawn = 0
	if s.frame != nil {
		lines := s.frame()
		b.WriteString("\x1b[?7l" + strings.Join(lines, "\n") + "\n\x1b[?7h")
		s.drawn = len(lines)
	}
	if b.Len() > 0 {
		say(s.w, "%s", b.String())
	}
}
