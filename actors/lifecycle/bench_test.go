package lifecycle_test

import (
	"math"
	"testing"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// The steps whose cost a caller feels. Futures cost nothing here, so what is
// left is the machine's own.

type bench struct {
	rules  lifecycle.Rules
	r      lifecycle.Resource[int, int]
	turn   lifecycle.Turn[int, int]
	number uint64
	minted minter
}

func newBench() *bench {
	return &bench{rules: lifecycle.Rules{MaxSupersede: math.MaxInt}}
}

// next is the next turn. It is copied once more than package actors does.
func (b *bench) next() *lifecycle.Turn[int, int] {
	b.number += 2
	b.turn = lifecycle.Turn[int, int]{Rules: &b.rules, Driver: &b.minted, Number: b.number, Waiting: true}
	return &b.turn
}

func (b *bench) knowledge() lifecycle.Knowledge[int] {
	return lifecycle.Knowledge[int]{Known: lifecycle.Present, Value: 1, Against: b.r.Shown().Held()}
}

func BenchmarkDemandHit(b *testing.B) {
	s := newBench()
	s.r.Set(s.next(), s.knowledge())
	b.ReportAllocs()
	for b.Loop() {
		s.r.Demand(s.next(), lifecycle.Demand[int]{})
	}
}

func BenchmarkAdmit(b *testing.B) {
	s := newBench()
	s.r.Set(s.next(), s.knowledge())
	d := lifecycle.Demand[int]{}
	b.ReportAllocs()
	for b.Loop() {
		if s.r.Shown().Admit(0, &s.rules, &d) != lifecycle.Serve {
			b.Fatal("no hit")
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	s := newBench()
	b.ReportAllocs()
	for b.Loop() {
		s.r = lifecycle.Resource[int, int]{}
		s.r.Demand(s.next(), lifecycle.Demand[int]{})
		k := s.knowledge()
		s.r.Arrived(s.next(), s.r.Flying(), &k, false)
	}
}

func BenchmarkReloadSuperseding(b *testing.B) {
	s := newBench()
	s.r.Demand(s.next(), lifecycle.Demand[int]{})
	b.ReportAllocs()
	for b.Loop() {
		s.r.Demand(s.next(), lifecycle.Demand[int]{Kind: lifecycle.ForceReload})
	}
}
