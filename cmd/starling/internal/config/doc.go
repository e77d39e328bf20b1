// Package config is the configuration of the starling command.
//
// A key is a flag's name; a command's own flags are in a section of its name
// (leech: {up-limit: 20mbit}). The same key as an environment variable is
// STARLING_LEECH_UP_LIMIT. Precedence: flag, environment, file, default.
//
// Load returns a Config that has passed Validate, which refuses and never
// repairs. A key that nothing reads is an error: a misspelt limit must not be a
// missing limit. A variable that nothing reads is no error, since others may set what
// begins with STARLING_, as Kubernetes does for a Service of that name: Strangers finds
// them, for a warning. There are no secrets in it: what is secret is given as the path of
// a file.
//
// The package opens no listener and starts nothing; it does not know cobra.
package config
