package tracker

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"starling/tracker/fleet"
)

// The metrics of the fleet's view.
const (
	MetricReports   = "starling_tracker_reports_total"
	MetricHosts     = "starling_tracker_fleet_hosts"
	MetricHostsDone = "starling_tracker_fleet_hosts_done"
	MetricReportAge = "starling_tracker_report_age_seconds"
)

// Results of a report.
const (
	reportOK = iota
	reportInvalid
	reportFull
	numReports
)

var reportNames = [numReports]string{"ok", "invalid", "full"}

// fleetMetrics are those of the reports that hosts send with their announces.
type fleetMetrics struct {
	reports [numReports]prometheus.Counter
	hosts   prometheus.Gauge
	done    prometheus.Gauge
	age     prometheus.Gauge
}

func newFleetMetrics(counter func(name, help string, labels ...string) *prometheus.CounterVec,
	gauge func(name, help string, labels ...string) *prometheus.GaugeVec) (m fleetMetrics) {
	reports := counter(MetricReports, "Reports of hosts on how they do, by result.", "result")
	for r, result := range reportNames {
		m.reports[r] = reports.WithLabelValues(result)
	}
	m.hosts = gauge(MetricHosts, "Hosts that report, in all swarms; those that completed and left are among them for a day.").WithLabelValues()
	m.done = gauge(MetricHostsDone, "Of these, hosts that have all that they want.").WithLabelValues()
	m.age = gauge(MetricReportAge, "Time since the report of the host that has been silent longest and has not left; 0 without one.").WithLabelValues()
	return m
}

func (m *fleetMetrics) reported(err error) {
	switch {
	case err == nil:
		m.reports[reportOK].Inc()
	case errors.Is(err, fleet.ErrFull):
		m.reports[reportFull].Inc()
	default:
		m.reports[reportInvalid].Inc()
	}
}

// set takes a reading; oldest is negative where the oldest report was not looked for.
func (m *fleetMetrics) set(t fleet.Totals, oldest time.Duration) {
	m.hosts.Set(float64(t.Hosts))
	m.done.Set(float64(t.Done))
	if oldest >= 0 {
		m.age.Set(oldest.Seconds())
	}
}
