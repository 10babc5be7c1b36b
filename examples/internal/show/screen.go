// Package show is what the examples have in common: a screen to tell a story on, claims that are checked and not only
// printed, and the way a program begins and ends. An example is, in short:
//
//	func main() { show.Main(run) }
//
//	func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
//		flags := flag.NewFlagSet("todo", flag.ContinueOnError)
//		noColor := flags.Bool("no-color", false, "no colours, as with NO_COLOR in the environment")
//		if code, goOn := show.Parse(flags, usage, args, nil, stdout, stderr); !goOn {
//			return code
//		}
//		return show.Exit(ctx, "todo", play(ctx, show.New(stdout, show.Options{NoColor: *noColor})), stderr)
//	}
//
//	func play(ctx context.Context, scr *show.Screen) error {
//		begun := time.Now()
//		scr.Title("%d  %s", 1, "A task is added before the server has it")
//		scr.Story("The server takes 300 ms to answer.")
//		stop := scr.Wait(func() string { return "for the server" }, nil)
//		...
//		stop()
//		scr.Fact("shown after %s, confirmed after %s", show.Millis(shown), show.Millis(confirmed))
//		claims := []show.Claim{show.Claimed(shown < confirmed, "it was shown before it was confirmed", "%v", shown)}
//		return scr.Conclude(claims, begun)
//	}
//
// What goes to a file or a pipe is plain text of at most Columns columns, the same in every run but for what is
// measured, so that a test can hold a README against it. A terminal has colours, and lines that are taken back.
package show

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Columns is how wide the output is: it fits every terminal.
const Columns = 79

// Options are how a Screen is to look. The zero value is fit for most.
type Options struct {
	Quiet   bool   // verdicts only
	NoColor bool   // no colours; the environment's NO_COLOR says so too
	Margin  string // before verdicts: blanks, where they stand under what they judge
}

// Screen is where an example is seen: a terminal, with colours and a picture under the text that is drawn again and
// again, or a file or pipe, with neither. Its methods are safe for concurrent use.
type Screen struct {
	opts   Options
	colour bool
	live   bool // a terminal that can rewrite its last lines

	mu    sync.Mutex
	w     io.Writer
	frame func() []string // what is drawn under the text; nil: nothing
	drawn int             // lines of it on the screen
}

// New makes a Screen of w, which is a terminal or not.
func New(w io.Writer, o Options) *Screen {
	s := &Screen{w: w, opts: o}
	if isTerminal(w) && os.Getenv("TERM") != "dumb" {
		s.live = true
		s.colour = !o.NoColor && os.Getenv("NO_COLOR") == "" // see no-color.org
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

// Colour is one that every terminal has.
type Colour string

// The colours, and what passes for one.
const (
	Bold  Colour = "1"
	Faint Colour = "2"
	Red   Colour = "31"
	Green Colour = "32"
	Cyan  Colour = "36"
)

// Paint colours text where the screen has colours.
func (s *Screen) Paint(c Colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// Text prints a line of the show, above what is drawn.
func (s *Screen) Text(format string, args ...any) {
	if !s.opts.Quiet {
		s.Always(format, args...)
	}
}

// Always prints a line that is seen on a quiet screen too.
func (s *Screen) Always(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawLocked(fmt.Sprintf(format, args...) + "\n")
}

// Title opens a scene.
func (s *Screen) Title(format string, args ...any) {
	s.Text("")
	s.Text("%s", s.Paint(Bold, fmt.Sprintf(format, args...)))
}

// Story prints what a scene is about, wrapped.
func (s *Screen) Story(format string, args ...any) {
	for _, line := range Wrap(fmt.Sprintf(format, args...), Columns-3) {
		s.Text("   %s", s.Paint(Faint, line))
	}
}

// Fact prints something that was measured, wrapped.
func (s *Screen) Fact(format string, args ...any) {
	for i, line := range Wrap(fmt.Sprintf(format, args...), Columns-5) {
		indent := "   "
		if i > 0 {
			indent = "     "
		}
		s.Text("%s%s", indent, line)
	}
}

// Verdict prints a claim and whether it holds, wrapped.
func (s *Screen) Verdict(c Claim) {
	mark, says := s.Paint(Green, "ok"), c.Says
	if !c.Holds {
		mark, says = s.Paint(Red, "NO"), c.Says+" ("+c.Found+")"
	}
	for i, line := range Wrap(says, Columns-6) {
		if i > 0 {
			mark = "  "
		}
		s.Always("%s%s %s", s.opts.Margin, mark, line)
	}
}

// Conclude prints the verdicts on claims and, where all hold, that they do. Otherwise it is the error of Verify.
func (s *Screen) Conclude(claims []Claim, begun time.Time) error {
	s.Text("")
	for _, c := range claims {
		s.Verdict(c)
	}
	if err := Verify(claims); err != nil {
		return err
	}
	s.Held(len(claims), begun)
	return nil
}

// Held prints that so many claims held, as the last line of a show.
func (s *Screen) Held(claims int, begun time.Time) {
	s.Text("")
	s.Always("%s", s.Paint(Bold, fmt.Sprintf("All %d claims held, in %s.", claims, Seconds(time.Since(begun)))))
}
