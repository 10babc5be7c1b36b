package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/freshet-go/freshet/bench/internal/harness"
	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/report"
	"github.com/freshet-go/freshet/bench/internal/work"
)

// options are what the command line asks for.
type options struct {
	only   *regexp.Regexp
	peers  *regexp.Regexp
	cpu    string // file of the profile
	traces string // folder
	json   bool
	svg    string // folder
	html   string // file
	list   bool
	quick  bool
	rounds int
}

func parse(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("run", "", "measure the workloads whose name this regular expression finds")
	peers := flags.String("peers", "", "measure the contenders whose name this regular expression finds")
	flags.StringVar(&o.cpu, "cpuprofile", "", "write a CPU profile of the whole run to this `FILE`")
	flags.StringVar(&o.traces, "traces", "", "read recorded accesses for hit ratios from this `DIR` (default: synthetic ones alone)")
	flags.BoolVar(&o.json, "json", false, "print JSON instead of tables")
	flags.StringVar(&o.svg, "svg", "", "write a plot of each workload into this `DIR`")
	flags.StringVar(&o.html, "html", "", "write the report with its plots into this one `FILE`")
	flags.BoolVar(&o.list, "list", false, "list the workloads and end")
	flags.BoolVar(&o.quick, "quick", false, "less work and fewer rounds: under a minute")
	flags.IntVar(&o.rounds, "rounds", 0, "how often contenders take turns (0: 5, or 2 with -quick)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? flags only", flags.Arg(0))
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	if o.peers, err = regexp.Compile(*peers); err != nil {
		return nil, fmt.Errorf("-peers: %w", err)
	}
	switch {
	case o.rounds < 0:
		return nil, fmt.Errorf("-rounds %d: want more than 0", o.rounds)
	case o.rounds == 0 && o.quick:
		o.rounds = 2
	case o.rounds == 0:
		o.rounds = 5
	}
	return o, nil
}

func (o *options) measure() error {
	chosen, err := o.chosen()
	if err != nil {
		return err
	}
	if o.list {
		for _, w := range chosen {
			fmt.Printf("%-28s %s\n", w.Name, w.About)
		}
		return nil
	}
	if err := o.writable(); err != nil {
		return err
	}
	stop, err := profile(o.cpu)
	if err != nil {
		return err
	}
	// Whoever interrupts gets the results so far; whoever does so twice, none.
	ctx, relax := signal.NotifyContext(context.Background(), os.Interrupt)
	defer relax()
	context.AfterFunc(ctx, relax)
	line := newProgressLine(os.Stderr)
	results := harness.Plan{Workloads: chosen, Rounds: o.rounds, Quick: o.quick, Tell: line.tell}.Run(ctx)
	line.clear()
	note := o.note(ctx.Err() != nil)
	return errors.Join(stop(), o.publish(report.Report{Machine: harness.ThisMachine(), Results: results, Note: note}))
}

// writable says before a quarter of an hour has passed what can't be written
// after it.
func (o *options) writable() error {
	if o.html != "" {
		f, err := os.OpenFile(o.html, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("-html: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("-html: %w", err)
		}
	}
	if o.svg != "" {
		if err := os.MkdirAll(o.svg, 0o755); err != nil {
			return fmt.Errorf("-svg: %w", err)
		}
	}
	return nil
}

// publish writes the report in every form that was asked for.
func (o *options) publish(r report.Report) error {
	var errs []error
	if o.json {
		errs = append(errs, r.JSON(os.Stdout))
	} else {
		r.Text(os.Stdout)
	}
	if o.svg != "" {
		errs = append(errs, r.SVG(o.svg))
	}
	if o.html != "" {
		errs = append(errs, r.HTML(o.html))
	}
	return errors.Join(errs...)
}

// note says what a reader has to know about the run.
func (o *options) note(interrupted bool) string {
	var notes []string
	if interrupted {
		notes = append(notes, "The run was interrupted: what is missing was not measured, and the last table may lack rounds.")
	}
	if o.traces != "" {
		if missing := pattern.Missing(o.traces); len(missing) > 0 {
			notes = append(notes, fmt.Sprintf("Of the recorded accesses, %s were not there.", strings.Join(missing, ", ")))
		}
	} else {
		notes = append(notes, "Hit ratios are of synthetic accesses alone: -traces names a folder with recorded ones.")
	}
	if o.quick {
		notes = append(notes, "A quick run: little work and few rounds; look at the ranges.")
	}
	return strings.Join(notes, " ")
}

// chosen are the workloads and contenders that were asked for.
func (o *options) chosen() ([]work.Workload, error) {
	all, err := work.All(o.traces)
	if err != nil {
		return nil, err
	}
	var chosen []work.Workload
	var left []string // out of a quick run
	for _, w := range all {
		if !o.only.MatchString(w.Name) {
			continue
		}
		if o.quick && !o.list && w.Quick == 0 {
			left = append(left, w.Name)
			continue
		}
		w.Contenders = slices.DeleteFunc(w.Contenders, func(c work.Contender) bool {
			return !o.peers.MatchString(c.Name)
		})
		if len(w.Contenders) > 0 {
			chosen = append(chosen, w)
		}
	}
	switch {
	case len(chosen) == 0 && len(left) > 0:
		return nil, fmt.Errorf("-quick leaves out %s, and nothing else was asked for", strings.Join(left, ", "))
	case len(chosen) == 0:
		return nil, fmt.Errorf("-run %q -peers %q: no workload has such a name and such contenders; -list names them", o.only, o.peers)
	}
	return chosen, nil
}

// profile writes a CPU profile to file, if there is one, until stop.
func profile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
