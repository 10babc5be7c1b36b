package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"os"
	"strings"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Parse(page))

type htmlReport struct {
	Machine, Versions, Note string
	Sections                []htmlSection
}

type htmlSection struct {
	Name, About string
	Head        []string
	Rows        [][]string
	Plots       []template.HTML
}

// HTML writes the report and its plots into one file that needs no network.
func (r Report) HTML(file string) error {
	plots, err := r.pictures()
	if err != nil {
		return err
	}
	bySVG := map[string]template.HTML{}
	for _, p := range plots {
		// What follows the XML declaration; the plots are of our own making.
		_, svg, _ := strings.Cut(string(p.svg), "<svg")
		bySVG[p.name] = template.HTML("<svg" + svg)
	}
	out := htmlReport{Machine: r.machine(), Versions: r.versions(), Note: r.Note}
	for _, s := range r.sections() {
		section := htmlSection{Name: s.name, About: s.about, Head: s.table[0][1:], Rows: s.table[1:]}
		for _, name := range s.plots {
			section.Plots = append(section.Plots, bySVG[name])
		}
		out.Sections = append(out.Sections, section)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, out); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
