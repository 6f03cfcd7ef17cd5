package family

import (
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name            string
		enable, disable []string
		on, off         []ID
	}{
		{name: "nothing said", on: []ID{MsgDiffDetail, Up, ConsumerGroupState, ExporterSeries}, off: []ID{QueueLag, QueueMaxOffset}},
		{
			name: "both", enable: []string{"queue_lag_seconds"}, disable: []string{"consumergroup_state", "up"},
			on: []ID{QueueLag, ConsumerGroupLag}, off: []ID{QueueMaxOffset, ConsumerGroupState, Up},
		},
		{
			name: "as it is anyway", enable: []string{"up", "msg_diff_topic"}, disable: []string{"queue_min_offset"},
			on: []ID{Up, MsgDiffTopic}, off: []ID{QueueMinOffset},
		},
		{
			name: "said twice", enable: []string{"queue_lag_seconds", "queue_lag_seconds"}, disable: []string{"up", "up"},
			on: []ID{QueueLag}, off: []ID{Up},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			chosen, err := Choose(c.enable, c.disable)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range All() {
				if got := chosen.Has(id); slices.Contains(c.on, id) && !got || slices.Contains(c.off, id) && got {
					t.Errorf("%s is on: %t", id.Family().Name, got)
				}
			}
		})
	}
}

// TestChooseMistakes: all of them in one error, each with what was allowed.
func TestChooseMistakes(t *testing.T) {
	_, err := Choose(
		[]string{"queue_lag", "up", "queue_lag_seconds"},
		[]string{"up", "msg_diff_detail", "exporter_series", "rocketmq_up"},
	)
	if err == nil {
		t.Fatal("no mistake was found")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		`there is no metric "queue_lag"`, `"up" is to be both enabled and disabled`,
		`"msg_diff_detail" is always there`, `"exporter_series" is always there`, `there is no metric "rocketmq_up"`,
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Fatalf("mistakes:\n%v\nwant in line %d: %s", err, i, want)
		}
	}
	if len(lines) != 5 || !strings.Contains(lines[0], "queue_lag_seconds, queue_min_offset") || !strings.Contains(lines[2], "consumergroup_state") {
		t.Errorf("mistakes:\n%v", err)
	}
}
