//go:build !linux

package store

import "errors"

func mountTmpfs(string, int) error { return errors.ErrUnsupported }

func remountReadOnly(string) error { return errors.ErrUnsupported }

func unmount(string) error { return nil }
