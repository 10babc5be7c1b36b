package main

import (
	"context"
	"errors"
	"slices"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// losing: the origin has applied a write, and its answer is lost.
type losing struct {
	both, unsure, after look
	wire, told          []string
	err                 [2]error
}

func (*losing) title() string { return "The origin's answer is lost" }

func (s *losing) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann changes a text and ticks it off. The origin applies the first edit, but the connection breaks before " +
		"Ann hears of it: it may be there, or not.")
	put, get := st.origin.hold("ann PUT /todos/1"), st.origin.hold("ann GET /todos/1")
	var edits [2]*call
	for i, m := range []freshet.Mutation[Todo]{reword("buy soy milk"), tick} {
		edits[i] = st.start(func() error {
			_, err := st.ann.cache.Mutate(ctx, "1", m)
			return err
		})
		if err := st.ann.diary.await(ctx, streams.Optimistic, 1); err != nil {
			return err
		}
	}
	if err := put.await(ctx); err != nil {
		return err
	}
	if s.both, err = st.look(ctx, "the first is with the origin, the second waits for it"); err != nil {
		return err
	}
	put.loseAnswer()
	if err := edits[0].wait(ctx); err != nil {
		return err
	}
	if err := get.await(ctx); err != nil {
		return err
	}
	if s.unsure, err = st.look(ctx, "the answer is lost; before the second may go, the todo is read"); err != nil {
		return err
	}
	get.answer()
	if err := edits[1].wait(ctx); err != nil {
		return err
	}
	s.err = [2]error{edits[0].err, edits[1].err}
	if err := st.deliver(ctx, st.ann); err != nil {
		return err
	}
	if s.after, err = st.look(ctx, "the second is confirmed"); err != nil {
		return err
	}
	s.wire = st.wire()
	if s.told, err = st.told(ctx, st.ann); err != nil {
		return err
	}
	st.error(st.ann, s.err[0])
	return nil
}

func (s *losing) claims() []show.Claim {
	var write *freshet.WriteError
	return []show.Claim{
		show.Claimed(errors.As(s.err[0], &write) && write.Unknown && errors.Is(s.err[0], freshet.ErrUnknown),
			"Ann was told that the origin may have applied the first", "%v", s.err[0]),
		show.Claimed(s.both.ann.row("1") == "1 [x] buy soy milk (2 pending)" && s.unsure.ann.row("1") == "1 [x] buy oat milk (1 pending)",
			"what may not be true was taken back", "%v %v", s.both.ann, s.unsure.ann),
		show.Claimed(slices.Equal(s.wire, []string{
			"ann PUT /todos/1 -> done, but the answer is lost", "ann GET /todos/1 -> 200",
			"ann PUT /todos/1 -> 200", "bob GET /todos/1 -> 200",
		}), "the todo was read before anything else was written", "%q", s.wire),
		show.Claimed(s.err[1] == nil && s.after.ann.row("1") == "1 [x] buy soy milk" && s.after.bob.row("1") == "1 [x] buy soy milk",
			"the second edit was made of what the origin had: nothing is lost", "%v %v", s.err[1], s.after),
	}
}
