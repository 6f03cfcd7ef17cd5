package realmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Admin runs mqadmin, for example Admin(ctx, "clusterList"), with the name
// servers of the cluster added. It boots a JVM: 1 s to 2 s each time.
func (c *Cluster) Admin(ctx context.Context, args ...string) (stdout string, err error) {
	return c.admin(ctx, c.NameServer(), args...)
}

// AdminOf runs the mqadmin of a version on whatever answers as a name server
// at the address. dir is for its settings and its log.
func AdminOf(ctx context.Context, version, dir, nameServer string, args ...string) (stdout string, err error) {
	c := &Cluster{version: version, dir: dir}
	if err := c.install(ctx); err != nil {
		return "", err
	}
	if err := writeHome(c.toolsHome(), nil); err != nil {
		return "", fmt.Errorf("mqadmin: %w", err)
	}
	return c.admin(ctx, nameServer, args...)
}

func (c *Cluster) admin(ctx context.Context, nameServer string, args ...string) (stdout string, err error) {
	if len(args) == 0 {
		return "", errors.New("mqadmin: no command")
	}
	java := c.clientCommand(c.toolsHome(), "Admin", 128)
	java.args = slices.Concat(args[:1], []string{"-n", nameServer}, args[1:])
	var out, errOut bytes.Buffer
	command := java.command()
	command.Stdout, command.Stderr = &out, &errOut
	process, err := startProcess("mqadmin "+args[0], command)
	if err != nil {
		return "", err
	}
	select {
	case <-process.done:
	case <-ctx.Done():
		return "", errors.Join(fmt.Errorf("%s: %w", process.name, context.Cause(ctx)), process.kill())
	}
	if err := adminError(process.err, out.String(), errOut.String()); err != nil {
		return out.String(), fmt.Errorf("%s: %w", process.name, err)
	}
	return out.String(), nil
}

// adminError finds a failure in what mqadmin printed, since it exits with 0
// whatever happens (MQAdminStartup.main0).
func adminError(exit error, stdout, stderr string) error {
	switch {
	case exit != nil:
		return fmt.Errorf("%w\n%s", exit, tail([]byte(stderr), 4<<10))
	case strings.Contains(stderr, "Exception"):
		return errors.New(tail([]byte(stderr), 4<<10))
	case strings.HasPrefix(stdout, "The sub command "), strings.HasPrefix(stdout, "usage: mqadmin"):
		return errors.New(tail([]byte(stdout), 4<<10))
	}
	return nil
}

// ProgressRow is a line of mqadmin's consumerProgress: one queue of a group.
type ProgressRow struct {
	Topic, Broker  string
	QueueID        int
	BrokerOffset   int64 // the queue's end: the offset of the next message
	ConsumerOffset int64 // as committed; 0 also where nothing was
	Diff           int64
	Inflight       int64  // pulled and not committed, per 5.x; always 0 from 4.x, which has no such column
	ClientIP       string // of the consumer that holds the queue; "" if none does
}

// ConsumerProgress returns what mqadmin consumerProgress prints of a group,
// sorted as printed.
func (c *Cluster) ConsumerProgress(ctx context.Context, group string) ([]ProgressRow, error) {
	out, err := c.Admin(ctx, "consumerProgress", "-g", group, "-s", "true")
	if err != nil {
		return nil, err
	}
	rows, err := parseProgress(out)
	if err != nil {
		return nil, fmt.Errorf("mqadmin consumerProgress -g %s: %w", group, err)
	}
	if !slices.ContainsFunc(rows, func(row ProgressRow) bool { return row.cut() }) {
		return rows, nil
	}
	full, err := c.ConsumeStats(ctx, group)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := rows[i].restore(full); err != nil {
			return nil, fmt.Errorf("mqadmin consumerProgress -g %s: %w", group, err)
		}
	}
	return rows, nil
}

// Lengths to which mqadmin cuts names (UtilAll.frontStringAtLeast, in
// ConsumerProgressSubCommand).
const (
	printedTopic  = 64
	printedBroker = 32
)

// cut says whether a name of the row may be incomplete.
func (r *ProgressRow) cut() bool {
	return len(r.Topic) >= printedTopic || len(r.Broker) >= printedBroker
}

// restore replaces names that mqadmin has cut by the one queue they can mean.
func (r *ProgressRow) restore(full []GroupOffset) error {
	if !r.cut() {
		return nil
	}
	found := make(map[Queue]bool)
	for _, offset := range full {
		if offset.ID == r.QueueID && front(offset.Topic, printedTopic) == r.Topic &&
			front(offset.Broker, printedBroker) == r.Broker {
			found[offset.Queue] = true
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("%d queues fit the cut names in %+v", len(found), *r)
	}
	for queue := range found {
		r.Topic, r.Broker = queue.Topic, queue.Broker
	}
	return nil
}

func front(name string, length int) string { return name[:min(len(name), length)] }

// parseProgress reads the table of consumerProgress -s true. 4.x has no column
// #Inflight. The columns are as wide as their contents at least, with a space
// between, and no value but the last, the time, can have a space in it.
func parseProgress(out string) ([]ProgressRow, error) {
	header, table, found := cutLine(out, "#Topic")
	if !found {
		return nil, fmt.Errorf("no table in:\n%s", tail([]byte(out), 4<<10))
	}
	inflight := strings.Contains(header, "#Inflight")
	var rows []ProgressRow
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) == 0 {
			return rows, nil // the totals follow
		}
		columns := &fields{rest: words}
		row := ProgressRow{
			Topic:          columns.text(),
			Broker:         columns.text(),
			QueueID:        int(columns.number()),
			BrokerOffset:   columns.number(),
			ConsumerOffset: columns.number(),
			ClientIP:       strings.TrimPrefix(columns.text(), "N/A"),
			Diff:           columns.number(),
		}
		if inflight {
			row.Inflight = columns.number()
		}
		if columns.err != nil {
			return nil, fmt.Errorf("row %q: %w", strings.TrimSpace(line), columns.err)
		}
		rows = append(rows, row)
	}
	return nil, errors.New("table without end: " + strconv.Quote(tail([]byte(out), 1<<10)))
}

// cutLine returns the first line with the given start, and what follows it.
func cutLine(text, start string) (line, rest string, found bool) {
	for !strings.HasPrefix(text, start) {
		if _, text, found = strings.Cut(text, "\n"); !found {
			return "", "", false
		}
	}
	line, rest, _ = strings.Cut(text, "\n")
	return line, rest, true
}
