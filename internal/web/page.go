package web

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
)

// page is HTML as it is written. It is not html/template's, which keeps the
// linker from leaving out what is not used: see docs/design.md.
type page struct{ bytes.Buffer }

// put writes HTML, in which verbs stand for texts and for the whole values of
// attributes. All arguments but numbers are escaped: HTML is only in formats, which
// are constants.
func (p *page) put(format string, args ...any) {
	for i, arg := range args {
		switch arg.(type) {
		case int, int64:
		default:
			args[i] = html.EscapeString(fmt.Sprint(arg))
		}
	}
	fmt.Fprintf(p, format, args...)
}

// outside is a link out of this server, or nothing where a browser would not open
// a page: some schemes hold what it would run.
func outside(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return link
}

func (p *page) index(v *view) {
	p.put(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>RocketMQ exporter</title>
<link rel="stylesheet" href="%s">
</head>
<body>
<header>
<h1>RocketMQ exporter <small>%s`, v.Style, v.Version)
	if v.Shard != "" {
		p.put(", %s", v.Shard)
	}
	p.put(`</small></h1>
<nav><a href="%s">Metrics</a> <a href="%s">Healthy</a> <a href="%s">Ready</a></nav>
</header>
<main>
`, v.Metrics, v.Healthy, v.Ready)
	for i := range v.Clusters {
		p.cluster(&v.Clusters[i])
	}
	if len(v.Clusters) == 0 {
		p.put("<p class=\"note\">No cluster is configured.</p>\n")
	}
	p.put("</main>\n</body>\n</html>\n")
}

func (p *page) cluster(c *clusterView) {
	p.put("<section class=\"card %s\">\n<h2>%s <span class=\"state\">%s</span></h2>\n", c.Class, c.Name, c.State)
	if link := outside(c.Console); link != "" {
		p.put("<p class=\"times\"><a href=\"%s\">Console</a></p>\n", link)
	}
	p.times(c)
	if c.Error != "" {
		p.put("<pre class=\"error\">%s</pre>\n", c.Error)
	}
	if c.Backlog != "" {
		p.figures(c)
		p.worst(c)
		p.nodes(c)
	}
	p.put("</section>\n")
}

// times says how old the numbers are, and how good.
func (p *page) times(c *clusterView) {
	p.put(`<p class="times">`)
	if c.Age != "" {
		p.put(`Read <time datetime="%[1]s" title="%[1]s">%[2]s ago</time>`, c.Taken, c.Age)
	} else {
		p.put("No numbers yet")
	}
	if c.Round != "" {
		p.put("; the last round took %s", c.Round)
	}
	p.put(".")
	if c.Stale {
		p.put(" <strong>It failed: the numbers are older.</strong>")
	}
	if c.Incomplete > 0 {
		p.put(" <strong>%d %s could not be read whole: the last good numbers are shown.</strong>", c.Incomplete, plural(c.Incomplete, "broker"))
	}
	p.put("\n</p>\n")
}

func (p *page) figures(c *clusterView) {
	p.put(`<dl class="figures">
<div class="main"><dt>Backlog, messages</dt><dd>%s</dd></div>
<div><dt>Consumer groups</dt><dd>%s</dd></div>
<div><dt>Topics</dt><dd>%s</dd></div>
<div><dt>Processes with queues</dt><dd>%s</dd></div>
<div><dt>Rows, one per queue</dt><dd>%s</dd></div>
`, c.Backlog, c.Groups, c.Topics, c.Processes, c.Rows)
	if n := len(c.NameServers); n > 0 {
		p.put("<div><dt>Name servers up</dt><dd>%d of %d</dd></div>\n", c.NameServersUp, n)
	}
	p.put("<div><dt>Brokers up</dt><dd>%d of %d</dd></div>\n</dl>\n", c.BrokersUp, len(c.Brokers))
}

// worst shows the pairs that are furthest behind.
func (p *page) worst(c *clusterView) {
	p.put("<h3>Furthest behind</h3>\n")
	if len(c.Worst) == 0 {
		p.put("<p class=\"note\">No consumer group is behind.</p>\n")
	} else {
		p.put(`<div class="wide"><table>
<thead><tr><th>Consumer group</th><th>Topic</th><th>State</th><th class="number">Backlog</th><th class="number">Oldest waits</th><th>Worst process: IP</th><th>PID</th><th class="number">It holds</th></tr></thead>
<tbody>
`)
		for i := range c.Worst {
			p.pair(&c.Worst[i])
		}
		p.put("</tbody>\n</table></div>\n")
	}
	if n := len(c.Worst); c.Behind > n {
		p.put("<p class=\"note\">The worst %d of %d that are behind.</p>\n", n, c.Behind)
	}
	if c.Unknown > 0 {
		p.put("<p class=\"note\">The backlog of %d more %s of consumer group and topic is not known.</p>\n", c.Unknown, plural(c.Unknown, "pair"))
	}
}

func (p *page) pair(v *pairView) {
	p.put(`<tr><td>%s</td><td>%s</td><td class="%s">%s</td><td class="number">%s</td>`, v.Group, v.Topic, v.Mood, v.State, v.Backlog)
	if v.Lag != "" {
		p.put(`<td class="number">%s</td>`, v.Lag)
	} else {
		p.put(`<td class="number"><span class="nobody">not known</span></td>`)
	}
	if v.Nobody {
		p.put(`<td colspan="2" class="nobody">no process known</td>`)
	} else {
		p.put(`<td>%s</td><td>%s</td>`, v.IP, v.PID)
	}
	p.put("<td class=\"number\">%s</td></tr>\n", v.Held)
}

// nodes shows name servers and brokers; they are folded up where all is well.
func (p *page) nodes(c *clusterView) {
	open := ""
	if c.State != Whole.String() {
		open = " open"
	}
	p.put(`<details%s>
<summary>Name servers and brokers</summary>
<div class="wide"><table>
<thead><tr><th>Kind</th><th>Name</th><th class="number">Id</th><th>Address</th><th>Version</th><th>State</th></tr></thead>
<tbody>
`, open)
	for _, n := range c.NameServers {
		p.put("<tr><td>name server</td><td></td><td></td><td>%s</td><td></td><td class=\"%[2]s\">%[2]s</td></tr>\n", n.Addr, n.state())
	}
	for i := range c.Brokers {
		b := &c.Brokers[i]
		p.put("<tr><td>%s</td><td>%s</td><td class=\"number\">%d</td><td>%s</td><td>%s</td><td class=\"%[6]s\">%[6]s</td></tr>\n",
			b.Role, b.Name, b.ID, b.Addr, b.Version, b.state())
	}
	p.put("</tbody>\n</table></div>\n</details>\n")
}

func (n nodeView) state() string {
	if n.Up {
		return "up"
	}
	return "down"
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
