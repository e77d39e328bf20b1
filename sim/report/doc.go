// Package report turns what a simulated run showed into text and files for
// people and programs.
//
// [Text] puts the answer first: how long it took, against the time that no
// protocol can beat, and what it cost the seed. [WriteDir] writes the same and
// everything behind it as CSV, JSON and one page of HTML that needs nothing
// but itself: no script, no font, no picture from elsewhere. [CompareText] and
// [WriteCompareDir] put runs side by side and say which wins; [AdviceLine]
// turns runs into one recommendation.
//
// A page is made in three steps. A plot (plots.go) picks numbers out of a
// [fleet.Result] and thins them to what a screen can show; a chart (chart.go
// and its kin) turns numbers into marks at places, once for a wide screen and
// once for a narrow one; the template (page.tmpl) writes marks as SVG. Colours
// are in the style sheet alone, so light and dark are one set of marks. Every
// name out of a scenario passes html/template or [clean].
//
// The package is called by cmd/starling after a run. It runs nothing, measures
// nothing and reads no clock: equal results give equal bytes. The columns and
// fields are documented in docs/simulation-output.md, and a test holds that
// page against them.
package report
