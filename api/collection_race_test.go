package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// A record is changed while its Create still tells the lists what it made: they
// end with the change.
func TestW8_ACreateTellsTheListsNothingThatAWriteOvertook(t *testing.T) {
	for name, write := range map[string]func(c *freshet.Cache[string]) error{
		"update": func(c *freshet.Cache[string]) error { _, err := c.Update(bg, "k1", "y1"); return err },
		"delete": func(c *freshet.Cache[string]) error { return c.Delete(bg, "k1") },
	} {
		want := map[string]string{"update": "y1"}[name]
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, asked, answer := newCatalog(), make(chan struct{}, 2), make(chan struct{})
				c := lists(t, s, config{Lister: membered{s, func(query string, item freshet.Item[string]) bool {
					if item.Value == "x1" {
						asked <- struct{}{}
						<-answer
					}
					return membered{catalog: s}.Belongs(query, item)
				}}})
				x, y := c.Collection("x"), c.Collection("y")
				hasItems(t, x, "")
				hasItems(t, y, "")
				made := create(c, "x1")
				<-asked
				require.NoError(t, write(c))
				close(answer)
				require.False(t, made.waiting())
				require.NoError(t, made.err)
				hasItems(t, x, "")
				hasItems(t, y, want)
			})
		})
		t.Run(name+" before the answer", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newCatalog()
				c := lists(t, s, config{Lister: membered{catalog: s}})
				x, y := c.Collection("x"), c.Collection("y")
				hasItems(t, y, "")
				w := s.stall(&s.after, "create")
				made := create(c, "x1")
				hasItems(t, x, "x1")
				require.NoError(t, write(c))
				hasItems(t, y, want)
				w.open()
				require.False(t, made.waiting())
				require.NoError(t, made.err)
				hasItems(t, x, "")
				hasItems(t, y, want)
			})
		})
	}
}
