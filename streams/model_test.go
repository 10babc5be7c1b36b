package streams_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/streams"
)

// model is the naive log: it remembers everything. Against it a real one is right if what a subscription delivers is
// the next event that it wants, or a Gap over revisions that the history could not have held.
type model struct {
	t       *rapid.T
	log     *streams.Log[int]
	history uint64
	all     []streams.Event[int] // revision i at i-1
	subs    []*modelSub
}

type modelSub struct {
	*streams.Subscription[int]
	wants    func(streams.Event[int]) bool
	opts     []streams.Option
	overflow streams.Overflow
	byKeys   bool
	mine     map[string]bool
	at       uint64 // everything up to here is accounted for
}

func (m *model) head() uint64   { return uint64(len(m.all)) }
func (m *model) oldest() uint64 { return max(m.head(), m.history) - m.history + 1 }

func (m *model) append(key string, kind streams.Kind) {
	v := len(m.all)
	e := streams.Event[int]{Key: key, Kind: kind, After: &v}
	e.Revision = m.log.Append(&e, uint32(v%7), nil)
	e.Cache = "model"
	m.all = append(m.all, e)
	if e.Revision != m.head() {
		m.t.Fatalf("revision %d where %d was due", e.Revision, m.head())
	}
}

func (m *model) weight() (sum uint64) {
	for i := m.oldest(); i <= m.head(); i++ {
		sum += (i - 1) % 7
	}
	return sum
}

// due is the next event that s wants.
func (m *model) due(s *modelSub) (streams.Event[int], bool) {
	for _, e := range m.all[s.at:] {
		if s.wants(e) {
			return e, true
		}
	}
	return streams.Event[int]{}, false
}

// lappedByItsOwn: some key of s has more unread events than are kept for it whatever happens (S9).
func (m *model) lappedByItsOwn(s *modelSub) bool {
	unread := map[string]int{}
	for _, e := range m.all[s.at:] {
		if unread[e.Key]++; unread[e.Key] > 16 && s.mine[e.Key] {
			return true
		}
	}
	return false
}

func (m *model) next(s *modelSub) (ended bool) {
	t := m.t
	want, any := m.due(s)
	lapped := s.at+1 < m.oldest() && (!s.byKeys || m.lappedByItsOwn(s))
	if !any && !lapped {
		return false // it would wait
	}
	if !any && s.byKeys {
		return false
	}
	e, err := s.Next(context.Background())
	switch {
	case errors.Is(err, streams.ErrLagged):
		var lag *streams.LaggedError
		if !errors.As(err, &lag) || s.overflow != streams.Disconnect || !lapped || lag.From > lag.To ||
			lag.To > max(s.at, min(m.oldest()-1+m.history/8, m.head())) {
			t.Fatalf("%v, at %d of %d, history from %d", err, s.at, m.head(), m.oldest())
		}
		return true
	case err != nil:
		t.Fatal(err)
	case e.Kind == streams.Gap:
		if s.overflow != streams.DropOldest || !lapped || e.From <= s.at || e.To >= m.oldest() || e.From > e.To {
			t.Fatalf("a Gap from %d to %d at %d, history from %d", e.From, e.To, s.at, m.oldest())
		}
		for _, lost := range m.all[s.at : e.From-1] {
			if s.wants(lost) {
				t.Fatalf("a Gap from %d to %d, and revision %d was never told", e.From, e.To, lost.Revision)
			}
		}
		s.at = e.To
	case e.Kind == streams.Bookmark:
		if e.Revision < s.at || any && want.Revision <= e.Revision {
			t.Fatalf("a Bookmark at %d, where %d is due", e.Revision, want.Revision)
		}
		s.at = e.Revision
	default:
		if !any || e.Revision != want.Revision || e.Key != want.Key || e.Kind != want.Kind || *e.After != *want.After || e.Cache != "model" {
			t.Fatalf("got %+v, due is %+v", e, want)
		}
		s.at = e.Revision
	}
	return false
}

// TestS1_S2_S3_RingAgainstNaiveModel runs random appends, reads, resumes and ends against the model.
func TestS1_S2_S3_RingAgainstNaiveModel(t *testing.T) {
	keys := []string{"a", "a/1", "a/2", "b", "b/1", "c"}
	rapid.Check(t, func(t *rapid.T) {
		history := rapid.SampledFrom([]int{1, 2, 3, 4, 7, 16, 40, 100, 700}).Draw(t, "history")
		log, err := streams.NewLog(streams.LogConfig[int]{Cache: "model", History: history})
		if err != nil {
			t.Fatal(err)
		}
		m := &model{t: t, log: log, history: uint64(history)}
		pick := func(t *rapid.T) *modelSub {
			if len(m.subs) == 0 {
				t.Skip("nobody there")
			}
			return m.subs[rapid.IntRange(0, len(m.subs)-1).Draw(t, "sub")]
		}
		drop := func(s *modelSub) {
			s.Close()
			for i := range m.subs {
				if m.subs[i] == s {
					m.subs = append(m.subs[:i], m.subs[i+1:]...)
					return
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				n := rapid.IntRange(1, 2*min(history, 80)+1).Draw(t, "n")
				only := rapid.SampledFrom(append(keys, "", "")).Draw(t, "only")
				for range n {
					key := only
					if key == "" {
						key = rapid.SampledFrom(keys).Draw(t, "key")
					}
					m.append(key, rapid.SampledFrom([]streams.Kind{streams.Updated, streams.Dropped}).Draw(t, "kind"))
				}
			},
			"subscribe": func(t *rapid.T) {
				s := &modelSub{
					overflow: rapid.SampledFrom([]streams.Overflow{streams.Disconnect, streams.DropOldest}).Draw(t, "overflow"),
					wants:    func(streams.Event[int]) bool { return true },
					at:       m.head(),
				}
				s.opts = append(s.opts, streams.OnOverflow(s.overflow))
				switch rapid.IntRange(0, 3).Draw(t, "filter") {
				case 1:
					s.opts = append(s.opts, streams.Prefix("a"))
					s.wants = func(e streams.Event[int]) bool { return strings.HasPrefix(e.Key, "a") }
				case 2:
					n := rapid.IntRange(1, len(keys)).Draw(t, "keys")
					mine := map[string]bool{}
					for i := range n {
						mine[keys[i]] = true
						s.opts = append(s.opts, streams.Keys(keys[i]))
					}
					s.byKeys, s.mine = true, mine
					s.wants = func(e streams.Event[int]) bool { return mine[e.Key] }
				}
				if rapid.Bool().Draw(t, "kinds") {
					all := s.wants
					s.opts = append(s.opts, streams.Kinds(streams.Updated))
					s.wants = func(e streams.Event[int]) bool { return e.Kind == streams.Updated && all(e) }
				}
				sub, err := log.Subscribe(context.Background(), s.opts...)
				if err != nil {
					t.Fatal(err)
				}
				s.Subscription = sub
				m.subs = append(m.subs, s)
			},
			"read": func(t *rapid.T) {
				s := pick(t)
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					if m.next(s) {
						drop(s)
						return
					}
				}
			},
			"resume": func(t *rapid.T) {
				s := pick(t)
				token := s.Token()
				s.Close()
				sub, err := log.Subscribe(context.Background(), append(s.opts, streams.Since(token))...)
				var old *streams.CompactedError
				switch {
				case errors.As(err, &old):
					if old.Oldest != m.oldest() || s.at+1 >= m.oldest() {
						t.Fatalf("%v at %d, history from %d", err, s.at, m.oldest())
					}
					drop(s)
				case err != nil:
					t.Fatal(err)
				default:
					s.Subscription = sub
				}
			},
			"close": func(t *rapid.T) { drop(pick(t)) },
			"": func(t *rapid.T) {
				st := log.Stats()
				want := fmt.Sprint(m.head(), m.oldest(), m.weight(), len(m.subs))
				if have := fmt.Sprint(st.Revision, st.Oldest, st.Weight, st.Subscriptions); have != want {
					t.Fatalf("revision, oldest, weight, subscriptions: %s, want %s", have, want)
				}
			},
		})
		for _, s := range m.subs {
			s.Close()
		}
	})
}
