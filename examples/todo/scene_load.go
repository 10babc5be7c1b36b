package main

import (
	"context"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// loading: a list request brings its members too.
type loading struct {
	loaded look
	wire   []string
	read   int      // todos that were then read one by one
	rewire []string // what that cost
}

func (*loading) title() string { return "One list, one request" }

func (s *loading) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("Ann and Bob open their list, and then every todo on it.")
	for _, c := range []*client{st.ann, st.bob} {
		if _, err := c.home.Get(ctx); err != nil {
			return err
		}
	}
	s.wire = st.wire()
	for _, c := range []*client{st.ann, st.bob} {
		for _, r := range c.board() {
			if _, err := c.cache.Get(ctx, r.key); err != nil {
				return err
			}
			s.read++
		}
	}
	s.rewire = st.origin.answered(st.printed)
	s.loaded, err = st.look(ctx, "loaded")
	return err
}

func (s *loading) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(slices.Equal(s.wire, []string{
			"ann GET /todos?list=home -> 200 with 3 todos", "bob GET /todos?list=home -> 200 with 3 todos",
		}) && s.loaded.ann.keys() == "123" && s.loaded.bob.keys() == "123",
			"each client has the list, for one request", "%q, %v", s.wire, s.loaded),
		show.Claimed(s.read == 6 && len(s.rewire) == 0,
			"the list brought its members: reading each of them asked nothing", "%d read, %q", s.read, s.rewire),
	}
}
