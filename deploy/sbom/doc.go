// Command sbom prints what a Go binary is made of as a CycloneDX 1.6 bill of
// materials in JSON: the modules, the standard library and the settings of the
// build, as the go command has written them into the binary (debug/buildinfo), and
// the binary's own SHA-256.
//
//	go run ./deploy/sbom dist/starling >dist/starling.cdx.json
//
// The same binary and the same SOURCE_DATE_EPOCH give the same bytes: the serial
// number is made from the binary's hash, and the time is the epoch, absent without
// one. `make packages` puts it into the packages.
//
// It knows what was linked, not under which licences, and of a module only that
// something of it is in the binary.
package main
