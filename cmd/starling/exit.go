package main

import "starling/cmd/starling/internal/manpage"

// Exit codes: a contract with scripts, in --help and in docs/cli.md.
const (
	exitOK         = 0
	exitOther      = 1
	exitUsage      = 2   // usage or configuration
	exitNotFound   = 3   // not found, or bad metainfo
	exitIntegrity  = 4   // data is not what its hashes say, after retries
	exitIncomplete = 5   // incomplete at a deadline; the same command resumes
	exitUnreached  = 6   // tracker or network unreachable
	exitDisk       = 7   // disk full, or permission denied
	exitUntrusted  = 8   // signature, authentication, TLS
	exitExists     = 9   // exists, and no --overwrite
	exitUnmet      = 10  // a condition to wait for was not met
	exitInternal   = 70  // a bug
	exitHangup     = 129 // stopped because its terminal closed
	exitInterrupt  = 130 // stopped by SIGINT
	exitTerminate  = 143 // stopped by SIGTERM
)

// exitMeanings are the codes that --help and the manual pages explain.
var exitMeanings = []manpage.ExitCode{
	{Code: exitOK, Meaning: "It is done."},
	{Code: exitOther, Meaning: "Another error: a port is taken, another starling works on the same data, the hook failed, doctor found a problem."},
	{Code: exitUsage, Meaning: "A mistake in the command line or in the configuration."},
	{Code: exitNotFound, Meaning: "What was asked for is not there, or is bad metainfo."},
	{Code: exitIntegrity, Meaning: "Data is not what its hashes say, after retries, or changed while it was read."},
	{Code: exitIncomplete, Meaning: "Incomplete at a deadline; the same command resumes."},
	{Code: exitUnreached, Meaning: "The tracker or the network is unreachable."},
	{Code: exitDisk, Meaning: "The disk is full or failed, or permission was denied."},
	{Code: exitUntrusted, Meaning: "Somebody is not to be trusted: signature, authentication, TLS."},
	{Code: exitExists, Meaning: "Something else is at the final name, and there is no --overwrite."},
	{Code: exitUnmet, Meaning: "A condition to wait for was not met."},
	{Code: exitInternal, Meaning: "An internal error, which is a bug."},
	{Code: exitHangup, Meaning: "Stopped because its terminal closed, or by a SIGHUP that asks for no reload."},
	{Code: exitInterrupt, Meaning: "Stopped by SIGINT."},
	{Code: exitTerminate, Meaning: "Stopped by SIGTERM."},
}

const exitCodesHelp = `Exit codes:
  0  ok                              6  tracker or network unreachable
  1  other error                     7  disk full, permission denied
  2  usage or configuration          8  untrusted (signature, auth, TLS)
  3  not found, bad metainfo         9  exists, and no --overwrite
  4  integrity failure after retries 10 wait condition unmet
  5  incomplete at a deadline; the same command resumes
  70 internal error                  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM`
