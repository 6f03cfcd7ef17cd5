package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

// Each testdata/*.bad.yml has its messages beside it.
func TestFilesWithMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			v, err := world{}.load(Sources{File: ParseFile("mq.yml", text)})
			if err == nil || v.Clusters != nil {
				t.Fatalf("no mistake was found: %+v", v)
			}
			golden := strings.TrimSuffix(name, ".bad.yml") + ".want"
			got := []byte(err.Error() + "\n")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if bytes.Contains(got, []byte(secret)) {
				t.Errorf("the message repeats a secret: %s", got)
			}
		})
	}
}

func TestAFileWithSeveralClusters(t *testing.T) {
	w := world{
		env:   map[string]string{"WEST_PASSWORD": secret, EnvConsolePassword: "another", EnvConsoleProxyPassword: "a third"},
		files: map[string]string{"dir/secret": secret + "\n", "/etc/secret": secret + "\n"},
	}
	v, err := w.load(Sources{File: ParseFile("dir/mq.yml", []byte(`
web:
  listen_address: [127.0.0.1:9104, ":9105"]
  config_file: web.yml
log: {level: warn}
metrics:
  prefix: mq
defaults: &all
  collect:
    interval: 30s
  console:
    username: everybody
    parallel: 2
clusters:
  - name: east
    namesrv: [10.0.0.1:9876, "10.0.0.2:9876"]
    collect: {interval: 10s, window: 4}
    topics:
      ignore: [a, b]
      system: true
  - name: west
    console:
      url: https://west.example
      password_env: WEST_PASSWORD
  - name: 北
    console: {url: north, password_file: secret, proxy_username: proxy}
  - name: south
    console: {url: south, username: me, password_file: /etc/secret}
    console_link: https://south.example/
  - name: centre
    namesrv: mq:1;mq:2
`))})
	v = must(t, v, err)
	if !slices.Equal(v.Web.Listen, []string{"127.0.0.1:9104", ":9105"}) || v.Web.ConfigFile != "dir/web.yml" || v.Log.Level != "warn" || v.Prefix != "mq" {
		t.Errorf("%+v", v)
	}
	var names []string
	for _, k := range v.Clusters {
		names = append(names, k.Name)
	}
	if !slices.Equal(names, []string{"east", "west", "北", "south", "centre"}) {
		t.Fatalf("clusters %q", names)
	}
	east, west, north, south, centre := v.Clusters[0], v.Clusters[1], v.Clusters[2], v.Clusters[3], v.Clusters[4]
	if !slices.Equal(east.NameServers, []string{"10.0.0.1:9876", "10.0.0.2:9876"}) || east.Interval != 10*time.Second || east.Window != 4 ||
		!slices.Equal(east.IgnoredTopics, []string{"a", "b"}) || !east.System || east.Console.Username != "" {
		t.Errorf("east: %+v", east)
	}
	if west.Console.URL != "https://west.example" || west.Console.Username != "everybody" || west.Console.Password.Reveal() != secret ||
		west.Console.Parallel != 2 || west.Interval != 30*time.Second || !west.Console.ProxyPassword.IsZero() {
		t.Errorf("west: %+v", west)
	}
	if north.Console.URL != "http://north" || north.Console.Password.Reveal() != secret || north.Console.ProxyPassword.Reveal() != "a third" {
		t.Errorf("north: %+v", north)
	}
	if south.Console.Username != "me" || south.Console.Password.Reveal() != secret || south.ConsoleLink != "https://south.example/" {
		t.Errorf("south: %+v", south)
	}
	if !slices.Equal(centre.NameServers, []string{"mq:1", "mq:2"}) || centre.Parallel != 16 {
		t.Errorf("centre: %+v", centre)
	}
}

// One cluster needs no name: the label is RocketMQ's then.
func TestOneClusterNeedsNoName(t *testing.T) {
	v, err := ofFile("clusters:\n  - namesrv: mq:9876\n")
	v = must(t, v, err)
	if len(v.Clusters) != 1 || v.Clusters[0].Name != "" {
		t.Errorf("%+v", v.Clusters)
	}
}

func TestAliases(t *testing.T) {
	v, err := ofFile(`
defaults: {topics: {ignore: &some [a, b]}}
clusters:
  - &first {name: a, namesrv: &where mq:1, topics: &topics {ignore: *some}}
  - {name: b, namesrv: *where, topics: *topics}
`)
	v = must(t, v, err)
	if len(v.Clusters) != 2 || !slices.Equal(v.Clusters[1].IgnoredTopics, []string{"a", "b"}) {
		t.Errorf("%+v", v.Clusters)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"collect", "console", "console_link", "topics", "namesrv", "name"}
	for word, want := range map[string]string{
		"colect": "collect", "collcet": "collect", "Console": "console", "console-link": "console_link", "topic": "topics", "nameserver": "namesrv",
		"namesvr": "namesrv", "nam": "name", "x": "", "": "", "interval": "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

// The commented example is what it says it is.
func TestTheExample(t *testing.T) {
	name := filepath.FromSlash("../../docs/rocketmq_exporter.example.yml")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, s := range []string{"secrets/console-password", "secrets/proxy-password"} {
		files["/etc/rocketmq_exporter/"+s] = secret
	}
	v, err := world{files: files}.load(Sources{File: ParseFile("/etc/rocketmq_exporter/rocketmq_exporter.yml", text)})
	v = must(t, v, err)
	if len(v.Clusters) < 2 {
		t.Errorf("%d clusters", len(v.Clusters))
	}
	// It shows every key that a file may hold, if only in a comment.
	for _, s := range Settings() {
		last := s.Key[strings.LastIndexByte(s.Key, '.')+1:]
		if s.Scope != CommandLine && !strings.Contains(string(text), last+":") {
			t.Errorf("the example does not show %s", s.Key)
		}
	}
	// What it shows as a default is one.
	for _, s := range Settings() {
		last := s.Key[strings.LastIndexByte(s.Key, '.')+1:]
		if s.Scope == Global && s.Default != "" && !strings.Contains(string(text), last+": "+s.Default) && !s.IsList() {
			t.Errorf("the example does not show %s: %s", s.Key, s.Default)
		}
	}
}

// FuzzFile: whatever is in a file, it is read or refused, within bounds.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"testdata/mistakes.bad.yml", "testdata/shape.bad.yml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("clusters: [{namesrv: &a [a:1]}, {namesrv: *a, name: &b {}}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := world{}.load(Sources{File: ParseFile("mq.yml", text)})
		if err == nil && len(v.Clusters) == 0 {
			t.Error("valid, and without a cluster")
		}
	})
}
