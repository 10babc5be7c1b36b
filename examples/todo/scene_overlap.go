package main

import (
	"context"
	"slices"
	"strings"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// overlapping: a list that was read before an edit comes back after it.
type overlapping struct {
	before, during, after look
	old                   []Todo // what the late list said
	wire, told            []string
	err                   [2]error // of the edit, of the reload
}

func (*overlapping) title() string { return "A list from before an edit comes back after it" }

func (s *overlapping) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann reloads her list, and changes a text meanwhile. The list that the origin has read before the edit " +
		"arrives when the edit is long confirmed.")
	const list, item = "ann GET /todos?" + home, "ann PUT /todos/3"
	late, again, put := st.origin.hold(list), st.origin.hold(list), st.origin.hold(item)
	reload := st.start(func() error {
		_, err := st.ann.home.Reload(ctx).Await(ctx)
		return err
	})
	if err := late.await(ctx); err != nil {
		return err
	}
	edit := st.start(func() error {
		_, err := st.ann.cache.Mutate(ctx, "3", reword("water the cactus"))
		return err
	})
	if err := put.await(ctx); err != nil {
		return err
	}
	if s.before, err = st.look(ctx, "list and edit are both with the origin"); err != nil {
		return err
	}
	put.answer()
	if err := edit.wait(ctx); err != nil {
		return err
	}
	if err := st.deliver(ctx, st.ann); err != nil {
		return err
	}
	// The list in the air may not have seen the edit: another one flies.
	if err := again.await(ctx); err != nil {
		return err
	}
	late.answer()
	if err := st.ann.diary.awaitList(ctx, streams.Dropped); err != nil {
		return err
	}
	if s.during, err = st.look(ctx, "the edit is confirmed, and the old list has come"); err != nil {
		return err
	}
	again.answer()
	if err := reload.wait(ctx); err != nil {
		return err
	}
	s.err = [2]error{edit.err, reload.err}
	if s.after, err = st.look(ctx, "a list from after the edit has come"); err != nil {
		return err
	}
	s.wire = st.wire()
	s.old = late.said
	s.told, err = st.told(ctx, st.ann)
	return err
}

func (s *overlapping) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.before.ann.row("3") == "3 [ ] water the cactus (1 pending)", "Ann saw her edit at once", "%v", s.before.ann),
		show.Claimed(slices.Contains(s.old, Todo{ID: "3", List: "home", Text: "water the plants"}) && slices.Equal(s.wire, []string{
			"ann PUT /todos/3 -> 200", "bob GET /todos/3 -> 200",
			"ann GET /todos?list=home -> 200 with 3 todos", "ann GET /todos?list=home -> 200 with 3 todos",
		}), "a list with the old text came after the edit's answer", "%v %q", s.old, s.wire),
		show.Claimed(s.err == [2]error{} && s.during.ann.row("3") == "3 [ ] water the cactus" && s.after.ann.row("3") == "3 [ ] water the cactus",
			"the old text did not come back", "%v %v %v", s.err, s.during.ann, s.after.ann),
		show.Claimed(len(s.told) >= 2 && slices.Equal(s.told[:2], []string{
			"Optimistic  3  [ ] water the plants → [ ] water the cactus", "Committed   3  [ ] water the cactus → [ ] water the cactus",
		}) && !slices.ContainsFunc(s.told[2:], func(e string) bool { return strings.Contains(e, "plants") }),
			"nor did anybody who followed the events see it", "%q", s.told),
	}
}
