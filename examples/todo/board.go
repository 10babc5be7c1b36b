package main

import (
	"fmt"
	"unicode/utf8"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// board is a to-do list as it is on a client's screen.
type board []row

// row is a todo, and how many of its edits the origin has not confirmed.
type row struct {
	key     string
	todo    Todo
	pending int
}

func (r row) String() string {
	if r.pending > 0 {
		return fmt.Sprintf("%s %v (%d pending)", r.key, r.todo, r.pending)
	}
	return fmt.Sprintf("%s %v", r.key, r.todo)
}

// row is the todo with that key as the screen has it, "" where it does not.
func (b board) row(key string) string {
	for _, r := range b {
		if r.key == key {
			return r.String()
		}
	}
	return ""
}

// keys are the todos on the board, in order.
func (b board) keys() string {
	keys := ""
	for _, r := range b {
		keys += r.key
	}
	return keys
}

// look is both boards at one moment.
type look struct{ ann, bob board }

// column is how wide a board is.
const column = 36

// lines draws the boards side by side.
func (l look) lines(scr *show.Screen) []string {
	lines := []string{scr.Paint(show.Faint, fmt.Sprintf("%-*s%s", column, "ann", "bob"))}
	for i := range max(len(l.ann), len(l.bob)) {
		left, width := l.ann.cell(scr, i)
		right, _ := l.bob.cell(scr, i)
		if right != "" {
			left = fmt.Sprintf("%s%*s", left, column-width, "")
		}
		lines = append(lines, left+right)
	}
	return lines
}

// cell is line i of a board, and how wide it is.
func (b board) cell(scr *show.Screen, i int) (text string, width int) {
	if i >= len(b) {
		return "", 0
	}
	text = b[i].String()
	width = utf8.RuneCountInString(text)
	if b[i].pending > 0 {
		text = scr.Paint(show.Cyan, text)
	}
	return text, width
}
