package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/fakemq"
)

// Size is a fake cluster of a size.
type Size struct {
	Name    string
	Brokers int
	fakemq.Size
}

// Sizes are those that are measured: about as many rows as their names say,
// those of retry topics among them. The second is what the rounds against a
// real RocketMQ have (test/bench/round).
func Sizes() []Size {
	return []Size{
		{"1k", 2, fakemq.Size{Topics: 50, Spread: 2, Queues: 4, Groups: 56, TopicsPerGroup: 2, Processes: 2}},
		{"16k", 1, fakemq.Size{Topics: 1000, Spread: 1, Queues: 8, Groups: 250, TopicsPerGroup: 8, Processes: 2}},
		{"225k", 20, fakemq.Size{Topics: 2500, Spread: 5, Queues: 8, Groups: 1250, TopicsPerGroup: 4, Processes: 4}},
		{"1M", 100, fakemq.Size{Topics: 10_000, Spread: 5, Queues: 8, Groups: 5556, TopicsPerGroup: 4, Processes: 4}},
	}
}

// SizeNamed is the size of a name.
func SizeNamed(name string) (Size, error) {
	var names []string
	for _, s := range Sizes() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Size{}, fmt.Errorf("no size %q: there are %s", name, strings.Join(names, ", "))
}

// Start starts a cluster of the size in this process.
func (s Size) Start() (*fakemq.Cluster, error) {
	c := fakemq.ClusterOptions{Name: "large"}
	for i := range s.Brokers {
		c.Brokers = append(c.Brokers, BrokerName(i))
	}
	mq, err := fakemq.Start(fakemq.Options{Clusters: []fakemq.ClusterOptions{c}, Marks: 4})
	if err != nil {
		return nil, err
	}
	if err := mq.Fill(s.Size); err != nil {
		mq.Close()
		return nil, err
	}
	return mq, nil
}

// BrokerName is the name of the i-th broker of a fake.
func BrokerName(i int) string { return fmt.Sprintf("broker-%03d", i) }

// Fake is a fake cluster in a process of its own.
type Fake struct {
	*Process
	NameServers []string
}

// StartFake starts this program once more, as a fake of a size.
func StartFake(ctx context.Context, size string) (*Fake, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := Start(ctx, nil, self, fakeCommand, size)
	if err != nil {
		return nil, err
	}
	f := &Fake{Process: p}
	line, err := p.Line()
	if err == nil {
		err = json.Unmarshal([]byte(line), &f.NameServers)
	}
	if err != nil {
		p.Stop()
		return nil, err
	}
	return f, nil
}

// Drift has the offsets of the fake move.
func (f *Fake) Drift() error { return f.Tell("drift") }

const fakeCommand = "fake-cluster"

// IsFake says whether the program was started as a fake.
func IsFake(args []string) bool { return len(args) == 2 && args[0] == fakeCommand }

// RunFake is what the program then does, until its input ends.
func RunFake(args []string, in io.Reader, out io.Writer, more map[string]func(*fakemq.Cluster) error) error {
	size, err := SizeNamed(args[1])
	if err != nil {
		return err
	}
	mq, err := size.Start()
	if err != nil {
		return err
	}
	defer mq.Close()
	if err := json.NewEncoder(out).Encode(mq.NameServers()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if err := obey(mq, lines.Text(), more); err != nil {
			fmt.Fprintln(out, err)
			continue
		}
		fmt.Fprintln(out, done)
	}
	return nil
}

func obey(mq *fakemq.Cluster, command string, more map[string]func(*fakemq.Cluster) error) error {
	if command == "drift" {
		mq.Drift(7)
		return nil
	}
	if do := more[command]; do != nil {
		return do(mq)
	}
	return fmt.Errorf("no command %q", command)
}
