// Package units reads and prints the sizes, rates and durations of the command
// line and of configuration files.
//
// Sizes are binary (64MiB), because pieces and blocks are powers of two. Rates
// are binary bytes a second (200MiB/s) or decimal bits a second as networks
// are sold (20mbit). A rate without a unit is refused: half of its readers
// would take it for the other kind.
//
// Bytes and Rate are flag values and text unmarshalers, so that a flag, an
// environment variable and a configuration file mean the same by the same text.
package units
