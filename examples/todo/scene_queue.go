package main

import (
	"context"
	"slices"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// queueing: two edits of one todo, of which the second is refused.
type queueing struct {
	both, first, after look
	overtook           bool // the second was with the origin beside the first
	wire, told         []string
	err                [2]error
}

func (*queueing) title() string { return "Two edits in a row, the second is refused" }

func (s *queueing) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann changes a text and ticks it off before the origin has answered. Then somebody turns the switch.")
	puts := [2]*gate{st.origin.hold("ann PUT /todos/2"), st.origin.hold("ann PUT /todos/2")}
	var edits [2]*call
	for i, m := range []freshet.Mutation[Todo]{reword("call mum at 9"), tick} {
		edits[i] = st.start(func() error {
			_, err := st.ann.cache.Mutate(ctx, "2", m)
			return err
		})
		if err := st.ann.diary.await(ctx, streams.Optimistic, 1); err != nil {
			return err
		}
	}
	if err := puts[0].await(ctx); err != nil {
		return err
	}
	if s.both, err = st.look(ctx, "the first is with the origin, the second waits for it"); err != nil {
		return err
	}
	s.overtook = puts[1].isThere()
	puts[0].answer()
	if err := edits[0].wait(ctx); err != nil {
		return err
	}
	if err := st.deliver(ctx, st.ann); err != nil {
		return err
	}
	if err := puts[1].await(ctx); err != nil {
		return err
	}
	if s.first, err = st.look(ctx, "the first is confirmed, the second with the origin"); err != nil {
		return err
	}
	st.origin.refuse("the list is being printed")
	puts[1].answer()
	if err := edits[1].wait(ctx); err != nil {
		return err
	}
	st.origin.refuse("")
	s.err = [2]error{edits[0].err, edits[1].err}
	if s.after, err = st.look(ctx, "the second is refused"); err != nil {
		return err
	}
	s.wire = st.wire()
	if s.told, err = st.told(ctx, st.ann); err != nil {
		return err
	}
	st.error(st.ann, s.err[1])
	return nil
}

func (s *queueing) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.both.ann.row("2") == "2 [x] call mum at 9 (2 pending)" && !s.overtook,
			"both showed at once, and went to the origin one after the other", "%v, overtook: %v", s.both.ann, s.overtook),
		show.Claimed(s.err[0] == nil && s.first.ann.row("2") == "2 [x] call mum at 9 (1 pending)" && s.first.bob.row("2") == "2 [ ] call mum at 9",
			"Bob got the one that was confirmed, without the one that was not", "%v %v", s.err[0], s.first),
		show.Claimed(refused(s.err[1]) && s.after.ann.row("2") == "2 [ ] call mum at 9" && s.after.bob.row("2") == "2 [ ] call mum at 9",
			"the refusal took the second back, and the first stands", "%v %v", s.err[1], s.after),
		show.Claimed(slices.Equal(s.told, []string{
			"Optimistic  2  [ ] call mum → [ ] call mum at 9",
			"Optimistic  2  [ ] call mum at 9 → [x] call mum at 9",
			"Committed   2  [x] call mum at 9 → [x] call mum at 9",
			"RolledBack  2  [x] call mum at 9 → [ ] call mum at 9",
		}), "the events tell it as it was seen", "%q", s.told),
	}
}
