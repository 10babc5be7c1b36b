package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// ticking: the other client's turn, and its tick is refused.
type ticking struct {
	shown, after look
	wire, told   []string
	err          error
	why          string // what the origin gave as its reason
}

func (*ticking) title() string { return "A tick that is refused" }

func (s *ticking) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Bob ticks a todo off while the switch is on.")
	st.origin.refuse("the list is being printed")
	defer st.origin.refuse("")
	put := st.origin.hold("bob PUT /todos/3")
	edit := st.start(func() error {
		_, err := st.bob.cache.Mutate(ctx, "3", tick)
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
	var status *rest.StatusError
	if errors.As(s.err, &status) {
		s.why = strings.TrimSpace(string(status.Body))
	}
	if err := st.deliver(ctx, st.bob); err != nil {
		return err
	}
	if s.after, err = st.look(ctx, "it is refused"); err != nil {
		return err
	}
	s.wire = st.wire()
	if s.told, err = st.told(ctx, st.bob); err != nil {
		return err
	}
	st.error(st.bob, s.err)
	st.scr.Text("   reason bob %s", s.why)
	return nil
}

// refused says whether err is the origin's no: it has not applied the write.
func refused(err error) bool {
	var write *freshet.WriteError
	var status *rest.StatusError
	return errors.As(err, &write) && !write.Unknown && errors.As(err, &status) && status.Status == http.StatusLocked
}

func (s *ticking) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.shown.bob.row("3") == "3 [x] water the plants (1 pending)" && s.shown.ann.row("3") == "3 [ ] water the plants",
			"Bob saw his tick at once, and Ann never", "%v", s.shown),
		show.Claimed(s.after.bob.row("3") == "3 [ ] water the plants" && s.after.ann.row("3") == "3 [ ] water the plants" &&
			slices.Equal(s.wire, []string{"bob PUT /todos/3 -> 423 the list is being printed"}),
			"it was taken back, and nobody had to ask what was there before", "%v %q", s.after, s.wire),
		show.Claimed(refused(s.err) && s.why == "the list is being printed",
			"Bob was told why", "%v %q", s.err, s.why),
	}
}
