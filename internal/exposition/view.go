package exposition

import (
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/family"
	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

// Detail says which rows the family of the single queues has. Whatever it is,
// the rows add up to the sums of the other families.
type Detail uint8

// The levels of detail.
const (
	ByQueue  Detail = iota // a row per queue and process
	ByClient               // a row per topic, group and process: broker and queueId are empty
	ByGroup                // a row per topic and group: broker, queueId and the process are empty
)

// Rules say what of a report is written. They never change a sum: what is left
// out is counted in it all the same.
type Rules struct {
	Families family.Choice
	Detail   Detail
	// Clients says which consumer processes have series of their own; nil:
	// all.
	Clients func(ip, pid string) bool
	// FamilyLimit bounds the series of each family, and Limit those of all of
	// them together; 0: nothing does. Families about the cluster, its name
	// servers and its brokers, of which there are few, count and are not cut.
	FamilyLimit, Limit int
}

// View is a report, and what of it is written. It never changes.
type View struct {
	Report *lag.Report

	families family.Choice
	detail   Detail
	kept     map[family.ID]bits // of families that are not written whole
	// Dropped is what the rules leave out of the report.
	Dropped []Dropped
}

// Dropped counts the series of a family that a rule leaves out.
type Dropped struct {
	Family family.ID
	Rule   Rule
	Series int
}

// Rule is the reason why a series is left out.
type Rule string

// The rules.
const (
	RuleClients     Rule = "clients"           // Rules.Clients
	RuleFamilyLimit Rule = "series_per_metric" // Rules.FamilyLimit
	RuleLimit       Rule = "series"            // Rules.Limit
)

// View applies the rules to a report. It is the work of a round, not of a
// scrape, and where nothing is to be left out it is none.
func (r Rules) View(report *lag.Report) *View {
	v := &View{Report: report, families: r.Families, detail: r.Detail}
	if r.Clients != nil || r.FamilyLimit > 0 || r.Limit > 0 {
		newSelector(r, v).run()
	}
	return v
}

// bits say of each series of a family, in the order of writing, whether it is
// kept.
type bits []uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bits) has(i int) bool { return i/64 < len(b) && b[i/64]&(1<<(i%64)) != 0 }
