package webseed

import "net"

// address is the address of a web seed's end of a connection: its name.
type address string

func (a address) Network() string { return "webseed" }
func (a address) String() string  { return string(a) }

// hostEnd is the torrent's end of a connection in memory.
type hostEnd struct {
	net.Conn
	remote address
}

func (h hostEnd) RemoteAddr() net.Addr { return h.remote }

// pipe makes a connection to a web seed of that name. It holds no bytes: a
// write waits until they are read, so a torrent that is busy slows the fetching.
func pipe(name string) (ours, hosts net.Conn) {
	a, b := net.Pipe()
	return a, hostEnd{Conn: b, remote: address(name)}
}
