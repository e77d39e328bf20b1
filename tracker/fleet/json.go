package fleet

// What the tracker's JSON interface says. Rates are bytes a second, shares are from
// 0 to 1 and 1 only for all; a pointer is null where nobody knows.

// SwarmInfo is a line in the list of swarms.
type SwarmInfo struct {
	InfoHash string `json:"infohash"`
	Name     string `json:"name"`  // that the torrent's file has at the tracker, or "" if there is none
	Title    string `json:"title"` // what the torrent calls itself; "" so too
	Size     int64  `json:"size"`  // bytes; 0 is unknown
	Seeders  int    `json:"seeders"`
	Leechers int    `json:"leechers"`
	// Hosts counts all that the view knows: those of Seeders and Leechers, and
	// those that completed and left. Done have all that they want.
	Hosts int `json:"hosts"`
	Done  int `json:"done"`
	// Mean is the mean share that the hosts have; for those whose progress nobody
	// knows, what the others have that are not done.
	Mean    float64 `json:"mean"`
	DownBPS int64   `json:"down_bps"`
	UpBPS   int64   `json:"up_bps"`
	// AvailabilityMin is Availability's least number of copies.
	AvailabilityMin *float64 `json:"availability_min"`
}

// Swarms is a page of the list of swarms.
type Swarms struct {
	V      int         `json:"v"`
	Total  int         `json:"total"`
	Swarms []SwarmInfo `json:"swarms"`
}

// Swarm is one swarm, with its hosts in one group.
type Swarm struct {
	V int `json:"v"`
	SwarmInfo
	Groups []Group `json:"groups"`
}

// Status is a swarm's hosts in groups, those that will be last first.
type Status struct {
	V        int     `json:"v"`
	InfoHash string  `json:"infohash"`
	Name     string  `json:"name"`
	By       string  `json:"by"`
	Hosts    int     `json:"hosts"`
	Done     int     `json:"done"`
	Mean     float64 `json:"mean"`
	LeftS    *int64  `json:"left_s"` // until the last is done
	// Labels are the names of all labels that the hosts have.
	Labels      []string `json:"labels"`
	GroupsTotal int      `json:"groups_total"`
	Groups      []Group  `json:"groups"`
	// Stragglers are the hosts that hold the others up, worst first; see View.Status.
	Stragglers []Straggler `json:"stragglers"`
}

// Group is the hosts with one value of a label; Name is "" for those without.
type Group struct {
	Name    string  `json:"name"`
	Hosts   int     `json:"hosts"`
	Done    int     `json:"done"`
	Mean    float64 `json:"mean"`
	Slowest *Slow   `json:"slowest"` // null when all are done
	LeftS   *int64  `json:"left_s"`
}

// Slow is the host of a group that will be last.
type Slow struct {
	Node  string   `json:"node"`
	Done  *float64 `json:"done"` // share
	Why   string   `json:"why"`
	LeftS *int64   `json:"left_s"`
}

// Straggler is a host that holds the others up.
type Straggler struct {
	Slow
	Addr    string            `json:"addr"`
	Labels  map[string]string `json:"labels"`
	State   string            `json:"state"`
	DownBPS int64             `json:"down_bps"`
	SeenS   int64             `json:"seen_s"` // since it was last heard of
}

// HostInfo is one host of a swarm.
type HostInfo struct {
	Node   string            `json:"node"` // its name, or its address
	Addr   string            `json:"addr"`
	Labels map[string]string `json:"labels"`
	Client string            `json:"client"` // the beginning of its peer id
	// State is one of States, Why one of Whys; "" and "none" for who tells nothing.
	State   string `json:"state"`
	Size    int64  `json:"size"` // bytes wanted; 0 is unknown
	Done    *int64 `json:"done"` // of them, verified
	DownBPS int64  `json:"down_bps"`
	UpBPS   int64  `json:"up_bps"`
	Why     string `json:"why"`
	LeftS   *int64 `json:"left_s"`
	SeenS   int64  `json:"seen_s"`
}

// Hosts is a page of a swarm's hosts.
type Hosts struct {
	V     int        `json:"v"`
	Total int        `json:"total"`
	Hosts []HostInfo `json:"hosts"`
}

// Edge is what one host gives another now. From is WebSeed for web servers.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	BPS  int64  `json:"bps"`
}

// Edges are the strongest of a swarm, strongest first.
type Edges struct {
	V     int    `json:"v"`
	Edges []Edge `json:"edges"`
}

// Availability is how many copies there are of each part of the content.
type Availability struct {
	V       int       `json:"v"`
	Buckets int       `json:"buckets"`
	Copies  []float64 `json:"copies"`
	Seeds   int       `json:"seeds"` // of them, whole ones
}

// version is the V of each answer.
const version = 1
