package remoting

import (
	"fmt"
	"slices"
	"testing"
)

func TestTimeSpans(t *testing.T) {
	var got []TimeSpan
	if err := DecodeTimeSpans(recordedBody(t, "5.5.0", "303-time-span"), func(s TimeSpan) { got = append(got, s) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 {
		t.Fatalf("%d queues, want 4", len(got))
	}
	first := fmt.Sprintf("%s %s %d: %d %d %d %d", got[0].Topic, got[0].Broker, got[0].QueueID, got[0].Earliest, got[0].Latest, got[0].Consumed, got[0].Delay)
	if want := "payments broker-a 0: 1795396863332 1795400963750 1795396923923 4039528"; first != want {
		t.Errorf("%s, want %s", first, want)
	}
	var odd []string
	err := DecodeTimeSpans([]byte(`{"new":1,"consumeTimeSpanSet":[{"delayTime":5,"messageQueue":{"topic":"t","queueId":2,"brokerName":"b","x":[]}},`+
		`{"messageQueue":null,"minTimeStamp":-1}]}`), func(s TimeSpan) {
		odd = append(odd, fmt.Sprintf("%s %d %d %d", s.Topic, s.QueueID, s.Delay, s.Earliest))
	})
	if err != nil || !slices.Equal(odd, []string{"t 2 5 0", " -1 0 -1"}) {
		t.Errorf("%q, %v", odd, err)
	}
}

func TestRequestModes(t *testing.T) {
	var got []string
	err := DecodeRequestModes([]byte(`{"messageRequestModeMap":{"T1":{"G1":{"consumerGroup":"G1","mode":"POP","popShareQueueNum":8,"topic":"T1"},`+
		`"G2":{"mode":"PULL"},"G3":null},"T2":null,"T3":{}},"dataVersion":{}}`), func(m RequestMode) {
		got = append(got, fmt.Sprintf("%s %s %s", m.Topic, m.Group, m.Mode))
	})
	if err != nil || !slices.Equal(got, []string{"T1 G1 POP", "T1 G2 PULL"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// The keys have -1 for all queues of a topic, as real 5.5.0 clients write it.
func TestPopQueues(t *testing.T) {
	var got []string
	err := DecodePopQueues([]byte(`{"mqPopTable":{{"brokerName":"b","queueId":-1,"topic":"T"}:{"droped":false,"lastPopTimestamp":1,"waitAckCount":78},`+
		`{"brokerName":"c","queueId":-1,"topic":"T"}:{"droped":true,"waitAckCount":2}},"mqTable":{{"brokerName":"b","queueId":0,"topic":"%RETRY%G"}:{}}}`),
		func(q PopQueue) {
			got = append(got, fmt.Sprintf("%s %s %d %d %v", q.Topic, q.Broker, q.QueueID, q.Waiting, q.Dropped))
		})
	if err != nil || !slices.Equal(got, []string{"T b -1 78 false", "T c -1 2 true"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestHAStatus(t *testing.T) {
	got, err := DecodeHAStatus(recordedBody(t, "5.5.0", "907-ha-status"))
	if want := (HAStatus{Master: true, End: 204711724}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for body, want := range map[string]HAStatus{
		`{"master":true,"masterCommitLogMaxOffset":643611,"inSyncSlaveNums":1,"haConnectionInfo":[{"addr":"h:1","diff":0,"inSync":true,"slaveAckOffset":643611},` +
			`{"addr":"h:2","diff":900,"inSync":false}],"haClientRuntimeInfo":{"maxOffset":0}}`: {Master: true, End: 643611, Slaves: 2, InSync: 1},
		`{"haClientRuntimeInfo":{"lastReadTimestamp":1,"masterAddr":"h:1","maxOffset":77},"haConnectionInfo":[],"inSyncSlaveNums":0,"master":false,` +
			`"masterCommitLogMaxOffset":0}`: {End: 77},
		`{"haClientRuntimeInfo":null,"haConnectionInfo":null}`: {},
	} {
		if got, err := DecodeHAStatus([]byte(body)); err != nil || got != want {
			t.Errorf("%s\n%+v, %v; want %+v", body, got, err, want)
		}
	}
}
