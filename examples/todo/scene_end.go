package main

import (
	"context"
	"slices"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// ending: the screens, the events and the origin agree.
type ending struct {
	last, followed look
	truth          board
	stats          [2]freshet.Stats
}

func (*ending) title() string { return "What is left" }

func (s *ending) play(ctx context.Context, st *stage) (err error) {
	if s.last, err = st.look(ctx, "both boards"); err != nil {
		return err
	}
	if err := st.newPage(ctx); err != nil {
		return err
	}
	s.stats = [2]freshet.Stats{st.ann.cache.Stats(), st.bob.cache.Stats()}
	s.followed = look{st.ann.diary.board(), st.bob.diary.board()}
	for _, t := range st.origin.all() {
		s.truth = append(s.truth, row{key: t.ID, todo: t})
	}
	return nil
}

func (s *ending) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(len(s.truth) == 3 && slices.Equal(s.last.ann, s.truth) && slices.Equal(s.last.bob, s.truth),
			"both boards show what the origin has", "%v, the origin %v", s.last, s.truth),
		show.Claimed(slices.Equal(s.followed.ann, s.truth) && slices.Equal(s.followed.bob, s.truth),
			"so do two boards that were drawn from the events alone", "%v, the origin %v", s.followed, s.truth),
		show.Claimed(s.stats[0].Pending == 0 && s.stats[1].Pending == 0, "nothing is pending",
			"%d and %d", s.stats[0].Pending, s.stats[1].Pending),
	}
}
