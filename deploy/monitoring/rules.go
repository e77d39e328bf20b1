package monitoring

import (
	"fmt"
	"strings"
	"time"
)

// Timing is how long rules look back and wait. Trials shorten it; everybody else
// takes DefaultTiming.
type Timing struct {
	Window time.Duration // of rates
	Scale  float64       // every other duration is multiplied by it
}

// DefaultTiming is what the committed rules have.
func DefaultTiming() Timing { return Timing{Window: 5 * time.Minute, Scale: 1} }

func (t Timing) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) * t.Scale) }

// window in PromQL's form.
func (t Timing) window() string { return "[" + promDuration(t.Window) + "]" }

// Rules is a file of rules.
type Rules struct {
	Groups []Group `yaml:"groups"`
}

// Group is evaluated together and in order, at Prometheus' own interval.
type Group struct {
	Name  string `yaml:"name"`
	Rules []Rule `yaml:"rules"`
}

// Rule is a recording rule, with Record, or an alert, with Alert.
type Rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`

	// Measured are the queries that Expr compares. Each has series wherever
	// there is a tracker and peers; Expr has some only when the alert is due.
	Measured []string `yaml:"-"`
}

// Alert says when somebody must look. It is due while all of When hold, or one of Or.
type Alert struct {
	Name     string
	Severity string // "critical": somebody is waiting; "warning": look today
	For      time.Duration
	When     []Condition
	Or       []Condition
	Summary  string // one line; may use {{ $labels.x }} and {{ $value }}
	Text     string // what it means for the user, one or two sentences
}

// Condition is a query and what its value is compared with, as in "> 0.05". All
// after the first of When are joined by the labels On. Without Is the query has
// series only when it holds.
type Condition struct {
	Query, Is, On string
}

// Runbook is the path of the alert's page from the root of the project.
func (a *Alert) Runbook() string {
	var name strings.Builder
	for i, c := range strings.TrimPrefix(a.Name, "Starling") {
		if i > 0 && 'A' <= c && c <= 'Z' {
			name.WriteByte('-')
		}
		name.WriteString(strings.ToLower(string(c)))
	}
	return "docs/runbooks/" + name.String() + ".md"
}

func (a *Alert) rule(t Timing) Rule {
	r := Rule{
		Alert: a.Name, For: promDuration(t.scaled(a.For)),
		Labels:      map[string]string{"severity": a.Severity},
		Annotations: map[string]string{"summary": a.Summary, "description": a.Text, "runbook_url": a.Runbook()},
	}
	for i, c := range a.When {
		if i > 0 {
			r.Expr += "\nand on (" + c.On + ") "
		}
		r.Expr += c.Query + " " + c.Is
		r.Measured = append(r.Measured, c.Query)
	}
	for _, c := range a.Or {
		r.Expr += strings.TrimRight("\nor "+c.Query+" "+c.Is, " ")
		if c.Is != "" {
			r.Measured = append(r.Measured, c.Query)
		}
	}
	return r
}

// MakeRules returns all rules. They are one group, because groups are evaluated
// side by side and alerts compare what has just been recorded.
func MakeRules(t Timing) Rules {
	g := Group{Name: "starling", Rules: recordings(t)}
	for _, a := range Alerts(t) {
		g.Rules = append(g.Rules, a.rule(t))
	}
	return Rules{Groups: []Group{g}}
}

// promDuration writes a duration as Prometheus reads it, in whole milliseconds.
func promDuration(d time.Duration) string {
	ms := d.Milliseconds()
	switch {
	case ms == 0:
		return "0s"
	case ms%60_000 == 0:
		return fmt.Sprintf("%dm", ms/60_000)
	case ms%1000 == 0:
		return fmt.Sprintf("%ds", ms/1000)
	default:
		return fmt.Sprintf("%dms", ms)
	}
}
