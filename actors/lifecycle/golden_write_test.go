package lifecycle_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// write is the commands of TestGolden that concern writes and the second tier.
func (s *script) write() {
	w := s.world
	switch s.d.Cmd {
	case "mutate":
		m := s.mutation()
		s.tell(w.do(func(t *turn) { w.r.Mutate(t, m) }))
	case "committed":
		k, stamp := s.knowledge(), s.stamp()
		s.tell(w.do(func(t *turn) { w.r.Committed(t, stamp, k) }))
	case "rejected":
		err, stamp, what := errors.New("full"), s.stamp(), lifecycle.Refused
		if s.has("err") {
			err = errors.New(s.value("err"))
		}
		if s.has("gone") {
			err, what = lifecycle.ErrNotFound, lifecycle.NoSuch
		}
		if s.has("unknown") {
			what = lifecycle.Unclear
		}
		s.tell(w.do(func(t *turn) { w.r.Rejected(t, stamp, err, what) }))
	case "take-off":
		w.number += 2
		fmt.Fprintf(&s.out, "#%d takes off\n", w.number)
	case "created":
		k, stamp := s.knowledge(), s.stamp()
		s.tell(w.do(func(t *turn) { w.r.Created(t, stamp, k) }))
	case "seeded":
		k, stamp := s.knowledge(), s.stamp()
		s.tell(w.do(func(t *turn) { w.r.Seeded(t, stamp, k) }))
	case "amend":
		k := s.knowledge()
		s.tell(w.do(func(t *turn) { w.r.Amend(t, k) }))
	case "looked":
		k, stamp := s.knowledge(), s.stamp()
		s.tell(w.do(func(t *turn) { w.r.Looked(t, stamp, k, !s.has("nothing")) }))
	case "stored":
		w.r.Stored(s.stamp())
	default:
		s.d.Fatalf(s.t, "no such command")
	}
}

func (s *script) mutation() *mutation {
	arg := s.d.CmdArgs[0]
	switch arg.Key {
	case "set":
		return &mutation{Kind: lifecycle.Replace, Value: arg.Vals[0], Owner: arg.String()}
	case "delete":
		return &mutation{Kind: lifecycle.Delete, Owner: arg.String()}
	case "add":
		fails := ""
		if s.has("fails-on") {
			fails = s.value("fails-on")
		}
		return appending(arg.Vals[0], fails, arg.String())
	}
	s.d.Fatalf(s.t, "no such mutation: %s", arg.Key)
	return nil
}

var errApply = errors.New("cannot be applied")

// appending appends x, and fails where there is a y, unless that is empty.
func appending(x, y, name string) *mutation {
	return &mutation{Kind: lifecycle.Alter, Owner: name, Apply: func(v string) (string, error) {
		if y != "" && strings.Contains(v, y) {
			return "", errApply
		}
		return v + x, nil
	}}
}
