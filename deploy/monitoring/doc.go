// Package monitoring makes what an operations team looks at: Grafana's
// dashboards, Prometheus' rules and what tells both where to look. All of it is
// written from the names that packages tracker and peer give their metrics, so
// that a dashboard cannot ask for what nobody measures.
//
// Files is everything, by path below deploy. The program in generate writes it
// and a test compares; whoever deploys reads the files and needs no Go. A
// Dashboard is in Grafana's classic JSON form, which is provisioned from a
// folder. A Rules is one file of recording and alerting rules; each alert has a
// page in docs/runbooks. For clusters there are the same rules and boards as
// Kubernetes' objects.
//
// The tests run the real Prometheus against a real swarm. What this package does
// not do: it measures nothing, and it knows no deployment; the scrape
// configuration has names that compose and Kubernetes give, and two lines to
// change elsewhere.
package monitoring
