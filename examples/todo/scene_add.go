package main

import (
	"context"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// adding: a new todo has no key before the origin gives it one.
type adding struct {
	before, after look
	key           string
	wire          []string
	err           error
}

func (*adding) title() string { return "Add: it shows when the origin has given it a key" }

func (s *adding) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann adds a todo. Her list knows without asking that it belongs there (Membership); Bob hears of it " +
		"by a message, and reads his list again.")
	post := st.origin.hold("ann POST /todos")
	add := st.start(func() (err error) {
		s.key, _, err = st.ann.cache.Create(ctx, Todo{List: "home", Text: "feed the cat"})
		return err
	})
	if err := post.await(ctx); err != nil {
		return err
	}
	if s.before, err = st.look(ctx, "the origin has not answered"); err != nil {
		return err
	}
	post.answer()
	if err := add.wait(ctx); err != nil {
		return err
	}
	s.err = add.err
	if err := st.deliver(ctx, st.ann); err != nil {
		return err
	}
	if s.after, err = st.look(ctx, "the origin has answered"); err != nil {
		return err
	}
	s.wire = st.wire()
	_, err = st.told(ctx, st.ann)
	return err
}

func (s *adding) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.before.ann.keys() == "123" && s.before.bob.keys() == "123",
			"nothing showed before it had a key", "%v", s.before),
		show.Claimed(s.err == nil && s.key == "4" && s.after.ann.row("4") == "4 [ ] feed the cat" && s.after.ann.keys() == "1234",
			"then it stands at the end of Ann's list", "%v %q %v", s.err, s.key, s.after.ann),
		show.Claimed(s.after.bob.keys() == "1234" && slices.Equal(s.wire, []string{
			"ann POST /todos -> 201", "bob GET /todos?list=home -> 200 with 4 todos",
		}), "Ann asked for no list, Bob for one", "%v %q", s.after.bob, s.wire),
	}
}
