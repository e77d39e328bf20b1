// Package service tells the service manager that started this process how it does:
// the protocol of sd_notify(3), a datagram of KEY=VALUE lines to the socket that
// NOTIFY_SOCKET names.
//
// # Model
//
// A command opens a Manager and calls Ready when it serves, Reloading and Reloaded
// around a SIGHUP, Stopping when it was told to stop. Alive is for the loop that does
// the command's work, at every turn: it passes a sign of life on, about four times in
// the time after which the manager would restart us (WATCHDOG_USEC). Nothing here has a
// timer of its own, so that a loop that hangs is silent.
//
// Without NOTIFY_SOCKET there is no Manager: all methods of a nil one do nothing.
//
// # What it does not do
//
// It listens to nothing, takes no sockets over and stores no descriptors. A message
// that cannot be sent is lost: the manager, who alone could act on that, is who does
// not hear it.
package service
