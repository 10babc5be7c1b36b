package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The null device is a character device, as a terminal is.
func TestColourOnlyWhereItIsWanted(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")

	s := newScreen(null, false, false)
	require.True(t, s.live && s.colour)
	s = newScreen(null, false, true)
	require.True(t, s.live && !s.colour, "-no-color")
	s = newScreen(&bytes.Buffer{}, false, false)
	require.False(t, s.live || s.colour, "no terminal")

	t.Setenv("NO_COLOR", "1")
	s = newScreen(null, false, false)
	require.True(t, s.live && !s.colour, "NO_COLOR")
	require.Equal(t, "plain", s.paint(red, "plain"))

	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	s = newScreen(null, false, false)
	require.False(t, s.live || s.colour, "a dumb terminal")
}

// Progress leaves nothing behind, however many lines it had.
func TestProgressIsTakenBack(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out, live: true}
	frames := make(chan struct{})
	stop := s.progress(func() string { return "waiting" }, func() []string {
		frames <- struct{}{}
		return []string{"one", "two"}
	})
	<-frames
	<-frames // the first is on the screen
	go func() {
		for range frames { // those that are drawn until it stops
		}
	}()
	stop()
	stop()
	close(frames)
	require.Regexp(t, regexp.QuoteMeta("\r\x1b[J\x1b[?7lone\ntwo\n   | 0.0 s  waiting\x1b[?7h")+"(?s).*"+
		regexp.QuoteMeta("\r\x1b[2A\x1b[J")+"$", out.String())
}

func TestNoProgressWhereItCannotBeTakenBack(t *testing.T) {
	var out bytes.Buffer
	for _, s := range []*screen{{w: &out}, {w: &out, live: true, quiet: true}} {
		s.progress(func() string { return "waiting" }, nil)()
	}
	require.Empty(t, out.String())
}

func TestWrap(t *testing.T) {
	require.Equal(t, []string{"one two", "three", "São", "Paulo"}, wrap("one  two three São Paulo", 7))
	require.Equal(t, []string{"incomprehensible", "word"}, wrap("incomprehensible word", 5))
	require.Equal(t, []string{""}, wrap("", 5))
}

func TestNumbersForPeople(t *testing.T) {
	require.Equal(t, "0", count(0))
	require.Equal(t, "999", count(999))
	require.Equal(t, "1,000", count(1000))
	require.Equal(t, "1,234,567", count(uint64(1234567)))
	require.Equal(t, "1 request", many(1, "request"))
	require.Equal(t, "0 requests", many(0, "request"))
	require.Equal(t, "1.5 s", seconds(1540*time.Millisecond))
	require.Equal(t, "13 ms", millis(12600*time.Microsecond))
}
