package main

import (
	"context"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// editing: a change shows at once to who made it, and to others when it is
// true.
type editing struct {
	shown, after look
	wire, told   []string
	err          error
}

func (*editing) title() string { return "Edit: at once here, confirmed everywhere" }

func (s *editing) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann changes a text. The origin takes its time.")
	put := st.origin.hold("ann PUT /todos/1")
	edit := st.start(func() error {
		_, err := st.ann.cache.Mutate(ctx, "1", reword("buy oat milk"))
		return err
	})
	if err := put.await(ctx); err != nil {
		return err
	}
	if s.shown, err = st.look(ctx, "the origin has not answered"); err != nil {
		return err
	}
	put.answer()
	if err := edit.wait(ctx); err != nil {
		return err
	}
	s.err = edit.err
	if err := st.deliver(ctx, st.ann); err != nil {
		return err
	}
	if s.after, err = st.look(ctx, "the origin has answered"); err != nil {
		return err
	}
	s.wire = st.wire()
	s.told, err = st.told(ctx, st.ann)
	return err
}

func (s *editing) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.shown.ann.row("1") == "1 [ ] buy oat milk (1 pending)",
			"Ann saw her edit before the origin had answered", "%v", s.shown.ann),
		show.Claimed(s.shown.bob.row("1") == "1 [ ] buy milk", "Bob saw nothing that might not be", "%v", s.shown.bob),
		show.Claimed(s.err == nil && s.after.ann.row("1") == "1 [ ] buy oat milk" && s.after.bob.row("1") == "1 [ ] buy oat milk",
			"once it was confirmed both had it", "%v %v", s.err, s.after),
		show.Claimed(slices.Equal(s.wire, []string{"ann PUT /todos/1 -> 200", "bob GET /todos/1 -> 200"}) &&
			slices.Equal(s.told, []string{
				"Optimistic  1  [ ] buy milk → [ ] buy oat milk", "Committed   1  [ ] buy oat milk → [ ] buy oat milk",
			}), "for one request each", "%q %q", s.wire, s.told),
	}
}
