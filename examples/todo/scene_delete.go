package main

import (
	"context"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// deleting: once it is refused, once it is not.
type deleting struct {
	hidden, back look // refused
	again, after look // allowed
	wire, told   []string
	err          [2]error
}

func (*deleting) title() string { return "A delete that is refused, and one that is not" }

func (s *deleting) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann deletes the second todo while the switch is on, and again when it is off.")
	st.origin.refuse("the list is being printed")
	defer st.origin.refuse("")
	if s.hidden, s.back, s.err[0], err = s.try(ctx, st, "it is refused"); err != nil {
		return err
	}
	st.origin.refuse("")
	if s.again, s.after, s.err[1], err = s.try(ctx, st, "the origin has deleted it"); err != nil {
		return err
	}
	s.wire = st.wire()
	s.told, err = st.told(ctx, st.ann)
	return err
}

// try has Ann delete the todo, and looks before and after the origin's answer.
func (s *deleting) try(ctx context.Context, st *stage, outcome string) (before, after look, deleted, err error) {
	gone := st.origin.hold("ann DELETE /todos/2")
	del := st.start(func() error { return st.ann.cache.Delete(ctx, "2") })
	if err := gone.await(ctx); err != nil {
		return before, after, nil, err
	}
	if before, err = st.look(ctx, "the origin has not answered"); err != nil {
		return before, after, nil, err
	}
	gone.answer()
	if err := del.wait(ctx); err != nil {
		return before, after, nil, err
	}
	if err := st.deliver(ctx, st.ann); err != nil {
		return before, after, nil, err
	}
	after, err = st.look(ctx, outcome)
	return before, after, del.err, err
}

func (s *deleting) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.hidden.ann.keys() == "134" && s.hidden.bob.keys() == "1234",
			"it left Ann's list at once, and Bob's not", "%v", s.hidden),
		show.Claimed(refused(s.err[0]) && s.back.ann.keys() == "1234" && s.back.ann.row("2") == "2 [ ] call mum at 9",
			"the refusal brought it back, in its place", "%v %v", s.err[0], s.back.ann),
		show.Claimed(s.err[1] == nil && s.again.ann.keys() == "134" && s.after.ann.keys() == "134" && s.after.bob.keys() == "134",
			"the second time it left both boards, for good", "%v %v %v", s.err[1], s.again.ann, s.after),
		show.Claimed(slices.Equal(s.wire, []string{
			"ann DELETE /todos/2 -> 423 the list is being printed", "ann DELETE /todos/2 -> 204",
			"bob GET /todos?list=home -> 200 with 3 todos",
		}) && slices.Equal(s.told, []string{
			"Optimistic  2  [ ] call mum at 9 → nothing", "RolledBack  2  nothing → [ ] call mum at 9",
			"Optimistic  2  [ ] call mum at 9 → nothing", "Deleted     2  nothing → nothing",
		}), "Ann read nothing again", "%q %q", s.wire, s.told),
	}
}
