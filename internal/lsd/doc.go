// Package lsd finds peers in the local network, as BEP 14 has it: everybody who
// has a torrent says so by multicast, and whoever hears it knows an address.
//
// # Model
//
// An Announcer stands for one process and all its torrents:
//
//	Add, Remove ──▶ schedule ──▶ Run ──▶ a packet on each link
//	a packet on a link ──▶ limits ──▶ Parse ──▶ Found, for each torrent we have
//
// A link is one socket: one network interface, one address family. Interfaces
// come and go; Run looks at them once a minute.
//
// # What is sent
//
// A packet to 239.192.152.143:6771 or [ff15::efc0:988f]:6771 with a time to live
// of one hop, so that it stays in its network, of at most MaxPacket bytes:
//
//	BT-SEARCH * HTTP/1.1
//	Host: 239.192.152.143:6771
//	Port: 6881
//	Infohash: 89ab...
//	cookie: 0123456789abcdef
//
// and two empty lines, each line ended by CR LF. Infohash comes up to MaxHashes
// times. A new torrent waits for a second or two, so that all torrents of a start
// share the first packet and the hosts of a fleet do not all speak in one instant.
// After that each torrent is announced every 5 minutes (every), and no two packets
// to a link are less than a minute apart (spacing): up to five torrents each have
// a packet of their own, because some clients, such as Transmission 3, read only
// the first infohash of a packet; more share them evenly; and with more than 125 a
// turn takes longer. Nothing is repeated and nothing is answered: the others
// announce as well.
//
// # What is accepted
//
// The same form from an address in one of the networks of the interface: what
// routers bring from elsewhere is not local, and an address is all that a sender
// can harm others with. Names of headers are in any case, unknown ones are passed
// over, the cookie and the second empty line may be missing; Host is not compared,
// and a packet to this host alone is as good as one to the group. A packet with our own cookie is ours. A source may send 2 packets a second in
// the long run, all sources together 20; what is more is not looked at. Only
// torrents that we have are reported, in no other order than that of the packet,
// and every time they are heard.
//
// # Who calls it
//
// The commands, with one Announcer for the process. The caller must never Add a
// private torrent (BEP 27): this package cannot know which are. A hybrid torrent
// has two infohashes, and both are added; that of a v2 torrent is the shortened
// one.
//
// # What it does not do
//
// It connects to nobody: what it finds is a candidate, no more to be trusted than
// anybody in the local network. Outside of Linux a process does not hear the
// others on its own host.
package lsd
