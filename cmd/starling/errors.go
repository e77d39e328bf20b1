package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"syscall"

	"starling/cmd/starling/internal/report"
	"starling/metainfo"
	"starling/piece/store"
)

// failure is an error with what main needs to end the process well.
type failure struct {
	code  int
	what  string // what was being done: "leech model.torrent"; "": no command was found
	err   error  // why it failed
	hint  string // the command that mends it, if there is one
	retry bool   // the same command may succeed later
	// quiet failures only set the exit code: a daemon that was told to stop.
	quiet bool
}

func (f *failure) Error() string {
	if f.what == "" {
		return f.err.Error()
	}
	return f.what + ": " + f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// fail says what could not be done and why. The exit code follows from why,
// see classify.
func fail(what string, err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	code, hint, retry := classify(err)
	return &failure{code: code, what: what, err: err, hint: hint, retry: retry}
}

func (f *failure) withHint(format string, args ...any) *failure {
	f.hint = fmt.Sprintf(format, args...)
	return f
}

func (f *failure) withCode(code int) *failure {
	f.code = code
	return f
}

// usage is a mistake in the command line of a command, whose path may begin with the
// program's name.
func usage(command, format string, args ...any) *failure {
	command = strings.TrimSpace(strings.TrimPrefix(command, "starling"))
	return &failure{code: exitUsage, what: command, err: fmt.Errorf(format, args...), hint: "starling " + strings.TrimSpace(command+" --help")}
}

// unwritten says that the result did not get out; nil if err is.
func unwritten(err error) error {
	if err == nil {
		return nil
	}
	f := fail("write the result", bare(err))
	f.hint = "" // what helps a disk of ours may not help where stdout leads
	return f
}

// classify finds the exit code that an error stands for, a hint where one
// helps, and whether trying again later can help.
func classify(err error) (code int, hint string, retry bool) {
	var (
		bad  *metainfo.Error
		sync *store.SyncError
		cert *tls.CertificateVerificationError
		x509 x509.UnknownAuthorityError
		link *url.Error
		dial *net.OpError
		dns  *net.DNSError
	)
	switch {
	case errors.As(err, &bad):
		return exitNotFound, "", false
	case errors.Is(err, store.ErrInconsistent):
		return exitNotFound, "", false
	case errors.Is(err, store.ErrNoSymlinks):
		return exitDisk, "leave the links out with --exclude, or choose a directory on another file system with -o", false
	case errors.Is(err, store.ErrExists):
		return exitExists, "add --overwrite to replace it, or choose another directory with -o", false
	case errors.Is(err, store.ErrNoSpace), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return exitDisk, "free some space and run the same command again: it resumes", true
	case errors.Is(err, store.ErrPermission), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return exitDisk, "", false
	case errors.As(err, &sync), errors.Is(err, syscall.EIO):
		return exitDisk, "the disk failed: check it, then run the same command again", true
	case errors.Is(err, store.ErrLocked):
		return exitOther, "another starling works on the same data: wait for it or stop it", true
	case errors.Is(err, store.ErrLink):
		return exitOther, "leave the link out with --exclude, or put a copy in its place", false
	case errors.Is(err, store.ErrChanged):
		return exitIntegrity, "let nobody write to the data while it is read, and try again", true
	case errors.Is(err, fs.ErrNotExist):
		return exitNotFound, "", false
	case errors.Is(err, syscall.EADDRINUSE):
		return exitOther, "choose another address with --listen; port 0 takes any free one", true
	case errors.As(err, &cert), errors.As(err, &x509):
		return exitUntrusted, "", false
	case errors.As(err, &dns), errors.As(err, &dial), errors.Is(err, context.DeadlineExceeded), errors.As(err, &link):
		return exitUnreached, "", true
	}
	return exitOther, "", false
}

// retryable marks a failure after which the same command may succeed.
func (f *failure) retryable() *failure {
	f.retry = true
	return f
}

// document is the failure as a JSON line.
func (f *failure) document() report.Error {
	return report.Error{Code: f.code, Message: f.Error(), Hint: f.hint, Retryable: f.retry}
}
