package config

import (
	"time"

	"starling/internal/units"
)

// Config is everything that can be configured.
type Config struct {
	Quiet         bool   `mapstructure:"quiet"`
	Verbose       bool   `mapstructure:"verbose"`
	JSON          bool   `mapstructure:"json"`
	Progress      string `mapstructure:"progress"`
	LogFormat     string `mapstructure:"log-format"`
	LogLevel      string `mapstructure:"log-level"`
	NoColor       bool   `mapstructure:"no-color"`
	MetricsListen string `mapstructure:"metrics-listen"`
	ByTorrent     bool   `mapstructure:"metrics-by-torrent"`
	RemoteDebug   bool   `mapstructure:"remote-debug"`
	// AllowHost are names by which an admin listener for this host only is asked, too.
	AllowHost []string `mapstructure:"allow-host"`
	// FlightRecorder keeps the last seconds' trace where there is an admin listener.
	FlightRecorder bool     `mapstructure:"flight-recorder"`
	NodeLabel      []string `mapstructure:"node-label"` // K=V
	NodeName       string   `mapstructure:"node-name"`  // "": the host's
	MessageLog     string   `mapstructure:"message-log"`
	Monitor        string   `mapstructure:"monitor"`

	Tracker Tracker `mapstructure:"tracker"`
	Seed    Seed    `mapstructure:"seed"`
	Leech   Leech   `mapstructure:"leech"`
	Share   Share   `mapstructure:"share"`
	Status  Status  `mapstructure:"status"`
	Wait    Wait    `mapstructure:"wait"`
}

// Tracker configures `starling tracker`.
type Tracker struct {
	Listen        string        `mapstructure:"listen"`
	UDPListen     string        `mapstructure:"udp-listen"` // "": as Listen; "off"
	AdminListen   string        `mapstructure:"admin-listen"`
	Torrents      string        `mapstructure:"torrents"`
	State         string        `mapstructure:"state"`
	Whitelist     bool          `mapstructure:"whitelist"`
	Public        bool          `mapstructure:"public"`
	MaxPeersPerIP int           `mapstructure:"max-peers-per-ip"`
	Interval      time.Duration `mapstructure:"interval"` // 0: the tracker's own choice
	Drain         time.Duration `mapstructure:"drain"`
	View          string        `mapstructure:"view"` // on, off, or auto: on unless Public
}

// Wire configures a peer's dealings with others.
type Wire struct {
	UpLimit    units.Rate `mapstructure:"up-limit"`
	DownLimit  units.Rate `mapstructure:"down-limit"`
	MaxPeers   int        `mapstructure:"max-peers"`
	Choke      string     `mapstructure:"choke"`
	Peer       []string   `mapstructure:"peer"`
	Encryption string     `mapstructure:"encryption"`
	LSD        bool       `mapstructure:"lsd"`
}

// Seed configures `starling seed`.
type Seed struct {
	Data      string        `mapstructure:"data"`
	Listen    string        `mapstructure:"listen"`
	Tracker   []string      `mapstructure:"tracker"`
	Output    string        `mapstructure:"output"`
	SuperSeed bool          `mapstructure:"super-seed"`
	Scrub     time.Duration `mapstructure:"scrub"` // 0: never
	Wire      `mapstructure:",squash"`
}

// Leech configures `starling leech`.
type Leech struct {
	Output       string        `mapstructure:"output"`
	Listen       string        `mapstructure:"listen"`
	Tracker      []string      `mapstructure:"tracker"`
	WebSeed      []string      `mapstructure:"webseed"`
	SeedFor      string        `mapstructure:"seed-for"` // see ParseSeedFor
	SeedForever  bool          `mapstructure:"seed-forever"`
	NoSeed       bool          `mapstructure:"no-seed"`
	Include      []string      `mapstructure:"include"`
	Exclude      []string      `mapstructure:"exclude"`
	Overwrite    bool          `mapstructure:"overwrite"`
	DryRun       bool          `mapstructure:"dry-run"`
	Timeout      time.Duration `mapstructure:"timeout"`       // 0: none
	StallTimeout time.Duration `mapstructure:"stall-timeout"` // 0: none
	OnComplete   string        `mapstructure:"on-complete"`
	Scrub        time.Duration `mapstructure:"scrub"` // 0: never
	Wire         `mapstructure:",squash"`
}

// Share configures `starling share`.
type Share struct {
	Listen     string        `mapstructure:"listen"`
	UDPListen  string        `mapstructure:"udp-listen"` // "": as Listen; "off"
	PeerListen string        `mapstructure:"peer-listen"`
	Advertise  string        `mapstructure:"advertise"`
	PieceSize  string        `mapstructure:"piece-size"`
	Exclude    []string      `mapstructure:"exclude"`
	SuperSeed  bool          `mapstructure:"super-seed"`
	Scrub      time.Duration `mapstructure:"scrub"` // 0: never
	View       string        `mapstructure:"view"`  // on or off
	Wire       `mapstructure:",squash"`
}

// Status configures `starling status`.
type Status struct {
	Tracker  string        `mapstructure:"tracker"` // "": the torrent's, or LocalTracker
	By       string        `mapstructure:"by"`
	Label    []string      `mapstructure:"label"` // K=V
	Watch    bool          `mapstructure:"watch"`
	Interval time.Duration `mapstructure:"interval"`
}

// Wait configures `starling wait`.
type Wait struct {
	Tracker  string        `mapstructure:"tracker"`
	Hosts    string        `mapstructure:"hosts"` // a number, or a percentage
	Expect   int           `mapstructure:"expect"`
	Label    []string      `mapstructure:"label"`   // K=V
	Timeout  time.Duration `mapstructure:"timeout"` // 0: none
	Interval time.Duration `mapstructure:"interval"`
}

// LocalTracker is the tracker that is asked where none is named.
const LocalTracker = "http://127.0.0.1:6969"

// scrub is how long a pass over complete content takes: a day is what a small content
// costs nothing in, and what a night's rollout can wait for.
const scrub = 24 * time.Hour

// Default returns the configuration that is built in.
func Default() Config {
	wire := Wire{MaxPeers: 50, Choke: "tit-for-tat", Encryption: "accept"}
	return Config{
		Progress:       "auto",
		LogFormat:      "auto",
		LogLevel:       "warn",
		FlightRecorder: true,
		Tracker:        Tracker{Listen: ":6969", AdminListen: "127.0.0.1:6970", MaxPeersPerIP: 8, Drain: 250 * time.Millisecond, View: "auto"},
		Seed:           Seed{Data: ".", Listen: ":6881", Scrub: scrub, Wire: wire},
		Leech:          Leech{Output: ".", Listen: ":0", SeedFor: "auto", Scrub: scrub, Wire: wire},
		Share:          Share{Listen: ":6969", UDPListen: "off", PeerListen: ":6881", PieceSize: "auto", View: "on", Scrub: scrub, Wire: wire},
		Status:         Status{Interval: 2 * time.Second},
		Wait:           Wait{Hosts: "100%", Interval: 2 * time.Second},
	}
}
