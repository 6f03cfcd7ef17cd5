package listing

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// WriteJSON writes rows as one line: an array of objects.
func WriteJSON(w io.Writer, rows []Row) error {
	if rows == nil {
		rows = []Row{}
	}
	return json.NewEncoder(w).Encode(rows)
}

// WriteTable writes rows as a table. An empty list is a sentence.
func WriteTable(w io.Writer, rows []Row, by By) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "Nothing to list: no consumer group has committed on any topic that was asked for.")
		return err
	}
	columns := columnsOf(by)
	if severalClusters(rows) {
		columns = append([]column{{"CLUSTER", func(r *Row) string { return r.Cluster }}}, columns...)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	fmt.Fprintln(t, strings.Join(heads, "\t"))
	cells := make([]string, len(columns))
	for i := range rows {
		for j, c := range columns {
			cells[j] = printable(c.cell(&rows[i]))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// printable keeps what a cluster calls itself from moving the cursor of the
// terminal or the columns of the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

type column struct {
	head string
	cell func(*Row) string
}

func columnsOf(by By) []column {
	group := column{"GROUP", func(r *Row) string { return r.Group }}
	topic := column{"TOPIC", func(r *Row) string { return r.Topic }}
	ip := column{"CLIENT IP", func(r *Row) string { return orNobody(r.IP) }}
	pid := column{"PID", func(r *Row) string { return orNobody(r.PID) }}
	messages := column{"MESSAGES", (*Row).messages}
	behind := column{"BEHIND", (*Row).behind}
	switch by {
	case ByQueue:
		broker := column{"BROKER", func(r *Row) string { return r.Broker }}
		queue := column{"QUEUE", func(r *Row) string { return strconv.Itoa(int(*r.QueueID)) }}
		return []column{group, topic, broker, queue, ip, pid, messages, behind}
	case ByClient:
		queues := column{"QUEUES", func(r *Row) string { return strconv.Itoa(r.Queues) }}
		return []column{group, ip, pid, queues, messages, behind}
	case ByTopic:
	}
	state := column{"STATE", func(r *Row) string { return r.State }}
	members := column{"MEMBERS", (*Row).members}
	return []column{group, topic, messages, behind, state, members}
}

// unknown stands where nobody knows; it is no number.
const unknown = "?"

func orNobody(s *string) string {
	if *s == "" {
		return "-"
	}
	return *s
}

func (r *Row) messages() string {
	if r.Messages == nil {
		return unknown
	}
	return strconv.FormatInt(*r.Messages, 10)
}

func (r *Row) members() string {
	if r.Members == nil {
		return unknown
	}
	return strconv.Itoa(*r.Members)
}

func (r *Row) behind() string {
	if r.Seconds == nil {
		return unknown
	}
	text := span(*r.Seconds)
	if r.AtMost {
		text = "<=" + text
	}
	return text
}

// span is a number of seconds as people say it, to two units: 1d3h, 2h5m, 3m20s.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	days, d := d/(24*time.Hour), d%(24*time.Hour)
	hours, d := d/time.Hour, d%time.Hour
	minutes, d := d/time.Minute, d%time.Minute
	secs := d / time.Second
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm%ds", minutes, secs)
	}
	return fmt.Sprintf("%ds", secs)
}
