// Command generate writes the dashboards, rules and configuration of package
// monitoring below deploy. Run it from the module's root:
//
//	go run ./deploy/monitoring/generate
package main
