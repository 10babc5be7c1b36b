package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// TestGolden replays testdata/*.txt. A script is a story: one command, then the
// effects it has, in order, then the resource in one line. "go test -rewrite"
// writes what happens; read the difference before you commit it.
//
//	new [ttl=10s stale=5s stale-on-error=5s missing=1s failure=1s ahead=0.2
//	     jitter=0.1 queue max-supersede=3 abort-abandoned floor=7]
//	demand plain|reload|max-age=5s [timeout=1s] [unheld]
//	join                      a reader takes the future it finds, if it may
//	leave f1
//	arrived 2|newest value=a|unchanged|absent [late] [older] [ttl=5s] [age=5s]
//	     [draw=0.5] [validator=x] [tags=x] [cover=7] [against=4] [err=gone]
//	failed 2|newest [err=boom]
//	set value=a [...]         as for arrived
//	invalidate-tag x          the tag's barrier rises, then the key's if it is shown with x
//	invalidate [7] | expire | remove | evict | close
//	observe [5s] | unobserve [5s]
//	advance 10s               time passes, and Due comes when it was asked for
//	mutate add=x [fails-on=y]|set=x|delete    add appends, where there is no y
//	committed 4|newest value=a|absent [...]    as for arrived
//	rejected 4|newest [unknown] [gone] [err=full]
//	take-off                  a list, or a call that creates, takes a number
//	created 4 value=a | seeded 4 value=a | amend value=a
//	looked 4|newest value=a [...] | nothing    with "new store"
//	stored 4                  the second tier acknowledges an erase
//
// The nth turn is brought the numbers 2n-1 (a barrier) and 2n (a stamp). A
// command is a turn, and another one for each replay that it asks for; new and
// advance are none, but for each Due.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &script{world: newWorld(lifecycle.Rules{MaxSupersede: 3}, 0)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			s.out.Reset()
			s.command()
			s.out.WriteString(s.world.state())
			return s.out.String() + "\n"
		})
	})
}

type script struct {
	t     *testing.T
	d     *datadriven.TestData
	world *world
	out   strings.Builder
	tags  map[string]uint64
}

func (s *script) command() {
	w := s.world
	switch s.d.Cmd {
	case "new":
		s.world, s.tags = s.fresh(), map[string]uint64{}
	case "demand":
		s.demand()
	case "join":
		future, ok := w.r.Joinable(&w.rules)
		if !ok {
			s.out.WriteString("must ask\n")
			return
		}
		w.holders[future]++
		fmt.Fprintf(&s.out, "joins %s\n", future)
	case "leave":
		s.tell(w.leave(s.first()))
	case "arrived":
		k, stamp, late := s.knowledge(), s.stamp(), s.has("late")
		s.tell(w.do(func(t *turn) { w.r.Arrived(t, stamp, &k, late) }))
	case "failed":
		err := errors.New("boom")
		if s.has("err") {
			err = errors.New(s.value("err"))
		}
		s.tell(w.do(func(t *turn) { w.r.Failed(t, s.stamp(), err) }))
	case "set":
		k := s.knowledge()
		s.tell(w.do(func(t *turn) { w.r.Set(t, k) }))
	case "invalidate":
		barrier := uint64(0)
		if len(s.d.CmdArgs) > 0 {
			barrier = s.stamp()
		}
		s.tell(w.do(func(t *turn) { w.r.Invalidate(t, barrier) }))
	case "invalidate-tag":
		s.invalidateTag(s.first())
	case "expire":
		s.tell(w.do(w.r.Expire))
	case "remove":
		s.tell(w.do(w.r.Remove))
	case "evict":
		s.tell(w.do(func(t *turn) { w.r.Evict(t, lifecycle.BySize) }))
	case "close":
		s.tell(w.do(w.r.Close))
	case "observe", "unobserve":
		refresh := time.Duration(0)
		if len(s.d.CmdArgs) > 0 {
			refresh = s.duration(s.first())
		}
		if s.d.Cmd == "observe" {
			s.tell(w.do(func(t *turn) { w.r.Observe(t, refresh) }))
		} else {
			s.tell(w.do(func(t *turn) { w.r.Unobserve(t, refresh) }))
		}
	case "advance":
		s.advance(s.duration(s.first()))
	default:
		s.write()
	}
}

// fresh is another resource, in a world whose numbers begin anew.
func (s *script) fresh() *world {
	rules := lifecycle.Rules{MaxSupersede: 3}
	floor := uint64(0)
	for _, arg := range s.d.CmdArgs {
		switch arg.Key {
		case "ttl":
			rules.TTL = s.duration(arg.Vals[0])
		case "stale":
			rules.Stale = s.duration(arg.Vals[0])
		case "stale-on-error":
			rules.StaleOnError = s.duration(arg.Vals[0])
		case "missing":
			rules.Missing = s.duration(arg.Vals[0])
		case "failure":
			rules.Failure = s.duration(arg.Vals[0])
		case "ahead":
			rules.Ahead = s.fraction(arg.Vals[0])
		case "jitter":
			rules.Jitter = s.fraction(arg.Vals[0])
		case "queue":
			rules.Reload = lifecycle.ReloadQueue
		case "max-supersede":
			arg.Scan(s.t, 0, &rules.MaxSupersede)
		case "abort-abandoned":
			rules.AbortAbandoned = true
		case "store":
			rules.Store = true
		case "floor":
			arg.Scan(s.t, 0, &floor)
		default:
			s.d.Fatalf(s.t, "no such rule: %s", arg.Key)
		}
	}
	w := newWorld(rules, floor)
	w.number = floor
	return w
}

func (s *script) demand() {
	d := demand{}
	switch first := s.d.CmdArgs[0]; first.Key {
	case "plain":
	case "reload":
		d.Kind = lifecycle.ForceReload
	case "max-age":
		d.Kind, d.MaxAge = lifecycle.MaxAge, s.duration(first.Vals[0])
	default:
		s.d.Fatalf(s.t, "no such demand: %s", first.Key)
	}
	if s.has("timeout") {
		d.Timeout = s.duration(s.value("timeout"))
	}
	for _, barrier := range s.tags {
		d.Uncertain = max(d.Uncertain, barrier)
	}
	effects := s.world.demand(d)
	if s.has("unheld") {
		for _, e := range effects {
			if e.Do == lifecycle.DoAnswer {
				s.world.holders[e.Future]--
			}
		}
	}
	s.tell(effects)
}

// invalidateTag takes a number first and comes to the key after.
func (s *script) invalidateTag(tag string) {
	w := s.world
	barrier := w.number + 1
	w.number += 2
	s.tags[tag] = barrier
	fmt.Fprintf(&s.out, "tag %s is void up to %d\n", tag, barrier)
	if slices.Contains(w.r.Shown().Tags(), tag) {
		s.tell(w.do(func(t *turn) { w.r.Invalidate(t, barrier) }))
	}
}

func (s *script) knowledge() knowledge {
	w, k := s.world, knowledge{}
	for _, arg := range s.d.CmdArgs {
		switch arg.Key {
		case "value":
			k.Known, k.Value = lifecycle.Present, arg.Vals[0]
		case "unchanged":
			k.Known, k.Unchanged = lifecycle.Present, true
			if v := w.r.Base().Shown(); v != nil {
				k.Value = *v
			}
		case "absent":
			k.Known = lifecycle.Absent
		case "older":
			k.Older = true
		case "ttl":
			k.TTL = s.duration(arg.Vals[0])
		case "age":
			k.Age = s.duration(arg.Vals[0])
		case "draw":
			k.Draw = s.fraction(arg.Vals[0])
		case "validator":
			k.Validator = arg.Vals[0]
		case "tags":
			k.Tags = arg.Vals
			for _, tag := range k.Tags {
				k.Cover = max(k.Cover, s.tags[tag])
			}
		case "cover":
			arg.Scan(s.t, 0, &k.Cover)
		case "err":
			k.Err = errors.New(arg.Vals[0])
		}
	}
	k = w.against(k)
	if s.has("against") {
		s.d.ScanArgs(s.t, "against", &k.Against)
	}
	return k
}

func (s *script) advance(d time.Duration) {
	w := s.world
	for end := w.now.Plus(d); ; {
		if w.armed > end {
			w.now = end
			return
		}
		w.now = max(w.now, w.armed)
		w.armed = lifecycle.Never
		fmt.Fprintf(&s.out, "due at %s\n", say(w.now))
		s.tell(w.do(w.r.Due))
	}
}

func (s *script) tell(effects []effect) {
	for _, e := range effects {
		s.out.WriteString(s.world.sayEffect(e) + "\n")
	}
}

func (s *script) has(key string) bool { return s.d.HasArg(key) }
func (s *script) first() string       { return s.d.CmdArgs[0].Key }

func (s *script) value(key string) (v string) {
	s.d.ScanArgs(s.t, key, &v)
	return v
}

func (s *script) stamp() (stamp uint64) {
	if s.first() == "newest" {
		if s.d.Cmd == "committed" || s.d.Cmd == "rejected" {
			return s.world.commit
		}
		return s.world.r.Flying()
	}
	if _, err := fmt.Sscan(s.first(), &stamp); err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	return stamp
}

func (s *script) fraction(text string) (f float64) {
	if _, err := fmt.Sscan(text, &f); err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	return f
}

func (s *script) duration(text string) time.Duration {
	if text == "forever" {
		return lifecycle.Forever
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	return d
}
