package web

import (
	"path"
	"strings"
	"time"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// view is what the page shows, in words and numbers that are ready to print.
type view struct {
	Version  string
	Shard    string
	Metrics  string // links are relative, so that they hold behind a proxy's path
	Healthy  string
	Ready    string
	Style    string
	Clusters []clusterView
}

type clusterView struct {
	Name    string
	Console string
	State   string // Round.String
	Class   string // of the state, for the style sheet
	Error   string
	Age     string // of the snapshot; empty if there is none
	Taken   string
	Round   string // how long it took; empty if there was none

	Stale               bool // the numbers are not of the last round
	NameServers         []nodeView
	Brokers             []brokerView
	NameServersUp       int
	BrokersUp           int
	Topics, Groups      string
	Rows, Processes     string
	Backlog             string
	Incomplete, Unknown int // brokers; pairs without any known backlog
	Worst               []pairView
	Behind              int // pairs with a backlog
}

type nodeView struct {
	Addr string
	Up   bool
}

type brokerView struct {
	nodeView

	Name, Role, Version string
	ID                  int64
}

type pairView struct {
	Group, Topic string
	Backlog      string
	Lag          string // empty where it is not known
	State, Mood  string // Mood is of the state, for the style sheet
	IP, PID      string // of the worst process
	Held         string // its backlog on the pair
	Nobody       bool   // most of the backlog is in queues that nobody holds
}

func (h *handler) view() view {
	clusters := h.Clusters()
	v := view{
		Version:  h.Version,
		Shard:    h.Shard,
		Metrics:  relative(h.MetricsPath),
		Healthy:  relative(PathHealthy),
		Ready:    relative(PathReady),
		Style:    relative(pathStyle),
		Clusters: make([]clusterView, len(clusters)),
	}
	now := h.Now()
	for i := range clusters {
		v.Clusters[i] = newClusterView(&clusters[i], now)
	}
	return v
}

// relative turns a path of this server into a link from its root.
func relative(p string) string {
	return "." + path.Clean("/"+strings.TrimPrefix(p, "/"))
}

// maxError bounds the error on a page: a broker's own words may be long.
const maxError = 2000

func newClusterView(c *Cluster, now time.Time) clusterView {
	v := clusterView{Name: c.Name, Console: c.Console, State: c.LastRound.String(), Class: class(c.LastRound), Error: c.LastError}
	if len(v.Error) > maxError {
		v.Error = strings.ToValidUTF8(v.Error[:maxError], "") + " …"
	}
	if c.LastRound != NoRound {
		v.Round = span(c.RoundDuration)
	}
	if c.Report == nil {
		return v
	}
	v.Stale = c.LastRound == Failed
	v.addSnapshot(c.Report.Snapshot, now)
	v.addReport(c.Report)
	return v
}

// mood says how bad a state is.
func mood(s lag.State) string {
	switch s {
	case lag.OK:
		return "fine"
	case lag.Lagging, lag.Rewound:
		return "fair"
	case lag.Stalled, lag.Stopped:
		return "poor"
	case lag.Undecided:
	}
	return "unsure"
}

func class(r Round) string {
	switch r {
	case Whole:
		return "good"
	case Partial:
		return "warn"
	case Failed:
		return "bad"
	case NoRound:
	}
	return "idle"
}

func (v *clusterView) addSnapshot(s *model.Snapshot, now time.Time) {
	if !s.Taken.IsZero() {
		v.Age = span(max(now.Sub(s.Taken), 0))
		v.Taken = s.Taken.UTC().Format(time.RFC3339)
	}
	for _, n := range s.NameServers {
		v.NameServers = append(v.NameServers, nodeView{Addr: n.Addr, Up: n.Up})
		if n.Up {
			v.NameServersUp++
		}
	}
	for i := range s.Brokers {
		b := &s.Brokers[i]
		v.Brokers = append(v.Brokers, brokerView{
			nodeView: nodeView{Addr: b.Addr, Up: b.Up},
			Name:     b.Name, ID: b.ID, Version: b.Version,
			Role: strings.ReplaceAll(b.Role.String(), "_", " "),
		})
		if b.Up {
			v.BrokersUp++
		}
	}
}

func (v *clusterView) addReport(r *lag.Report) {
	total := int64(0)
	for i := range r.Groups {
		total += r.Groups[i].Backlog
	}
	for i := range r.Pairs {
		switch p := &r.Pairs[i]; {
		case p.Rows == 0:
			v.Unknown++
		case p.Backlog > 0:
			v.Behind++
		}
	}
	v.Backlog = count(total)
	v.Topics, v.Groups = count(int64(len(r.Topics))), count(int64(len(r.Groups)))
	v.Rows, v.Processes = count(int64(r.Rows())), count(int64(len(r.Processes)))
	v.Incomplete = r.Incomplete
	v.Worst = worstPairs(r)
}
