package show

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The null device is a character device, as a terminal is.
func TestColourOnlyWhereItIsWanted(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")

	s := New(null, Options{})
	require.True(t, s.live && s.colour)
	s = New(null, Options{NoColor: true})
	require.True(t, s.live && !s.colour, "-no-color")
	s = New(&bytes.Buffer{}, Options{})
	require.False(t, s.live || s.colour, "no terminal")

	t.Setenv("NO_COLOR", "1")
	s = New(null, Options{})
	require.True(t, s.live && !s.colour, "NO_COLOR")
	require.Equal(t, "plain", s.Paint(Red, "plain"))

	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	s = New(null, Options{})
	require.False(t, s.live || s.colour, "a dumb terminal")
}

// A frame stays under the text and leaves nothing behind.
func TestFrameIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &Screen{w: &out, live: true}
		stop := s.Wait(func() string { return "for it" }, func() []string { return []string{"one"} })
		synctest.Wait()
		s.Text("said")
		time.Sleep(frameTime)
		synctest.Wait()
		stop()
		stop()
		first, second := "\x1b[?7lone\n   | 0.0 s  for it\n\x1b[?7h", "\x1b[?7lone\n   / 0.0 s  for it\n\x1b[?7h"
		third := "\x1b[?7lone\n   - 0.1 s  for it\n\x1b[?7h"
		back := "\x1b[2A\r\x1b[J"
		require.Equal(t, first+back+"said\n"+second+back+third+back, out.String())
	})
}

func TestNoFrameWhereItCannotBeTakenBack(t *testing.T) {
	var out bytes.Buffer
	for _, s := range []*Screen{{w: &out}, {w: &out, live: true, opts: Options{Quiet: true}}} {
		s.Wait(func() string { return "waiting" }, nil)()
	}
	require.Empty(t, out.String())
}

func TestAShowIsPlainText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		claims := []Claim{Claimed(true, "the sky is up", ""), Claimed(false, "the earth is flat", "it is %s", "not")}
		s := New(&out, Options{Margin: "   "})
		s.Title("%d  %s", 1, "A scene")
		s.Story("told")
		s.Fact("a fact that is longer than a line is wrapped, and what is left of it goes in a little")
		require.EqualError(t, s.Conclude(claims, time.Now()), "not true: the earth is flat (it is not)")
		require.NoError(t, s.Conclude(claims[:1], time.Now()))
		require.Equal(t, `
1  A scene
   told
   a fact that is longer than a line is wrapped, and what is left of it goes
     in a little

   ok the sky is up
   NO the earth is flat (it is not)

   ok the sky is up

All 1 claims held, in 0.0 s.
`, out.String())

		out.Reset()
		s = New(&out, Options{Quiet: true})
		s.Title("1")
		s.Story("told")
		s.Fact("found")
		require.NoError(t, s.Conclude(claims[:1], time.Now()))
		require.Equal(t, "ok the sky is up\nAll 1 claims held, in 0.0 s.\n", out.String())
	})
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args      []string
		code      int
		goOn      bool
		out, errs string
	}{
		{nil, ExitTrue, true, "", ""},
		{[]string{"-n", "2"}, ExitTrue, true, "", ""},
		{[]string{"-h"}, ExitTrue, false, "usage\n  -n int\n", ""},
		{[]string{"-n", "3"}, ExitUsage, false, "", "an: three is too many\nRun it with -h to see what it takes.\n"},
		{[]string{"-m"}, ExitUsage, false, "", "an: flag provided but not defined: -m\nRun it"},
		{[]string{"now"}, ExitUsage, false, "", `an: it takes no arguments beside its flags: ["now"]`},
	} {
		var out, errs bytes.Buffer
		flags := flag.NewFlagSet("an", flag.ContinueOnError)
		n := flags.Int("n", 0, "")
		code, goOn := Parse(flags, "usage\n", c.args, func() error {
			if *n > 2 {
				return errors.New("three is too many")
			}
			return nil
		}, &out, &errs)
		require.Equal(t, c.code, code, c.args)
		require.Equal(t, c.goOn, goOn, c.args)
		require.Contains(t, out.String(), c.out)
		require.Contains(t, errs.String(), c.errs)
		require.Equal(t, c.errs == "", errs.Len() == 0)
	}
}

func TestExit(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var errs bytes.Buffer
	require.Equal(t, ExitTrue, Exit(ctx, "an", nil, &errs))
	require.Equal(t, ExitFalse, Exit(ctx, "an", errors.New("not true: it"), &errs))
	cancel()
	require.Equal(t, ExitInterrupted, Exit(ctx, "an", errors.New("whatever"), &errs))
	require.Equal(t, "an: not true: it\nan: interrupted\n", errs.String())
}

func TestWrap(t *testing.T) {
	require.Equal(t, []string{"one two", "three", "São", "Paulo"}, Wrap("one  two three São Paulo", 7))
	require.Equal(t, []string{"incomprehensible", "word"}, Wrap("incomprehensible word", 5))
	require.Empty(t, Wrap("", 5)[0])
}

func TestNumbersForPeople(t *testing.T) {
	require.Equal(t, "0", Count(0))
	require.Equal(t, "999", Count(999))
	require.Equal(t, "1,000", Count(1000))
	require.Equal(t, "1,234,567", Count(uint64(1234567)))
	require.Equal(t, "1 request", Many(1, "request"))
	require.Equal(t, "0 requests", Many(0, "request"))
	require.Equal(t, "1,234.05", Money(123_405))
	require.Equal(t, "0.50", Money(50))
	require.Equal(t, "1.5 s", Seconds(1540*time.Millisecond))
	require.Equal(t, "13 ms", Millis(12600*time.Microsecond))
}
