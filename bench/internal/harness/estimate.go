package harness

import (
	"time"

	"github.com/freshet-go/freshet/bench/internal/work"
)

// estimate foretells how long the rest takes: by what workloads say of
// themselves, corrected by how wrong that was so far.
type estimate struct {
	began       time.Time
	spent, rest float64 // seconds, as the workloads have it
	ticked      float64 // of the workload that runs
	rounds      func(work.Workload) int
}

func (p Plan) newEstimate(all []work.Workload) *estimate {
	e := &estimate{began: time.Now(), rounds: p.rounds}
	for _, w := range all {
		e.rest += e.cost(w)
	}
	return e
}

// cost of a workload; making a contender ready takes about as long as a run.
func (e *estimate) cost(w work.Workload) float64 {
	return w.Seconds * float64(len(w.Contenders)*(e.rounds(w)+1))
}

// tick notes a run of w.
func (e *estimate) tick(w work.Workload) { e.ticked += w.Seconds }

// done notes the end of w.
func (e *estimate) done(w work.Workload) {
	e.spent += e.cost(w)
	e.rest -= e.cost(w)
	e.ticked = 0
}

func (e *estimate) left() time.Duration {
	const believed = 5 // seconds for which the workloads are taken at their word
	wrong := (time.Since(e.began).Seconds() + believed) / (e.spent + e.ticked + believed)
	return time.Duration(max(0, e.rest-e.ticked) * wrong * float64(time.Second)).Round(time.Second)
}
