package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// The null device is a character device, as a terminal is.
func TestColourOnlyWhereItIsWanted(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")

	s := newScreen(null, false)
	require.True(t, s.live && s.colour)
	s = newScreen(null, true)
	require.True(t, s.live && !s.colour, "-no-color")
	s = newScreen(&bytes.Buffer{}, false)
	require.False(t, s.live || s.colour, "no terminal")

	t.Setenv("NO_COLOR", "1")
	s = newScreen(null, false)
	require.True(t, s.live && !s.colour, "NO_COLOR")
	require.Equal(t, "plain", s.paint(red, "plain"))

	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	s = newScreen(null, false)
	require.False(t, s.live || s.colour, "a dumb terminal")
}

// The board stays under the text and leaves nothing behind.
func TestFrameIsTakenBack(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out, live: true}
	s.setFrame(func() []string { return []string{"one", "two"} })
	s.text("said")
	s.setFrame(nil)
	frame := "\x1b[?7l\none\ntwo\n\x1b[?7h"
	require.Equal(t, frame+"\x1b[3A\r\x1b[Jsaid\n"+frame+"\x1b[3A\r\x1b[J", out.String())
}

func TestNoFrameWhereItCannotBeTakenBack(t *testing.T) {
	var out bytes.Buffer
	(&screen{w: &out}).show(func() []string { return []string{"one"} })()
	require.Empty(t, out.String())
}

func TestBoardIsDrawnFromEvents(t *testing.T) {
	b := newBoard()
	for i, cents := range []int{1_000, 1_100, 1_050} {
		b.apply(streams.Event[Quote]{Revision: uint64(i + 1), Key: "tin", Kind: streams.Updated, After: &Quote{Name: "tin", Cents: cents, Move: i}})
	}
	lines := b.lines(&screen{})
	require.Len(t, lines, 1+len(opening))
	require.Equal(t, "   gold              -", lines[1])
	require.Equal(t, []string{"tin", "10.50", "-0.50", "▁█▄", "2"}, strings.Fields(lines[6]))
	b.apply(streams.Event[Quote]{Revision: 4, Key: "tin", Kind: streams.Evicted})
	require.Empty(t, b.quotes())
	require.EqualValues(t, 4, b.revision)
}

func TestNumbersForPeople(t *testing.T) {
	require.Equal(t, "1,234.05", money(123_405))
	require.Equal(t, "-0.25", signed(-25))
	require.Equal(t, "+2.00", signed(200))
	require.Equal(t, "1,000", count(1000))
	require.Equal(t, "1 event", many(1, "event"))
	require.Equal(t, "▅▅", spark([]int{5, 5}))
	require.Equal(t, "", spark(nil))
	require.Equal(t, []string{"one two", "three"}, wrap("one  two three", 7))
}
